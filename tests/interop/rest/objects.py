# SPDX-License-Identifier: Apache-2.0
"""kafka-connect-api drives one worker; a JSON line a call says what it made of the answer. objects.py URL CONFIG.json"""
import json
import sys
import time

from kafka_connect_api.kafka_connect_api import Api, Cluster, Connector


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        config = json.load(file)
    api = Api(url=sys.argv[1])
    cluster = Cluster(api)
    connector = Connector(cluster, "objects")

    def call(name, function):
        try:
            print(json.dumps([name, function()], default=repr), flush=True)
        except Exception as refused:  # what a caller of the client would see
            print(json.dumps([name, type(refused).__name__]), flush=True)

    def reach(state):
        seen = None
        for _ in range(600):
            try:
                seen = [connector.state, *(task.state for task in connector.tasks)]
                if seen == [state, state]:
                    return
            except Exception as refused:  # the status comes a moment after the connector
                seen = refused
            time.sleep(0.1)
        sys.exit(f"never {state}: {seen}")

    call("version", lambda: cluster.version)
    call("kafka_cluster", lambda: cluster.kafka_cluster)
    call("exists not", connector.exists)
    call("state of nothing", lambda: connector.state)
    call("set config", lambda: setattr(connector, "config", config))
    reach("RUNNING")
    call("exists", connector.exists)
    call("connectors", lambda: sorted(cluster.connectors))
    call("connector_class", lambda: connector.connector_class == config["connector.class"])
    call("status", lambda: connector.status)
    call("tasks", lambda: [[task.id, task.state, task.is_running()] for task in connector.tasks])
    call("restart", connector.restart)
    call("restart_all_tasks", connector.restart_all_tasks)
    reach("RUNNING")
    call("cycle_connector", connector.cycle_connector)
    reach("RUNNING")
    call("pause", connector.pause)
    reach("PAUSED")
    call("state", lambda: connector.state)
    call("a wrong config", lambda: setattr(connector, "config", {**config, "tasks.max": "0"}))
    call("root_logger", lambda: cluster.root_logger)
    call("set root_logger", lambda: setattr(cluster, "root_logger", "WARN"))
    call("root_logger", lambda: cluster.root_logger["level"])
    call("set_logger_log_level", lambda: cluster.set_logger_log_level("root", "INFO"))
    call("delete", connector.delete)
    call("exists no more", connector.exists)


main()
