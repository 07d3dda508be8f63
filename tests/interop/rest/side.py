# SPDX-License-Identifier: Apache-2.0
"""A worker that is asked over REST: Connect's or sluice."""
import json
import urllib.error
import urllib.request

from harness import wait


class Side:
    """One of the two: where it answers, and a sink's and a broken sink's configuration there."""

    def __init__(self, name, url, plugin, config):
        self.name, self.url, self.plugin, self.config = name, url, plugin, config

    def ask(self, method, path, body=None, text=None, headers=None):
        """Status, parsed body or text, headers."""
        data = text.encode() if text is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data,
                                         headers={"Content-Type": "application/json", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status, raw, got = answer.status, answer.read(), answer.headers
        except urllib.error.HTTPError as refused:
            status, raw, got = refused.code, refused.read(), refused.headers
        try:
            return status, json.loads(raw) if raw else None, got
        except ValueError:
            return status, raw.decode(errors="replace"), got

    def wait_state(self, connector, state, tasks):
        def reached():
            status, body, _ = self.ask("GET", f"/connectors/{connector}/status")
            return status == 200 and body["connector"]["state"] == state and len(body["tasks"]) == tasks and \
                all(task["state"] == state for task in body["tasks"])
        wait.until(reached, f"{connector} to be {state} at {self.name}", 60)
