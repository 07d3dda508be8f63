# SPDX-License-Identifier: Apache-2.0
"""A worker that is asked over REST: Connect's or sluice."""
from harness import rest, wait


class Side:
    """One of the two: where it answers, and a sink's and a broken sink's configuration there."""

    def __init__(self, name, url, plugin, config):
        self.name, self.url, self.plugin, self.config = name, url, plugin, config

    def ask(self, method, path, body=None, text=None, headers=None):
        return rest.ask(self.url, method, path, body, headers, text)

    def wait_state(self, connector, state, tasks):
        def reached():
            status, body, _ = self.ask("GET", f"/connectors/{connector}/status")
            return status == 200 and body["connector"]["state"] == state and len(body["tasks"]) == tasks and \
                all(task["state"] == state for task in body["tasks"])
        wait.until(reached, f"{connector} to be {state} at {self.name}", 60)
