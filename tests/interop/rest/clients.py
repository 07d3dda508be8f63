# SPDX-License-Identifier: Apache-2.0
"""kafka-connect-py drives one worker; a JSON line a call says what it made of the answer. clients.py URL CONFIG.json"""
import json
import sys
import time

from kafka_connect import KafkaConnect


def main():
    client = KafkaConnect(url=sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        config = json.load(file)

    def call(name, *arguments, **more):
        try:
            print(json.dumps([name, getattr(client, name)(*arguments, **more)]), flush=True)
        except Exception as refused:  # what a caller of the client would see
            print(json.dumps([name, type(refused).__name__]), flush=True)

    def reach(state):
        status = {}
        for _ in range(600):
            try:
                status = client.get_connector_status("py")
            except Exception:  # the status comes a moment after the connector
                status = {}
            tasks = status.get("tasks", [])
            if status.get("connector", {}).get("state") == state and all(t["state"] == state for t in tasks) and \
                    (state == "STOPPED") == (not tasks):
                return
            time.sleep(0.1)
        sys.exit(f"never {state}: {status}")

    call("get_cluster_info")
    call("list_connector_plugins")
    call("validate_connector_config", config["connector.class"], {**config, "name": "py"})
    call("create_connector", {"name": "py", "config": config})
    reach("RUNNING")
    call("list_connectors")
    call("list_connectors", expand="status")
    call("get_connector", "py")
    call("get_connector_config", "py")
    call("get_connector_status", "py")
    call("list_connector_tasks", "py")
    call("get_connector_task_status", "py", 0)
    call("list_connector_topics", "py")
    call("reset_connector_topics", "py")
    call("restart_connector", "py")
    call("restart_connector_task", "py", 0)
    call("pause_connector", "py")
    reach("PAUSED")
    call("resume_connector", "py")
    reach("RUNNING")
    call("update_connector", "py", {**config, "tasks.max": "1"})
    call("stop_connector", "py")
    reach("STOPPED")
    call("delete_connector", "py")
    call("get_connector", "py")


main()
