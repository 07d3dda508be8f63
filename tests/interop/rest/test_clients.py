# SPDX-License-Identifier: Apache-2.0
"""
Clients from PyPI and Maven Central drive a Connect worker and sluice with the same calls; what they make of the answers
has to be the same. (kcctl's calls are those of test_same_answers.py; no Go client is served by the module proxy.)
"""
import json
import pathlib

from harness import fetch, sluice

HERE = pathlib.Path(__file__).resolve().parent


def shape(value):
    if isinstance(value, dict):
        return {key: shape(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def test_kafka_connect_py_sees_the_same(connect, ours, cache, tmp_path):
    def make(folder):
        fetch.run(["/usr/bin/python3", "-m", "venv", folder])
        fetch.run([folder / "bin/pip", "install", "-q", "-r", HERE / "requirements.txt"])
    python = fetch.once(cache / "connect-clients/python", (HERE / "requirements.txt").read_text(), make) / "bin/python"
    seen = []
    for side in (connect, ours):
        (tmp_path / "config.json").write_text(json.dumps(side.config))
        lines = fetch.run([python, HERE / "clients.py", side.url, tmp_path / "config.json"]).splitlines()
        seen.append([json.loads(line) for line in lines if line.startswith("[")])
    theirs, mine = seen
    assert len(theirs) == len(mine) > 20
    for (name, his), (same, my) in zip(theirs, mine):
        assert name == same
        if name == "list_connector_plugins" or name == "validate_connector_config":
            his, my = (shape(his if isinstance(his, dict) else his[:1]), shape(my if isinstance(my, dict) else my[:1]))
        elif name in ("get_connector_config", "get_connector", "update_connector", "create_connector",
                      "list_connector_tasks"):
            his, my = type(his).__name__, type(my).__name__
        else:
            his, my = shape(his), shape(my)
        assert his == my, name


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
        output = fetch.run(["java", "-XX:+UseSerialGC", "-Xmx128m", "-cp", f"{folder}/libs/*:{folder}", "Client",
                            side.url, config])
        seen.append([line for line in output.splitlines() if not line.startswith("SLF4J")])
    assert len(seen[0]) > 18 and "gone ResourceNotFoundException" in seen[0]
    assert seen[1] == seen[0]
