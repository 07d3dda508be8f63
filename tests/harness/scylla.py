# SPDX-License-Identifier: Apache-2.0
"""
The ScyllaDB cluster of a test: our simulator, or a real one when SLUICE_TEST_SCYLLA names it as host:port or
host:port:user:password (keyspaces of our names are dropped and made anew; orders and kills are ours alone).
"""
import json
import os
import pathlib
import re
import signal
import subprocess

from . import process, wait

PROGRAM = "sim/scylla/sluice-sim-scylla"


class Scylla:
    """
    start() returns the object; stop(), kill() (as a power cut), restart() (kill and start on the same state and ports),
    ctl("fail overload next 3"), stats(), session() (a cassandra-driver session), execute(), script().
    """

    def __init__(self, folder, build, nodes=1, shards=2, user=None, password=None, tls=False, arguments=()):
        self.folder = pathlib.Path(folder)
        self.program = pathlib.Path(build) / PROGRAM
        self.nodes, self.shards, self.tls = nodes, shards, tls
        self.user, self.password = user, password
        self.arguments = [str(a) for a in arguments]
        self.host, self.port, self.hosts = "127.0.0.1", 0, ["127.0.0.1"]
        self.process = None
        self._clusters = []
        self.real = os.environ.get("SLUICE_TEST_SCYLLA")
        if self.real:
            parts = self.real.split(":", 3)
            self.host, self.port, self.hosts = parts[0], int(parts[1]), [parts[0]]
            if len(parts) == 4:
                self.user, self.password = parts[2:]

    @property
    def cert(self):
        return self.folder / "state/tls-cert.pem"

    def start(self, detached=False):
        if self.real:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "simulator.log"
        log.unlink(missing_ok=True)
        self.process = process.Process(
            [self.program, "--listen", f"{self.host}:{self.port}", "--state", self.folder / "state", "--nodes",
             self.nodes, "--shards", self.shards, "--control", self.folder / "control",
             *(["--auth"] if self.user else []), *(["--tls"] if self.tls else []), *self.arguments],
            log, detached=detached)
        found = wait.until(self._listening, "the simulator to listen")
        self.hosts, self.port = [host for host, _ in found], int(found[0][1])
        return self

    def _listening(self):
        if not self.process.running():
            raise AssertionError(f"the simulator ended:\n{self.process.output()}")
        found = re.findall(r"^listening on ([\d.]+):(\d+)$", self.process.output(), re.M)
        return found if len(found) == self.nodes else None

    def stop(self):
        self._hang_up()
        if self.process:
            return self.process.stop()
        return 0

    def kill(self):
        if self.process:
            self.process.kill()

    def restart(self):
        self.kill()
        return self.start()

    def pause(self):
        """The whole process stands still, as a machine that hangs."""
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def ctl(self, order):
        """An order, e.g. "node 1 down", "fail overload next 3", "generation new"; the text of its answer."""
        done = subprocess.run([self.program, "ctl", self.folder / "control", order], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"order {order!r}: {done.stdout}{done.stderr}"
        return done.stdout.strip().removeprefix("ok").strip()

    def stats(self):
        """{"opcodes": {"EXECUTE": n, ...}, "statements": {"select ks.t": n, ...}, "connections": n, ...}"""
        return json.loads(self.ctl("stats"))

    def cluster(self, hosts=None, **more):
        """A cluster object of the packaged driver, or of whichever is installed; the caller shuts it down."""
        from cassandra.auth import PlainTextAuthProvider
        from cassandra.cluster import Cluster
        if self.user:
            more.setdefault("auth_provider", PlainTextAuthProvider(self.user, self.password))
        if self.tls:
            import ssl
            context = ssl.create_default_context(cafile=str(self.cert))
            context.check_hostname = False
            more.setdefault("ssl_context", context)
        more.setdefault("protocol_version", 4)
        return Cluster(hosts or self.hosts[:1], port=self.port, **more)

    def session(self, **more):
        """A session that ends with stop()."""
        made = self.cluster(**more)
        self._clusters.append(made)
        return made.connect()

    def execute(self, cql, *values):
        """Run one statement on a connection of its own; the list of its rows."""
        made = self.cluster()
        try:
            return list(made.connect().execute(cql, values or None))
        finally:
            made.shutdown()

    def script(self, text):
        """Run statements that end in ';' at the end of a line."""
        made = self.cluster()
        try:
            session = made.connect()
            for statement in re.split(r";\s*(?:\n|$)", re.sub(r"(?m)^\s*--.*$", "", text)):
                if statement.strip():
                    session.execute(statement)
        finally:
            made.shutdown()

    def _hang_up(self):
        for made in self._clusters:
            made.shutdown()
        self._clusters.clear()
