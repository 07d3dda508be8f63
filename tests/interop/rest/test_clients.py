# SPDX-License-Identifier: Apache-2.0
"""
Clients from PyPI, npm and Maven Central drive a Connect worker and sluice with the same calls; what they make of the
answers has to be the same. (kcctl's calls are those of calls.py; no Go client is served by the module proxy.)
"""
import json
import os
import pathlib

import pytest

from harness import fetch, sluice
from harness.java import JAVA

HERE = pathlib.Path(__file__).resolve().parent
NODE_CLIENT = "kafka-connect-client@2.3.0"


def shape(value):
    if isinstance(value, dict):
        return {key: shape(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


OF_THE_USER = {  # answers whose keys or values are those of the two configurations, which differ
    "get_connector_config", "get_connector", "update_connector", "create_connector", "list_connector_tasks",
    "createConnector", "getConnectors expanded", "get", "getConfig", "getTasks", "updateConfig"}
OF_THE_PROGRAM = {"list_connector_plugins", "validate_connector_config", "getConnectorPlugins", "getConnectorPlugins all",
                  "validateConnectorConfig"}


@pytest.fixture(scope="module")
def python(cache):
    def make(folder):
        fetch.run(["/usr/bin/python3", "-m", "venv", folder])
        fetch.run([folder / "bin/pip", "install", "-q", "-r", HERE / "requirements.txt"])
    return fetch.once(cache / "connect-clients/python", (HERE / "requirements.txt").read_text(), make) / "bin/python"


def both(connect, ours, tmp_path, command, env=None):
    """What the client says of each side's answers: a list of lists, its first the call's name."""
    for side in (connect, ours):
        (tmp_path / "config.json").write_text(json.dumps(side.config))
        lines = fetch.run([*command, side.url, tmp_path / "config.json"], env=env).splitlines()
        yield [json.loads(line) for line in lines if line.startswith("[")]


def assert_the_same(theirs, mine):
    assert len(theirs) == len(mine) > 20
    for (name, *his), (same, *my) in zip(theirs, mine):
        assert name == same
        if name in OF_THE_PROGRAM:
            his, my = ([shape(each[:1] if isinstance(each, list) else each) for each in answer] for answer in (his, my))
        elif name in OF_THE_USER:
            his, my = ([each if isinstance(each, int) else type(each).__name__ for each in answer] for answer in (his, my))
        else:
            his, my = ([each if isinstance(each, (int, str)) and len(answer) > 1 else shape(each) for each in answer]
                       for answer in (his, my))
        assert his == my, name


def test_kafka_connect_py_sees_the_same(connect, ours, python, tmp_path):
    assert_the_same(*both(connect, ours, tmp_path, [python, HERE / "clients.py"]))


def test_kafka_connect_api_sees_the_same(connect, ours, python, tmp_path):
    theirs, mine = both(connect, ours, tmp_path, [python, HERE / "objects.py"])
    assert_the_same(theirs, mine)
    for name, said in (("exists not", "GenericNotFound"), ("exists", True), ("connector_class", True),
                       ("exists no more", "GenericNotFound"), ("tasks", [[0, "RUNNING", True]]), ("state", "PAUSED")):
        assert [name, said] in theirs and [name, said] in mine, name


def test_the_node_client_sees_the_same(connect, ours, cache, tmp_path):
    folder = fetch.once(cache / "connect-clients/node", NODE_CLIENT, lambda folder: fetch.run(
        ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", NODE_CLIENT], cwd=folder))
    assert_the_same(*both(connect, ours, tmp_path, ["node", HERE / "client.js"],
                          env={**os.environ, "NODE_PATH": str(folder / "node_modules")}))


def test_the_java_client_sees_the_same(connect, ours, cache, tmp_path):
    def make(folder):
        classes = fetch.jars(pom, folder, cache)
        fetch.run(["javac", "-cp", classes, "-d", folder, HERE / "Client.java"])
    pom = tmp_path / "pom"
    pom.mkdir()
    (pom / "pom.xml").write_text((HERE / "pom.xml").read_text())
    stamp = (HERE / "pom.xml").read_text() + (HERE / "Client.java").read_text()
    folder = fetch.once(cache / "connect-clients/java", stamp, make)
    seen = []
    for side in (connect, ours):
        config = sluice.write_properties(tmp_path / "config.properties", side.config)
        output = fetch.run([*JAVA, "-Xmx128m", "-cp", f"{folder}/libs/*:{folder}", "Client",
                            side.url, config])
        seen.append([line for line in output.splitlines() if not line.startswith("SLF4J")])
    assert len(seen[0]) > 18 and "gone ResourceNotFoundException" in seen[0]
    assert seen[1] == seen[0]
