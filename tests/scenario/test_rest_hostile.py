# SPDX-License-Identifier: Apache-2.0
"""
Hostile clients at the REST API of a sluice that moves rows: all of it is refused, an honest client is answered, memory
stays bounded and the rows arrive.
"""
import contextlib
import json
import pathlib
import socket
import threading
import time

import pytest

from harness import sluice, wait
from harness.postgres import free_port

DEPTH = 100_000
GROWTH_MIB = 96  # what an attack may cost: its connections, the bodies' budget (32 MiB), a parsed body


@pytest.fixture(scope="module")
def victim(tmp_path_factory, build, cluster):
    """A sluice with REST and a full pipeline."""
    from harness import pipeline
    port = free_port()
    made = pipeline.Pipeline(tmp_path_factory.mktemp("hostile") / "pipeline", build, cluster, ledger=False,
                             worker={"listeners": f"http://127.0.0.1:{port}", "sluice.rest.request.ms": "4000",
                                     "sluice.rest.idle.ms": "4000"},
                             fill={"customers": 20, "products": 5, "orders": 40, "lines": 60})
    made.sluice.url = f"http://127.0.0.1:{port}"
    made.port = port
    made.sluice.start()
    wait.until(lambda: '"ready"' in made.sluice.output(), "sluice")
    made.wait_equal()
    yield made
    made.close()


def resident_mib(victim):
    status = pathlib.Path(f"/proc/{victim.sluice.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


@contextlib.contextmanager
def undisturbed(victim):
    """Rows written during the attack arrive, an honest client is answered quickly, memory stays where it was."""
    before = resident_mib(victim)
    yield
    victim.change(60)
    began = time.monotonic()
    assert victim.sluice.rest("GET", "/connectors")[0] == 200
    assert time.monotonic() - began < 5
    victim.wait_equal()
    victim.sluice.assert_running()
    assert resident_mib(victim) - before < GROWTH_MIB


def connect(victim):
    return socket.create_connection(("127.0.0.1", victim.port), timeout=10)


def send(victim, data):
    """Send it all, or as much as is taken; the first line of the answer, or None."""
    with connect(victim) as s:
        with contextlib.suppress(OSError):
            s.sendall(data)
        with contextlib.suppress(OSError):
            return s.recv(4096).split(b"\r\n")[0].decode() or None
    return None


def put(path, body, more=b""):
    return b"PUT " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + more + \
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("text", [b"[" * DEPTH, b'{"a":' * DEPTH, b'{"config":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
                                  b'{"config":{"a":' + b"[" * DEPTH])
def test_json_of_any_depth_is_refused(victim, text):
    with undisturbed(victim):
        assert "400" in send(victim, put(b"/connectors/x/config", text))
        assert "400" in send(victim, put(b"/connector-plugins/JdbcSinkConnector/config/validate", text))


def test_json_of_many_small_values_is_refused(victim):
    with undisturbed(victim):
        for _ in range(4):
            assert "400" in send(victim, put(b"/connectors/x/config", b'{"a":[' + b"{}," * 1_300_000 + b"{}]}"))


def test_a_gigabyte_is_not_read(victim):
    with undisturbed(victim):
        head = b"PUT /connectors/x/config HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        assert "413" in send(victim, head + b"Content-Length: 1073741824\r\n\r\n")
        with connect(victim) as s:  # and one that does not say how much comes
            s.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            sent, piece = 0, b"10000\r\n" + b" " * 65536 + b"\r\n"
            with contextlib.suppress(OSError):
                while sent < 1 << 30:
                    s.sendall(piece)
                    sent += 65536
            assert sent < 128 << 20


def test_slow_clients_by_the_thousand_keep_nobody_out(victim):
    slow = []
    with undisturbed(victim):
        for number in range(2000):
            with contextlib.suppress(OSError):
                s = connect(victim)
                s.setblocking(False)
                s.send(b"GET /connectors HTTP/1.1\r\nHost: local" if number % 2 else
                       put(b"/connectors/x/config", b"x" * 100_000)[:5000])
                slow.append(s)
            if number % 200 == 199:
                began = time.monotonic()
                assert victim.sluice.rest("GET", "/health")[0] == 200
                assert time.monotonic() - began < 5
    assert len(slow) > 500
    def all_gone():
        left = 0
        for s in slow:
            try:
                left += s.recv(65536) != b""
            except BlockingIOError:
                left += 1
            except OSError:
                pass
        return left == 0
    wait.until(all_gone, "every slow client to be cut off", 30)
    for s in slow:
        s.close()


def test_a_flood_of_headers_and_a_long_line_are_refused(victim):
    with undisturbed(victim):
        flood = b"".join(b"X-%d: %s\r\n" % (n, b"a" * 100) for n in range(5000))
        assert "431" in send(victim, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + flood + b"\r\n")
        answer = send(victim, b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer is None or answer.split()[1] in ("400", "414", "431"), answer
        answer = send(victim, b"GET /?" + b"a&" * 4000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer is None or answer.split()[1] in ("400", "414", "431"), answer


@pytest.mark.parametrize("data", [
    b"PUT /connectors/x/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
    b"PUT /connectors/x/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n"
    b"DELETE /connectors/sink HTTP/1.1\r\nHost: a\r\n\r\n",
    b"PUT /connectors/x/pause HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"PUT /connectors/x/pause HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    b"PUT /connectors/x/pause HTTP/1.1\r\nHost: localhost\r\nContent-Length : 5\r\n\r\nhello",
    b"PUT /connectors/x/pause HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
    b"PUT /connectors/x/pause HTTP/1.1\r\n\r\n", b"PUT /connectors/x/pause HTTP/9.9\r\nHost: localhost\r\n\r\n",
    b"GET /connectors/%2e%2e/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /connectors/\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 1000 + b"\r\n\r\n",
])
def test_what_could_be_read_in_two_ways_is_refused(victim, data):
    answer = send(victim, data)
    assert answer is None or answer.split()[1] in ("400", "403", "505"), answer
    assert "sink" in victim.sluice.rest("GET", "/connectors")[1]


def test_paths_lead_nowhere_but_to_connectors(victim):
    for path in ("/../../etc/passwd", "/connectors/../../../etc/passwd", "/connectors/..%2f..%2fetc%2fpasswd/config",
                 "/connectors/%252e%252e", "//connectors", "/connectors;x=1", "/CONNECTORS"):
        answer = send(victim, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert answer.split()[1] == "404", (path, answer)


def test_many_at_once_are_all_answered(victim):
    answers = []

    def ask():
        for _ in range(20):
            answers.append(victim.sluice.rest("GET", "/connectors?expand=info&expand=status")[0])
    with undisturbed(victim):
        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [200] * 400


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
    import base64
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
