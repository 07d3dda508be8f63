# SPDX-License-Identifier: Apache-2.0
"""CQL's clients from their registries, pinned, fetched once and cached. A client that cannot be had is a failure."""
import os
import pathlib
import shutil

from harness.fetch import jars, once, run
from harness.java import JAVA

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = {"cassandra-driver": "3.30.1", "scylla-driver": "3.29.12"}
GO_IMPORT = {"gocql1": '"github.com/gocql/gocql"', "gocql2": 'gocql "github.com/apache/cassandra-gocql-driver/v2"'}


def python_client(cache, name):
    """The Python of an environment with one of the two drivers, which have the same import name."""
    wanted = f"{name}=={PYTHON[name]} lz4==4.4.5"

    def make(folder):
        run(["/usr/bin/python3", "-m", "venv", folder])
        run([folder / "bin/pip", "install", "-q", *wanted.split()])
    return [once(cache / "scylla-clients" / name, wanted, make) / "bin/python", HERE / "client.py"]


def java_client(cache, name):
    def make(folder):
        run(["javac", "-cp", jars(HERE / name, folder, cache), "-d", folder / "classes", HERE / "Client.java"])
    stamp = (HERE / name / "pom.xml").read_text() + (HERE / "Client.java").read_text()
    folder = once(cache / "scylla-clients" / name, stamp, make)
    return [*JAVA, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{folder}/classes:{folder}/libs/*", "Client"]


def go_client(cache, name):
    """Our client with one of gocql's versions; go.sum pins every module's hash."""
    files = [HERE / name / f for f in ("go.mod", "go.sum", "version.go")]
    source = (HERE / "client.go").read_text().replace(GO_IMPORT["gocql1"], GO_IMPORT[name])

    def make(folder):
        for file in files:
            shutil.copy(file, folder)
        (folder / "client.go").write_text(source)
        run(["go", "build", "-p", "2", "-o", "client", "."], cwd=folder,
            env={**os.environ, "GOMODCACHE": str(cache / "gomod"), "GOFLAGS": "-modcacherw -mod=readonly"})
    stamp = source + "".join(f.read_text() for f in files)
    return [once(cache / "scylla-clients" / name, stamp, make) / "client"]


def program(cache, name):
    """How a client is started."""
    if name == "debian-driver":
        return ["/usr/bin/python3", HERE / "client.py"]
    if name in PYTHON:
        return python_client(cache, name)
    return go_client(cache, name) if name in GO_IMPORT else java_client(cache, name)
