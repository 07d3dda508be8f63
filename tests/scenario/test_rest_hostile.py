# SPDX-License-Identifier: Apache-2.0
"""
Hostile clients at both ports of a sluice that moves rows, Connect's REST API and the schema registry: all of it is
refused, an honest client is answered, memory stays bounded, and rows go on arriving while it lasts.
"""
import base64
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import socket
import threading
import time

import pytest

from harness import openbao, sluice, wait
from harness.postgres import free_port

DEPTH = 100_000
GROWTH_MIB = 96  # what an attack may cost: its connections, the bodies' budget (32 MiB), a parsed body


class Door:
    """One of the ports, and where a body goes there."""

    def __init__(self, port, method, path, kind, honest):
        self.port, self.method, self.path, self.kind, self.honest = port, method.encode(), path.encode(), kind.encode(), honest

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.request(method, path, body, {"Content-Type": self.kind.decode(), **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def send(self, data):
        """Send it all, or as much as is taken; the first line of the answer, or None."""
        with self.connect() as s:
            with contextlib.suppress(OSError):
                s.sendall(data)
            with contextlib.suppress(OSError):
                return s.recv(4096).split(b"\r\n")[0].decode() or None
        return None

    def head(self, more=b""):
        return self.method + b" " + self.path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + self.kind + b"\r\n" + more

    def request(self, body, more=b""):
        return self.head(more) + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def victim(tmp_path_factory, build, cluster):
    """A sluice with both ports, HTTPS too, and a full pipeline."""
    from harness import pipeline
    folder = tmp_path_factory.mktemp("hostile")
    ports = [free_port() for _ in range(3)]
    _, cert, key = openbao.certificate(folder / "tls")
    store = folder / "store.pem"
    store.write_text(cert.read_text() + key.read_text())
    url = f"http://127.0.0.1:{ports[0]}"
    made = pipeline.Pipeline(folder / "pipeline", build, cluster, ledger=False,
                             worker={"listeners": f"{url},https://127.0.0.1:{ports[2]}",
                                     "listeners.https.ssl.keystore.location": store,
                                     "sluice.registry.aliases": "http://schema-registry:8081",
                                     "sluice.registry.listeners": f"http://127.0.0.1:{ports[1]}",
                                     "config.providers": "file,env", "config.providers.file.class": "file",
                                     "config.providers.env.class": "env",
                                     "config.providers.env.param.allowlist.pattern": "ALLOWED_.*",
                                     "sluice.rest.request.ms": "4000", "sluice.rest.idle.ms": "4000"},
                             fill={"customers": 20, "products": 5, "orders": 40, "lines": 60})
    made.sluice.url = url
    made.doors = {"rest": Door(ports[0], "PUT", "/connectors/x/config", "application/json", "/connectors"),
                  "registry": Door(ports[1], "POST", "/subjects/x/versions", "application/vnd.schemaregistry.v1+json",
                                   "/subjects")}
    made.https_port = ports[2]
    # AddressSanitizer keeps what was freed, 256 MiB of it unless told otherwise: memory is what is judged here.
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8:thread_local_quarantine_size_kb=64"
    made.sluice.start(env={"HIDDEN_WORD": "a-word-of-the-environment", "ASAN_OPTIONS": sanitizer})
    wait.until(lambda: '"ready"' in made.sluice.output(), "sluice")
    made.wait_equal()
    yield made
    made.close()


@pytest.fixture(params=["rest", "registry"])
def door(victim, request):
    return victim.doors[request.param]


def resident_mib(victim):
    status = pathlib.Path(f"/proc/{victim.sluice.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


class Rows(threading.Thread):
    """Writes at the source and sees it arrive at the target, again and again."""

    def __init__(self, victim):
        super().__init__()
        self.victim, self.rounds, self.failure, self.stop = victim, 0, None, threading.Event()

    def run(self):
        try:
            while not self.rounds or not self.stop.is_set():
                self.victim.change(20)
                self.victim.wait_equal()
                self.rounds += 1
        except BaseException as failure:
            self.failure = failure


@contextlib.contextmanager
def undisturbed(victim):
    """While it lasts rows arrive; an honest client is answered at both ports, memory stays where it was."""
    before = resident_mib(victim)
    rows = Rows(victim)
    rows.start()
    try:
        yield rows
    finally:
        rows.stop.set()
        rows.join()
    assert not rows.failure, rows.failure
    for door in victim.doors.values():
        began = time.monotonic()
        assert door.ask("GET", door.honest)[0] == 200
        assert time.monotonic() - began < 5
    victim.sluice.assert_running()
    assert resident_mib(victim) - before < GROWTH_MIB


def refused(answer, *statuses):
    return answer is not None and answer.split()[1] in statuses


@pytest.mark.parametrize("text", [b"[" * DEPTH, b'{"a":' * DEPTH, b'{"config":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
                                  b'{"schema":' + b"[" * DEPTH, b'{"schema":"' + b"[" * DEPTH + b'"}',
                                  b'{"schema":' + json.dumps('{"type":"array","items":' * DEPTH).encode() + b"}"],
                         ids=["arrays", "objects", "closed", "schema", "text", "avro"])
def test_json_of_any_depth_is_refused(victim, door, text):
    with undisturbed(victim):
        assert refused(door.send(door.request(text)), "400", "422", "500"), text[:20]
        validate = Door(door.port, "PUT", "/connector-plugins/JdbcSinkConnector/config/validate", door.kind.decode(), "")
        assert refused(validate.send(validate.request(text)), "400", "404", "500")


def test_json_of_many_small_values_is_refused(victim, door):
    with undisturbed(victim):
        for _ in range(4):
            assert refused(door.send(door.request(b'{"a":[' + b"{}," * 1_300_000 + b"{}]}")), "400", "413", "422")


def test_a_gigabyte_is_not_read(victim, door):
    with undisturbed(victim):
        assert refused(door.send(door.head() + b"Content-Length: 1073741824\r\n\r\n"), "413")
        assert refused(door.send(door.head() + b"Content-Length: 99999999999999999999999\r\n\r\n"), "400", "413")
        with door.connect() as s:  # and one that does not say how much comes
            s.sendall(door.head() + b"Transfer-Encoding: chunked\r\n\r\n")
            sent, piece = 0, b"10000\r\n" + b" " * 65536 + b"\r\n"
            with contextlib.suppress(OSError):
                while sent < 1 << 30:
                    s.sendall(piece)
                    sent += 65536
            assert sent < 128 << 20


def test_a_small_body_that_unpacks_to_a_large_one_stays_small(victim, door):
    with undisturbed(victim):
        bomb = gzip.compress(b"[" * (100 << 20))
        assert refused(door.send(door.request(bomb, b"Content-Encoding: gzip\r\n")), "400", "415", "500")


def test_large_bodies_of_many_clients_at_once_share_a_budget(victim, door):
    """Clients send all of 4 MiB but the last byte, and wait: soon, and long before thirty, one is told to come later."""
    body, open_ones = b'{"a":"' + b"x" * ((4 << 20) - 8), []
    with undisturbed(victim):
        before = resident_mib(victim)
        for _ in range(30):
            s = door.connect()
            s.settimeout(1)
            open_ones.append(s)
            with contextlib.suppress(OSError):
                s.sendall(door.head() + b"Content-Length: 4194304\r\n\r\n" + body)
            answer = door.send(door.request(b"{" + b" " * 100_000))
            if refused(answer, "503"):  # the first ones' time is not over yet
                break
        assert resident_mib(victim) - before < GROWTH_MIB
        for s in open_ones:
            s.close()
    assert refused(answer, "503"), answer


def all_gone(sockets):
    left = 0
    for s in sockets:
        try:
            left += s.recv(65536) != b""
        except BlockingIOError:
            left += 1
        except OSError:
            pass
    return left == 0


def test_slow_clients_by_the_thousand_keep_nobody_out(victim, door):
    slow = []
    with undisturbed(victim) as rows:
        for number in range(2000):
            with contextlib.suppress(OSError):
                s = door.connect()
                s.setblocking(False)
                s.send(b"GET " + door.honest.encode() + b" HTTP/1.1\r\nHost: local" if number % 2 else
                       door.request(b"x" * 100_000)[:5000])
                slow.append(s)
            if number % 200 == 199:
                began = time.monotonic()
                assert door.ask("GET", door.honest)[0] == 200
                assert time.monotonic() - began < 5
        wait.until(lambda: all_gone(slow), "every slow client to be cut off", 90, 0.2)
    assert len(slow) > 500 and rows.rounds > 1
    for s in slow:
        s.close()


def test_handshakes_that_never_end_keep_nobody_out(victim):
    """At the HTTPS port: connections that say nothing, half a ClientHello, and HTTP in the clear."""
    slow = []
    with undisturbed(victim):
        for number in range(1500):
            with contextlib.suppress(OSError):
                s = socket.create_connection(("127.0.0.1", victim.https_port), timeout=10)
                s.setblocking(False)
                s.send((b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\n")[number % 3])
                slow.append(s)
        wait.until(lambda: all_gone(slow), "every half handshake to be cut off", 60, 0.2)
    assert len(slow) > 500
    for s in slow:
        s.close()


def test_answers_that_nobody_reads_are_not_kept(victim):
    """Two hundred clients ask for the largest answer a hundred times each and read nothing."""
    door, deaf = victim.doors["rest"], []
    asked = b"GET /connector-plugins/JdbcSinkConnector/config HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100
    with undisturbed(victim):
        for _ in range(200):
            with contextlib.suppress(OSError):
                s = door.connect()
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                s.setblocking(False)
                s.send(asked)
                deaf.append(s)
        wait.until(lambda: door.ask("GET", "/connectors")[0] == 200, "an honest client to be answered", 15)
    for s in deaf:
        s.close()


def test_a_flood_of_headers_and_a_long_line_are_refused(victim, door):
    with undisturbed(victim):
        flood = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(5000))
        assert refused(door.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + flood + b"\r\n"), "431")
        for line in (b"/" + b"a" * 1_000_000, b"/?" + b"a&" * 4000):
            answer = door.send(b"GET " + line + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert answer is None or answer.split()[1] in ("400", "414", "431"), answer


@pytest.mark.parametrize("data", [
    b"PUT TARGET HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
    b"PUT TARGET HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n"
    b"DELETE /connectors/sink HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT TARGET HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"PUT TARGET HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    b"PUT TARGET HTTP/1.1\r\nHost: localhost\r\nContent-Length : 5\r\n\r\nhello",
    b"PUT TARGET HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello",
    b"PUT TARGET HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
    b"PUT TARGET HTTP/1.1\r\n\r\n", b"PUT TARGET HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"GET /connectors/%2e%2e/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /connectors/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 1000 + b"\r\n\r\n",
])
def test_what_could_be_read_in_two_ways_is_refused(victim, door, data):
    answer = door.send(data.replace(b"TARGET", b"/connectors/sink/pause"))
    assert answer is None or answer.split()[1] in ("400", "403", "505"), answer
    assert "sink" in victim.sluice.rest("GET", "/connectors")[1]
    assert victim.sluice.rest("GET", "/connectors/sink/status")[1]["connector"]["state"] == "RUNNING"


def test_a_request_behind_a_refused_one_is_not_read(victim, door):
    """What a proxy took for the body of the first must not become a request."""
    hidden = b"DELETE /connectors/sink HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with undisturbed(victim):
        for more in (b"Content-Length: 5000000000\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                     b"Transfer-Encoding: xchunked\r\n"):
            with door.connect() as s:
                with contextlib.suppress(OSError):
                    s.sendall(door.head(more) + b"\r\n" + hidden)
                answers = b""
                with contextlib.suppress(OSError):
                    while (piece := s.recv(65536)):
                        answers += piece
            assert answers.count(b"HTTP/1.1 ") <= 1, answers
        assert "sink" in victim.sluice.rest("GET", "/connectors")[1]


def test_paths_lead_nowhere_but_to_what_is_served(victim, door):
    for path in ("/../../etc/passwd", "/connectors/../../../etc/passwd", "/connectors/..%2f..%2fetc%2fpasswd/config",
                 "/connectors/%252e%252e", "//connectors", "/connectors;x=1", "/CONNECTORS", "/subjects/../../etc/passwd",
                 "/subjects/..%2f..%2fetc%2fpasswd/versions", "/schemas/ids/../../../etc/passwd", "/metrics/../state"):
        answer = door.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert refused(answer, "404"), (path, answer)


def test_many_at_once_are_all_answered(victim, door):
    answers = []

    def ask():
        for _ in range(20):
            answers.append(door.ask("GET", door.honest + ("?expand=info&expand=status" if "conn" in door.honest else ""))[0])
    with undisturbed(victim):
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [200] * 400


# What a configuration may make the worker read, load or call

def asks_to_reach(victim, **settings):
    """A sink with these settings, put by REST: the status and the text of the answer."""
    config = {**victim._sink_config(), "name": "reach", **settings}
    status, answer, _ = victim.sluice.rest("PUT", "/connectors/reach/config", config)
    _, validated, _ = victim.sluice.rest("PUT", "/connector-plugins/JdbcSinkConnector/config/validate", config)
    assert (status == 400) == (validated["error_count"] > 0), (answer, validated)
    if status != 400:
        assert victim.sluice.rest("DELETE", "/connectors/reach")[0] == 204
    return status, json.dumps(answer) + json.dumps(validated)


@pytest.mark.parametrize("settings, told", [
    ({"connection.user": "${file:/etc/passwd:root}"}, "outside the folders that this config provider may read"),
    ({"connection.user": "${file:/run/secrets/../../etc/passwd:root}"}, ""),
    ({"connection.user": "${file:/proc/self/environ:HIDDEN_WORD}"}, "outside the folders"),
    ({"connection.user": "${env:HIDDEN_WORD}"}, "no such key"),
    ({"connection.sslrootcert": "/etc/shadow"}, "sluice.connector.files"),
    ({"connection.sslkey": "/proc/self/environ"}, "sluice.connector.files"),
    ({"value.converter": "io.confluent.connect.avro.AvroConverter", "value.converter.schema.registry.url": "http://r:1",
      "value.converter.schema.registry.ssl.truststore.location": "/etc/../root/.ssh/id_rsa"}, "sluice.connector.files"),
    ({"consumer.override.ssl.keystore.location": "/etc/shadow"}, "sluice.connector.files"),
    ({"connection.url": "jdbc:postgresql://169.254.169.254/latest"}, "sluice.connector.hosts"),
    ({"connection.url": "jdbc:postgresql://0xa9fea9fe:80/latest"}, "sluice.connector.hosts"),
    ({"connection.url": "jdbc:postgresql://%2Fvar%2Frun%2Fpostgresql/x"}, "sluice.connector.hosts"),
    ({"connection.url": "jdbc:postgresql://127.0.0.1/x?sslcert=/etc/shadow"}, "sluice.connector.files"),
    ({"value.converter": "io.confluent.connect.avro.AvroConverter",
      "value.converter.schema.registry.url": "http://169.254.169.254/latest/meta-data"}, "sluice.connector.hosts"),
])
def test_a_configuration_reaches_neither_files_nor_what_is_out_of_bounds(victim, settings, told):
    with undisturbed(victim):
        status, answers = asks_to_reach(victim, **settings)
        assert status == 400 and told in answers, answers
        for content in ("root:x:0:0", "root:*:", "a-word-of-the-environment", "OPENSSH"):
            assert content not in answers


class Page(threading.Thread):
    """A web server of the inner network that knows nothing of schemas; what it says is nobody's business."""

    WORDS = "page-of-the-inner-network"

    def __init__(self, status):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.asked, self.status = self.listener.getsockname()[1], [], status
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.listener.accept()
                with s, contextlib.suppress(OSError):
                    self.asked.append(s.recv(65536))
                    where = b"Location: http://127.0.0.1:%d/elsewhere\r\n" % self.port if self.status == 302 else b""
                    s.sendall(b"HTTP/1.1 %d x\r\nContent-Type: text/html\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
                        self.status, where, len(self.WORDS), self.WORDS.encode()))


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_pages_of_other_servers_are_not_read_through_us(victim, status):
    page = Page(status)
    config = {**victim._sink_config(), "name": "reader", "errors.retry.timeout": "0",
              "value.converter": "io.confluent.connect.avro.AvroConverter", "value.converter.max.retries": "0",
              "value.converter.schema.registry.url": f"http://127.0.0.1:{page.port}/private?x="}
    assert victim.sluice.rest("PUT", "/connectors/reader/config", config)[0] == 201
    trace = wait.until(lambda: victim.sluice.rest("GET", "/connectors/reader/status")[1]["tasks"][0].get("trace"),
                       "the task to fail")
    seen = victim.sluice.command("status", "--state", victim.sluice.state, "-o", "json").stdout
    assert victim.sluice.rest("DELETE", "/connectors/reader")[0] == 204
    page.listener.close()
    assert ("is not in the registry" if status == 404 else "not a schema registry's") in trace and page.asked, trace
    assert not [one for one in page.asked if b"/elsewhere" in one]
    assert Page.WORDS not in trace + victim.sluice.output() + seen


def test_only_http_is_spoken_to_a_registry(victim):
    config = {**victim._sink_config(), "name": "reach", "value.converter": "io.confluent.connect.avro.AvroConverter"}
    for url in ("file:///etc/passwd", "gopher://127.0.0.1:1/x", "http://"):
        status, answer, _ = victim.sluice.rest("PUT", "/connectors/reach/config",
                                               {**config, "value.converter.schema.registry.url": url})
        if status == 201:
            trace = wait.until(lambda: victim.sluice.rest("GET", "/connectors/reach/status")[1]["tasks"][0].get("trace"),
                               "the task to fail")
            assert "begins with http:// or https://" in trace and "root:" not in trace
            assert victim.sluice.rest("DELETE", "/connectors/reach")[0] == 204
        else:
            assert status == 400, answer


def test_passwords_are_not_echoed(victim):
    secret = "a-password-that-nobody-may-see"
    config = {"connector.class": "JdbcSinkConnector", "name": "s", "topics": "t", "connection.password": secret,
              "connection.url": "jdbc:postgresql://127.0.0.1:1/x", "tasks.max": "many"}
    for method, path, body in (("PUT", "/connector-plugins/JdbcSinkConnector/config/validate", config),
                               ("PUT", "/connectors/s/config", config),
                               ("POST", "/connectors", {"name": "s", "config": config})):
        assert secret not in json.dumps(victim.sluice.rest(method, path, body)[1])
    assert secret not in victim.sluice.output()


def test_guessing_passwords_is_slow_for_the_guesser_alone(tmp_path, build):
    users = tmp_path / "users.properties"
    users.write_text("ada=right\n")
    program = sluice.Sluice(tmp_path / "sluice", build, {"sluice.rest.users.file": users}, rest=True).start()
    wait.until(lambda: '"ready"' in program.output(), "sluice")

    def ask(password):
        header = {"Authorization": "Basic " + base64.b64encode(f"ada:{password}".encode()).decode()}
        return program.rest("GET", "/connectors", headers=header)[0]
    assert ask("right") == 200
    guesses, stop = [], threading.Event()

    def guess():
        while not stop.is_set():
            guesses.append(ask("wrong"))
    threads = [threading.Thread(target=guess) for _ in range(10)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    for _ in range(20):
        assert ask("right") == 200
    wait.until(lambda: guesses.count(401) > 5, "guesses to be looked at")
    stop.set()
    for thread in threads:
        thread.join()
    assert set(guesses) <= {401, 429}
    assert guesses.count(401) < 5 + 25 * (time.monotonic() - began)
    program.stop()
