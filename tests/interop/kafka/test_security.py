# SPDX-License-Identifier: Apache-2.0
"""Every way to the brokers that a worker's file can name, as Java users write it, on brokers 3.9.2 and 4.3.1."""
import base64
import http.server
import json
import os
import subprocess
import threading
import time
import urllib.parse

import pytest

from harness import kafka, sluice

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
OAUTH = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"


@pytest.fixture(scope="module", params=["3.9.2", "4.3.1"])
def secure(request, cache, tmp_path_factory):
    with kafka.Cluster(tmp_path_factory.mktemp("secure"), cache, version=request.param, secure=True) as cluster:
        yield cluster


def jaas(module, **words):
    return f"{module} required " + " ".join(f'{k}="{v}"' for k, v in words.items()) + ";"


def alice(module):
    return jaas(module, username="alice", password=kafka.USERS["alice"])


def ways(cluster):
    tls = cluster.tls
    trust = {"ssl.truststore.location": tls / "truststore.jks", "ssl.truststore.password": "changeit"}
    pem = {"ssl.truststore.type": "PEM", "ssl.truststore.location": tls / "ca.pem"}
    inline = {"ssl.keystore.type": "PEM", "ssl.truststore.type": "PEM",
              "ssl.keystore.certificate.chain": (tls / "client.pem").read_text().replace("\n", "\\n"),
              "ssl.keystore.key": (tls / "client.key").read_text().replace("\n", "\\n"),
              "ssl.truststore.certificates": (tls / "ca.pem").read_text().replace("\n", "\\n")}
    return {
        "plaintext": ("PLAINTEXT", {}),
        "tls-jks": ("SSL", {**trust, "ssl.keystore.location": tls / "client.jks", "ssl.keystore.password": "changeit",
                            "ssl.key.password": "changeit"}),
        "tls-pkcs12": ("SSL", {**pem, "ssl.keystore.type": "PKCS12", "ssl.keystore.location": tls / "client.p12",
                               "ssl.keystore.password": "changeit"}),
        "tls-pem-in-the-file": ("SSL", inline),
        "sasl-plain": ("SASL_PLAINTEXT", {"sasl.mechanism": "PLAIN", "sasl.jaas.config": alice(PLAIN)}),
        "sasl-tls-plain": ("SASL_SSL", {**trust, "sasl.mechanism": "PLAIN", "sasl.jaas.config": alice(PLAIN)}),
        "sasl-scram-256": ("SASL_PLAINTEXT", {"sasl.mechanism": "SCRAM-SHA-256", "sasl.jaas.config": alice(SCRAM)}),
        "sasl-tls-scram-512": ("SASL_SSL", {**pem, "sasl.mechanism": "SCRAM-SHA-512", "sasl.jaas.config": alice(SCRAM)}),
        "oauthbearer": ("SASL_PLAINTEXT", {"sasl.mechanism": "OAUTHBEARER",
                                           "sasl.jaas.config": jaas(OAUTH, unsecuredLoginStringClaim_sub="alice")}),
    }


def worker_file(folder, cluster, protocol, settings):
    return sluice.write_properties(folder / "worker.properties", {
        "bootstrap.servers": cluster.listeners[protocol], "security.protocol": protocol, "group.id": "secure",
        "sluice.state.dir": folder / "state", **settings})


def list_topics(build, file, libraries=None):
    environment = {**os.environ, **({"LD_LIBRARY_PATH": str(libraries)} if libraries else {})}
    return subprocess.run([build / "src/sluice", "topics", "list", "--worker", file, "-o", "json"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False, env=environment)


def topics(build, file, libraries=None):
    done = list_topics(build, file, libraries)
    assert done.returncode == 0, done.stderr
    return {topic["topic"] for topic in json.loads(done.stdout)["topics"]}


def test_every_way_in_leads_to_the_same_topics(secure, build, tmp_path, newer_librdkafka):
    """SCRAM at brokers of 4.x is refused to Debian 12's librdkafka: the error says why, and a newer one is let in."""
    secure.kcat("-P", "-t", "proof", given="one\n")
    for name, (protocol, settings) in ways(secure).items():
        folder = tmp_path / name
        folder.mkdir()
        file = worker_file(folder, secure, protocol, settings)
        libraries = None
        if "scram" in name and secure.version.startswith("4"):
            refused = list_topics(build, file)
            assert refused.returncode == 1 and "AUTH" in refused.stderr and "librdkafka before 2.6.1" in refused.stderr, \
                refused.stderr
            libraries = newer_librdkafka
        assert "proof" in topics(build, file, libraries), name


class Issuer:
    """Hands out unsigned tokens, as the brokers' default check wants them, to one client."""

    def __init__(self):
        issuer = self
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                issuer.asked.append(urllib.parse.parse_qs(body))
                known = self.headers["Authorization"] == "Basic " + base64.b64encode(b"sluice:s3cret of the issuer").decode()
                now = time.time()
                claims = {"sub": "alice", "iat": now, "exp": now + 600, "scope": "kafka"}
                token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
                                 for part in ({"alg": "none"}, claims)) + "."
                text = json.dumps({"access_token": token, "expires_in": 600} if known else {"error": "invalid_client"}).encode()
                self.send_response(200 if known else 401)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/token"


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.server.shutdown()


def through(issuer, secret):
    return {"sasl.mechanism": "OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url": issuer.url,
            "sasl.login.callback.handler.class": "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
            "sasl.jaas.config": jaas(OAUTH, clientId="sluice", clientSecret=secret, scope="read write")}


def test_an_issuers_token_lets_in(secure, build, tmp_path, issuer):
    secure.kcat("-P", "-t", "proof", given="one\n")
    file = worker_file(tmp_path, secure, "SASL_PLAINTEXT", through(issuer, "s3cret of the issuer"))
    assert "proof" in topics(build, file)
    assert issuer.asked[-1] == {"grant_type": ["client_credentials"], "scope": ["read write"]}


def test_an_issuer_that_refuses_is_named(secure, build, tmp_path, issuer):
    file = worker_file(tmp_path, secure, "SASL_PLAINTEXT", through(issuer, "guessed-by-nobody"))
    done = list_topics(build, file)
    assert done.returncode == 1 and "AUTH" in done.stderr, done.stderr
    assert "token.endpoint.url" in done.stderr and "401" in done.stderr and "guessed-by-nobody" not in done.stderr, done.stderr


def test_a_wrong_scram_password_is_no_matter_of_the_library(secure, build, tmp_path, newer_librdkafka):
    wrong = jaas(SCRAM, username="alice", password="guessed-by-nobody")
    file = worker_file(tmp_path, secure, "SASL_PLAINTEXT", {"sasl.mechanism": "SCRAM-SHA-256", "sasl.jaas.config": wrong})
    done = list_topics(build, file, newer_librdkafka)
    assert done.returncode == 1 and "AUTH" in done.stderr, done.stderr
    assert "before 2.6.1" not in done.stderr and "guessed-by-nobody" not in done.stderr, done.stderr


def test_a_wrong_password_is_said_and_not_shown(secure, build, tmp_path):
    wrong = jaas(PLAIN, username="alice", password="guessed-by-nobody")
    file = worker_file(tmp_path, secure, "SASL_PLAINTEXT", {"sasl.mechanism": "PLAIN", "sasl.jaas.config": wrong})
    done = list_topics(build, file)
    assert done.returncode == 1
    assert "AUTH" in done.stderr and "guessed-by-nobody" not in done.stderr, done.stderr
