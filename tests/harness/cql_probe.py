# SPDX-License-Identifier: Apache-2.0
"""cql-probe at the end of a pipe."""
import json
import subprocess


class Refused(Exception):
    """The client answered with an error."""

    def __init__(self, answer):
        super().__init__(answer["error"])
        self.rc, self.kind, self.native = answer.get("rc"), answer.get("kind"), answer.get("native")


class Probe:
    def __init__(self, build, port=0, **options):
        self.process = subprocess.Popen([str(build / "tests/unit/net/cql/cql-probe")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.settings = {"contact_points": f"127.0.0.1:{port}", "deadline_ms": 20000, **options}

    def send(self, op, **more):
        self.process.stdin.write(json.dumps({"op": op, **more}) + "\n")
        self.process.stdin.flush()

    def receive(self):
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise Refused(answer)
        return answer

    def ask(self, op, **more):
        self.send(op, **more)
        return self.receive()

    def connect(self, **more):
        return self.ask("connect", **{**self.settings, **more})

    def run(self, cql):
        return self.ask("run", cql=cql)

    def rows(self, cql, **more):
        return self.ask("query", cql=cql, **more)["rows"]

    def close(self):
        self.process.stdin.close()
        return self.process.wait(timeout=20)
