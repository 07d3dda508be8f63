# SPDX-License-Identifier: Apache-2.0
"""Registries to talk to: ours, Apicurio's, and a false one that does as it is told."""
import http.server
import json
import pathlib
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

from harness import fetch, sluice, wait
from harness.java import JAVA
from harness.postgres import free_port
from harness.process import Process

HERE = pathlib.Path(__file__).resolve().parent
MEDIA = "application/vnd.schemaregistry.v1+json"
APICURIO = "2.6.13.Final"


def ask(url, method="GET", body=None):
    """(status, JSON) of a request."""
    request = urllib.request.Request(url, method=method, headers={"Content-Type": MEDIA},
                                     data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or "null")


class Ours:
    """A sluice without connectors that serves its built-in registry."""

    def __init__(self, folder, build):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.sluice = sluice.Sluice(folder, build, {"sluice.registry.listeners": self.url})

    def __enter__(self):
        self.sluice.start()
        self.sluice.wait_for_log('"ready"')
        return self

    def __exit__(self, *error):
        self.sluice.stop()

    def ask(self, path, method="GET", body=None):
        return ask(self.url + path, method, body)


class Apicurio:
    """Apicurio's registry with its Confluent-compatible interface; everything is in memory."""

    def __init__(self, folder, cache):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/apis/ccompat/v7"
        self.native_url = f"http://127.0.0.1:{self.port}/apis/registry/v2"
        self.folder = folder
        self.home = fetch.once(cache / "apicurio", APICURIO, lambda made: fetch.run(
            ["mvn", "-B", "-q", "-ntp", f"-Dmaven.repo.local={cache}/m2",
             "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack",
             f"-Dartifact=io.apicurio:apicurio-registry-app:{APICURIO}:tar.gz:all",
             f"-DoutputDirectory={made}", f"-Dproject.basedir={made}"], cwd=made))
        self.process = None

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = Process([*JAVA, "-Xms64m", "-Xmx384m",
                                "-Dquarkus.http.host=127.0.0.1", f"-Dquarkus.http.port={self.port}", "-jar",
                                self.home / f"apicurio-registry-app-{APICURIO}-runner.jar"], self.folder / "apicurio.log")
        wait.until(self.ready, "Apicurio to be ready", 90)
        return self

    def ready(self):
        assert self.process.running(), self.process.output()[-3000:]
        try:
            return ask(f"http://127.0.0.1:{self.port}/health/ready")[0] == 200
        except OSError:
            return False

    def __exit__(self, *error):
        self.process.stop(20)


class Scripted:
    """A false registry that answers what a function says: answer(method, path, headers, body) -> (status, JSON)."""

    def __init__(self, answer):
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_all(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.seen.append((self.command, self.path, dict(self.headers), body))
                status, value = answer(self.command, self.path, self.headers, body)
                text = json.dumps(value).encode() if not isinstance(value, bytes) else value
                self.send_response(status)
                self.send_header("Content-Type", MEDIA)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = handle_all

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


def client(build, settings, commands):
    """The lines that our client answers."""
    asked = "".join("\t".join(command) + "\n" for command in commands)
    done = subprocess.run([build / "tests/unit/registry/registry-client", *[f"{k}={v}" for k, v in settings.items()]],
                          input=asked, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
