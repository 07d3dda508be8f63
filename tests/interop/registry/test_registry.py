# SPDX-License-Identifier: Apache-2.0
"""Confluent's Python client uses our registry; our client uses Apicurio's, and bears with bad ones."""
import base64
import json
import subprocess

import pytest

import registries
from harness import fetch

RECORD = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
WIDER = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}'


@pytest.fixture(scope="module")
def ours(build, tmp_path_factory):
    with registries.Ours(tmp_path_factory.mktemp("ours"), build) as server:
        yield server


@pytest.fixture(scope="module")
def apicurio(cache, tmp_path_factory):
    with registries.Apicurio(tmp_path_factory.mktemp("apicurio"), cache) as server:
        yield server


@pytest.fixture(scope="session")
def confluent_python(cache):
    """A Python with confluent-kafka in it."""
    wanted = registries.HERE / "requirements.txt"

    def make(folder):
        fetch.run(["/usr/bin/python3", "-m", "venv", folder])
        fetch.run([folder / "bin/pip", "install", "-q", "-r", wanted])
    return fetch.once(cache / "confluent-python", wanted.read_text(), make) / "bin/python"


def test_confluents_python_client_registers_and_reads_with_our_registry(ours, confluent_python):
    done = subprocess.run([confluent_python, registries.HERE / "python_client.py", ours.url], capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert seen["bytes"] == "00000000010e"
    assert seen["two bytes"] == "00000000020e020278"
    assert seen["back"] == {"a": 7, "b": "x"}
    assert seen["other subject"] == 1
    assert seen["versions"] == [1, 2] and seen["latest"] == 2 and seen["lookup"] == 1
    assert seen["compatible"] is True and seen["incompatible"] is False
    assert seen["refused"][:2] == [409, 409] and "'c' at path '/fields/1'" in seen["refused"][2]
    assert seen["no subject"][:2] == [404, 40401] and seen["no schema"][:2] == [404, 40403]
    assert seen["config"] == "BACKWARD" and seen["own config"] == "NONE"
    assert seen["now allowed"] == 3
    assert seen["reference back"] == {"part": {"n": 5}}
    assert seen["referenced"][:2] == [422, 42206]
    assert seen["deleted"] == 1 and seen["versions after"] == [2, 3] and seen["deleted for ever"] == 1
    assert seen["deleted subject"] == [2, 3]
    assert seen["subjects"] == ["other-value", "parts", "wholes-value"]
    assert seen["again"] == 2, "the same text has the same id, whatever was deleted"


def test_ids_and_texts_are_apicurios(build, apicurio):
    settings = {"schema.registry.url": apicurio.url}
    first, again, found, text, latest, missing, unknown = registries.client(build, settings, [
        ("register", "our orders-value", RECORD), ("register", "our orders-value", RECORD),
        ("look_up", "our orders-value", RECORD), ("id", "1"), ("latest", "our orders-value"),
        ("latest", "nobody"), ("id", "4711")])
    assert first == again == found == "id 1"
    assert json.loads(text.removeprefix("text ")) == json.loads(RECORD)
    assert latest.startswith("version 1 id 1 {")
    assert missing.startswith("error NOT_FOUND ") and unknown.startswith("error NOT_FOUND ")


def test_apicurios_own_explanation_of_an_incompatible_schema_is_told(build, apicurio):
    settings = {"schema.registry.url": apicurio.url}
    assert registries.ask(apicurio.url + "/config/strict-value", "PUT", {"compatibility": "BACKWARD"})[0] == 200
    first, refused = registries.client(build, settings, [("register", "strict-value", RECORD), ("register", "strict-value", WIDER)])
    assert first.startswith("id "), first
    assert refused.startswith("error DATA ") and "409" in refused, refused


def test_the_next_address_is_asked_when_one_is_down(build, ours):
    settings = {"schema.registry.url": f"http://127.0.0.1:9,{ours.url}", "max.retries": "0"}
    first, second = registries.client(build, settings, [("register", "failover-value", RECORD), ("latest", "failover-value")])
    assert first.startswith("id ") and second.startswith("version 1 ")


def test_a_server_that_stumbles_is_asked_again_and_one_that_stays_down_is_told(build):
    def stumble(method, path, headers, body):
        return (503, {"error_code": 50001, "message": "not yet"}) if len(server.seen) < 3 else (200, {"id": 12})

    with registries.Scripted(stumble) as server:
        assert registries.client(build, {"schema.registry.url": server.url, "retries.wait.ms": "20"},
                                 [("register", "s", RECORD)]) == ["id 12"]
        assert len(server.seen) == 3
    with registries.Scripted(lambda *_: (500, {"error_code": 50001, "message": "the disk is on fire"})) as server:
        told = registries.client(build, {"schema.registry.url": server.url, "max.retries": "1", "retries.wait.ms": "20"},
                                 [("register", "s", RECORD)])[0]
        assert told.startswith("error BUSY the disk is on fire") and len(server.seen) == 2
    told = registries.client(build, {"schema.registry.url": server.url, "max.retries": "1", "retries.wait.ms": "20"},
                             [("register", "s", RECORD)])[0]
    assert told.startswith("error CONNECT "), told


@pytest.mark.parametrize("settings, header", [
    ({"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "me:pass:word"}, "me:pass:word"),
    ({"basic.auth.credentials.source": "SASL_INHERIT",
      "sasl.jaas.config": 'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="secret";'},
     "me:secret"),
    ({"schema.registry.basic.auth.credentials.source": "USER_INFO", "schema.registry.basic.auth.user.info": "a:b"}, "a:b"),
    ({"bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.token": "tok.en"}, None),
    ({}, "in:the url"),
])
def test_logins_are_sent_as_configured(build, settings, header):
    with registries.Scripted(lambda *_: (200, {"id": 1})) as server:
        url = server.url.replace("://", "://in:the%20url@") if not settings else server.url
        assert registries.client(build, {"schema.registry.url": url, **settings}, [("register", "s", RECORD)]) == ["id 1"]
        sent = server.seen[0][2]["Authorization"]
    expected = "Bearer tok.en" if header is None else "Basic " + base64.b64encode(header.encode()).decode()
    assert sent == expected


def test_a_refused_login_is_told_and_not_tried_again(build):
    with registries.Scripted(lambda *_: (401, {"error_code": 401, "message": "Unauthorized"})) as server:
        told = registries.client(build, {"schema.registry.url": server.url}, [("register", "s", RECORD)])[0]
        assert told.startswith("error AUTH ") and "HINT" in told and len(server.seen) == 1


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[", b"{}", b'{"id":"x"}', b'{"id":-1}', b'{"id":99999999999}', b"[" * 100000])
def test_answers_that_make_no_sense_are_errors(build, answer):
    with registries.Scripted(lambda *_: (200, answer)) as server:
        told = registries.client(build, {"schema.registry.url": server.url}, [("register", "s", RECORD), ("id", "5"), ("latest", "s")])
    assert all(line.startswith("error ") for line in told) and len(told) == 3, told


def test_our_client_and_our_registry_agree(build, ours):
    part = '{"type":"record","name":"Part","namespace":"shop","fields":[]}'
    whole = '{"type":"record","name":"Whole","namespace":"shop","fields":[{"name":"part","type":"Part"}]}'
    assert ours.ask("/subjects/p/versions", "POST", {"schema": part})[0] == 200
    status, made = ours.ask("/subjects/w-value/versions", "POST", {
        "schema": whole, "references": [{"name": "shop.Part", "subject": "p", "version": 1}]})
    assert status == 200, made
    text, before = registries.client(build, {"schema.registry.url": ours.url}, [("id", str(made["id"]))])
    assert text == f"text {whole}" and before == f"before {part}"
    odd = "a/b c%d?e"
    first, second = registries.client(build, {"schema.registry.url": ours.url}, [("register", odd, RECORD), ("look_up", odd, RECORD)])
    assert first == second and first.startswith("id ")
    assert odd in ours.ask("/subjects")[1]
