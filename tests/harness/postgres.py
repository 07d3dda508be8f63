# SPDX-License-Identifier: Apache-2.0
"""A real PostgreSQL cluster of our own, in a scratch folder. PostgreSQL refuses to run as root: then user postgres runs it."""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess

import psycopg2


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _binaries():
    for version in ("17", "16", "15"):
        folder = pathlib.Path(f"/usr/lib/postgresql/{version}/bin")
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    if not found:
        raise RuntimeError("no PostgreSQL server is installed; run tools/install-deps")
    return pathlib.Path(found).resolve().parent


class Postgres:
    user = "postgres"
    password = "secret-of-postgres"

    def __init__(self, folder, settings=None):
        self.folder = pathlib.Path(folder).resolve()
        self.data = self.folder / "data"
        self.settings = {"fsync": "on", "logging_collector": "off", **(settings or {})}
        self.port = free_port()
        self.bin = _binaries()
        self.host = "127.0.0.1"

    def _run(self, *arguments):
        command = [str(a) for a in arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}")

    def create(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self._open_path()
        secret = self.folder / "password"
        secret.write_text(self.password)
        if os.geteuid() == 0:
            shutil.chown(secret, "postgres", "postgres")
        self._run(self.bin / "initdb", "-D", self.data, "-U", self.user, "--pwfile", secret, "-A", "scram-sha-256",
                  "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        return self

    def _open_path(self):
        """User postgres must be able to walk to the folder."""
        for parent in self.folder.parents:
            if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)

    def start(self):
        options = [f"-c {name}={value}" for name, value in self.settings.items()]
        options += [f"-p {self.port}", "-h 127.0.0.1", f"-k {self.folder}"]
        # pg_ctl hands its output on to the server: a file, or whoever reads our output waits for ever.
        self._run(self.bin / "pg_ctl", "-D", self.data, "-w", "-t", "60", "-s", "-l", self.folder / "server.log",
                  "-o", " ".join(options), "start")
        return self

    def stop(self, mode="fast"):
        self._run(self.bin / "pg_ctl", "-D", self.data, "-w", "-s", "-m", mode, "stop")

    def running(self):
        return (self.data / "postmaster.pid").exists()

    def close(self):
        if self.running():
            with contextlib.suppress(RuntimeError):
                self.stop("immediate")

    def connect(self, database="postgres"):
        connection = psycopg2.connect(host=self.host, port=self.port, user=self.user, password=self.password,
                                      dbname=database)
        connection.autocommit = True
        return connection

    def try_login(self, user, password):
        """Raises what the server says when it does not let this user in."""
        psycopg2.connect(host=self.host, port=self.port, user=user, password=password, dbname="postgres").close()

    def execute(self, sql, *parameters, database="postgres"):
        """Run statements on a connection of their own; rows of the last one, if it has any."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters or None)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def url(self, database):
        return f"jdbc:postgresql://{self.host}:{self.port}/{database}"
