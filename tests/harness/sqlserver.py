# SPDX-License-Identifier: Apache-2.0
"""
The SQL Server of a test: our simulator, or a real server when SLUICE_TEST_SQLSERVER names one as
host:port:user:password (its databases of our names are dropped and made anew).
"""
import os
import pathlib
import re
import subprocess

import pyodbc

from . import process, wait

pyodbc.pooling = False


class SqlServer:
    user = "sa"
    password = "Secret-of-sa1"

    def __init__(self, folder, build, capture_interval_ms=50, arguments=()):
        self.folder = pathlib.Path(folder)
        self.build = pathlib.Path(build)
        self.capture_interval_ms = capture_interval_ms
        self.arguments = list(arguments)
        self.host, self.port = "127.0.0.1", 0
        self.process = None
        self.real = os.environ.get("SLUICE_TEST_SQLSERVER")
        if self.real:
            self.host, port, self.user, self.password = self.real.split(":", 3)
            self.port = int(port)

    def start(self, detached=False):
        if self.real:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "simulator.log"
        log.unlink(missing_ok=True)
        self.process = process.Process(
            [self.build / "sim/sqlserver/sluice-sim-sqlserver", "--listen", f"127.0.0.1:{self.port}", "--state",
             self.folder / "state", "--sa-password", self.password, "--capture-interval-ms", self.capture_interval_ms,
             "--control", self.folder / "control", *self.arguments], log, detached=detached)
        line = wait.until(lambda: self._listening(), "the simulator to listen")
        self.port = int(line.group(1))
        return self

    def _listening(self):
        if not self.process.running():
            raise AssertionError(f"the simulator ended:\n{self.process.output()}")
        return re.search(r"listening on 127\.0\.0\.1:(\d+)", self.process.output())

    def stop(self):
        if self.process:
            self.process.stop()

    def kill(self):
        if self.process:
            self.process.kill()

    def control(self, command):
        """A fault on command, e.g. "cut after 1000", "capture stop"."""
        done = subprocess.run([self.build / "sim/sqlserver/sluice-sim-sqlserver", "ctl", self.folder / "control",
                               command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"control command {command!r}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def connect(self, database="master", autocommit=True):
        return pyodbc.connect(
            f"DRIVER={driver()};SERVER={self.host};PORT={self.port};UID={self.user};PWD={self.password};"
            f"DATABASE={database};TDS_Version=7.4;ClientCharset=UTF-8;PacketSize=32767", autocommit=autocommit)

    def execute(self, sql, *parameters, database="master"):
        """Run a batch on a connection of its own; rows of its last result set, if it has any."""
        connection = self.connect(database)
        try:
            return rows_of(connection.execute(sql, *parameters))
        finally:
            connection.close()

    def script(self, path, database="master"):
        """Run a file of batches separated by lines that say GO."""
        connection = self.connect(database)
        try:
            for batch in re.split(r"(?im)^\s*go\s*$", pathlib.Path(path).read_text()):
                if batch.strip():
                    rows_of(connection.execute(batch))
        finally:
            connection.close()

    def captured(self, database, instances):
        """True once the capture job has read everything that is committed: each change table holds still."""
        return [self.execute(f"SELECT COUNT(*) FROM cdc.[{i}_CT]", database=database)[0][0] for i in instances]


def rows_of(cursor):
    rows = None
    while True:
        if cursor.description:
            rows = cursor.fetchall()
        if not cursor.nextset():
            return rows


def driver():
    for path in ("/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so", "/usr/lib/aarch64-linux-gnu/odbc/libtdsodbc.so"):
        if os.path.exists(path):
            return path
    return "FreeTDS"
