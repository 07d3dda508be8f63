# SPDX-License-Identifier: Apache-2.0
"""The built-in schema registry as it is served: over a restart, and against input that means no good."""
import contextlib
import http.client
import json

import pytest

from harness import sluice, wait
from harness.postgres import free_port

RECORD = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'


class Registry:
    def __init__(self, folder, build):
        self.port = free_port()
        self.sluice = sluice.Sluice(folder, build, {"sluice.registry.listeners": f"http://127.0.0.1:{self.port}"})

    def start(self):
        self.sluice.start()
        wait.until(self.answers, "the registry to be served")
        return self

    def answers(self):
        try:
            return self.ask("GET", "/") == (200, {})
        except ConnectionRefusedError:
            return False

    def ask(self, method, path, body=None, kind="application/vnd.schemaregistry.v1+json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body if isinstance(body, (bytes, type(None))) else json.dumps(body), {"Content-Type": kind})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None


@pytest.fixture
def registry(tmp_path, build):
    served = Registry(tmp_path / "sluice", build).start()
    yield served
    served.sluice.kill()


def test_ids_and_settings_outlive_a_restart(registry):
    assert registry.ask("POST", "/subjects/s/versions", {"schema": RECORD}) == (200, {"id": 1})
    assert registry.ask("PUT", "/config/s", {"compatibility": "FULL"}) == (200, {"compatibility": "FULL"})
    assert registry.ask("DELETE", "/subjects/s") == (200, [1])
    registry.sluice.kill()
    registry.start()
    assert registry.ask("GET", "/subjects") == (200, [])
    assert registry.ask("GET", "/subjects?deleted=true") == (200, ["s"])
    assert registry.ask("GET", "/config/s") == (200, {"compatibilityLevel": "FULL"})
    assert registry.ask("POST", "/subjects/t/versions", {"schema": '"int"'}) == (200, {"id": 2})
    assert registry.sluice.stop() == 0


@pytest.mark.parametrize("path, status, code", [
    ("/subjects/none/versions", 404, 40401), ("/subjects/s/versions/9", 404, 40402), ("/schemas/ids/77", 404, 40403),
    ("/subjects/s/versions/zero", 422, 42202), ("/subjects/s/versions/-2", 422, 42202), ("/config/none", 404, 40408),
    ("/mode/none", 404, 40409), ("/schemas/ids/1;drop", 404, 40403), ("/nowhere", 404, 404),
])
def test_what_is_not_there_has_confluents_code(registry, path, status, code):
    registry.ask("POST", "/subjects/s/versions", {"schema": RECORD})
    answered, body = registry.ask("GET", path)
    assert (answered, body["error_code"]) == (status, code), body


def test_subjects_in_contexts_are_taken_by_their_whole_names(registry):
    path = "/subjects/%3A.team%3Aorders-value/versions"
    assert registry.ask("POST", path, {"schema": RECORD}) == (200, {"id": 1})
    assert registry.ask("POST", "/subjects/orders-value/versions", {"schema": '"int"'}) == (200, {"id": 2})
    assert registry.ask("GET", f"{path}/latest")[1]["subject"] == ":.team:orders-value"
    assert registry.ask("GET", "/contexts") == (200, [".", ".team"])
    assert registry.ask("GET", "/subjects?subjectPrefix=:.team:") == (200, [":.team:orders-value"])
    assert registry.ask("GET", "/schemas/ids/1?subject=:.team:orders-value")[1]["schema"] == RECORD


def test_hostile_bodies_are_refused_and_the_registry_goes_on(registry):
    deep = "[" * 200000
    nested = '{"type":"array","items":' * 5000 + '"int"' + "}" * 5000
    wide = json.dumps({"type": "record", "name": "W", "fields": [{"name": f"f{i}", "type": "int"} for i in range(30000)]})
    for body in [b"", b"{", b"null", b"[]", b"\xff\xfe", deep.encode(), {"schema": deep}, {"schema": nested}, {"schema": wide},
                 {"schema": 5}, {"schema": RECORD, "references": [{"name": "x", "subject": "s", "version": 10 ** 30}]},
                 {"schema": RECORD, "references": [5, None, {}]}, b'{"schema":"' + b"x" * (3 << 20) + b'"}']:
        status, answer = registry.ask("POST", "/subjects/bad/versions", body)
        assert status in (400, 422), (str(body)[:80], status, answer)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it does not wait for the rest
        assert registry.ask("POST", "/subjects/bad/versions", b'"' + b"x" * (5 << 20) + b'"')[0] == 413
    assert registry.ask("GET", "/subjects?deleted=true") == (200, [])
    assert registry.ask("POST", "/subjects/s/versions", {"schema": RECORD}) == (200, {"id": 1})


def test_a_port_that_is_taken_is_an_error_when_it_was_asked_for_and_a_warning_when_not(registry, tmp_path, build):
    other = sluice.Sluice(tmp_path / "other", build, {"sluice.registry.listeners": f"http://127.0.0.1:{registry.port}"})
    done = other.command("run", other.worker, check=False)
    assert done.returncode == 1 and "sluice.registry.listeners" in done.stderr and str(registry.port) in done.stderr
