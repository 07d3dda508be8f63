// SPDX-License-Identifier: Apache-2.0
// npm's kafka-connect-client drives one worker; a JSON line a call: status, body. client.js URL CONFIG.json
const fs = require("fs");
const axios = require("axios"); // the one that the client uses
const { KafkaConnectClient } = require("kafka-connect-client");

const url = new URL(process.argv[2]);
const config = JSON.parse(fs.readFileSync(process.argv[3], "utf8"));
const client = new KafkaConnectClient({ host: url.hostname, port: Number(url.port) });
const asPublished = client.connector("node");
// A call without a body says "application/x-www-form-urlencoded", which is refused: its users set axios' defaults.
axios.defaults.headers.put["Content-Type"] = axios.defaults.headers.post["Content-Type"] = "application/json";
const connector = client.connector("node");

async function call(name, promise) {
  try {
    const answer = await promise;
    console.log(JSON.stringify([name, answer.status, answer.data === undefined ? null : answer.data]));
  } catch (refused) { // what a caller of the client would see
    console.log(JSON.stringify([name, refused.response ? refused.response.status : refused.name, null]));
  }
}

async function reach(state, tasks) {
  let seen;
  for (let i = 0; i < 600; i++) {
    try {
      const { data } = await connector.getStatus();
      if (data.connector.state === state && data.tasks.length === tasks && data.tasks.every((t) => t.state === state)) return;
      seen = JSON.stringify(data);
    } catch (refused) { seen = String(refused); } // the status comes a moment after the connector
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`never ${state} with ${tasks} tasks: ${seen}`);
}

async function main() {
  await call("getCluster", client.getCluster());
  await call("getConnectorPlugins", client.getConnectorPlugins());
  await call("getConnectorPlugins all", client.getConnectorPlugins({ connectorsOnly: false }));
  await call("validateConnectorConfig", client.validateConnectorConfig(config["connector.class"], { ...config, name: "node" }));
  await call("get nothing", connector.get());
  await call("createConnector", client.createConnector("node", config));
  await reach("RUNNING", 1);
  await call("createConnector again", client.createConnector("node", config));
  await call("getConnectors", client.getConnectors());
  await call("getConnectors expanded", client.getConnectors({ expand: ["status", "info"] }));
  await call("get", connector.get());
  await call("getConfig", connector.getConfig());
  await call("getStatus", connector.getStatus());
  await call("getTasks", connector.getTasks());
  await call("getTaskStatus", connector.getTaskStatus(0));
  await call("getTaskStatus 7", connector.getTaskStatus(7));
  for (const name of ["resetTopics", "pause", "resume", "stop"]) await call(`${name} as published`, asPublished[name]());
  await call("restartTask as published", asPublished.restartTask(0));
  await call("resetTopics", connector.resetTopics());
  await call("restart", connector.restart());
  await call("restart with options", connector.restart({ includeTasks: true }));
  await call("restartTask", connector.restartTask(0));
  await reach("RUNNING", 1);
  await call("pause", connector.pause());
  await reach("PAUSED", 1);
  await call("resume", connector.resume());
  await reach("RUNNING", 1);
  await call("updateConfig", connector.updateConfig({ ...config, "tasks.max": "1" }));
  await call("alterOffsets too early", connector.alterOffsets([{ partition: { kafka_topic: "rows", kafka_partition: 0 }, offset: { kafka_offset: 0 } }]));
  await call("stop", connector.stop());
  await reach("STOPPED", 0);
  await call("getOffsets", connector.getOffsets());
  await call("resetOffsets", connector.resetOffsets());
  await call("delete", connector.delete());
  await call("delete again", connector.delete());
}

main();
