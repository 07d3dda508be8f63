# SPDX-License-Identifier: Apache-2.0
"""Our client and our registry over TLS, with the stores that Java users have: keytool makes them."""
import json
import ssl
import subprocess

import pytest

import registries
from harness import certificates, postgres, sluice
from test_registry import confluent_python  # noqa: F401 (a fixture)

RECORD = '{"type":"record","name":"R","fields":[]}'
SECRET = "store-password"
KEY_SECRET = "key-password"


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """An authority, a server's and a client's certificate, each in PEM, PKCS#12 and JKS."""
    authority = certificates.Authority(tmp_path_factory.mktemp("tls")).sign("server", "client")
    folder = authority.folder
    authority.pkcs12("client", SECRET)
    authority.jks("client", SECRET)
    authority.jks("client", SECRET, KEY_SECRET, to="two.jks")
    authority.run("openssl", "pkcs8", "-topk8", "-in", "client.key", "-out", "locked.key", "-passout", f"pass:{KEY_SECRET}")
    authority.run("openssl", "rsa", "-aes128", "-traditional", "-in", "client.key", "-out", "older.key", "-passout",
                  f"pass:{KEY_SECRET}")
    for kind in ("locked", "older"):
        (folder / f"{kind}.pem").write_text((folder / f"{kind}.key").read_text() + (folder / "client.pem").read_text())
    authority.trust("trust.jks", "JKS", SECRET)
    authority.trust("trust.p12", "PKCS12", SECRET)
    return folder


@pytest.fixture
def server(stores):
    """A registry that only answers clients with a certificate of the authority."""
    with registries.Scripted(lambda *_: (200, {"id": 3})) as scripted:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=stores / "ca.pem")
        context.load_cert_chain(stores / "server.pem", stores / "server.key")
        context.verify_mode = ssl.CERT_REQUIRED
        scripted.server.socket = context.wrap_socket(scripted.server.socket, server_side=True, do_handshake_on_connect=False)
        scripted.url = scripted.url.replace("http:", "https:")
        yield scripted


def ask(build, server, settings):
    prefixed = {f"schema.registry.ssl.{key}": value for key, value in settings.items()}
    return registries.client(build, {"schema.registry.url": server.url, "max.retries": "0", **prefixed}, [("register", "s", RECORD)])[0]


def forms(folder):
    pem = {"truststore.location": folder / "ca.pem", "keystore.key": (folder / "client.key").read_text(),
           "keystore.certificate.chain": (folder / "client.pem").read_text()}
    texts = {**pem, "truststore.certificates": (folder / "ca.pem").read_text()}
    texts.pop("truststore.location")
    stores = {kind: {"truststore.location": folder / f"trust.{kind}", "truststore.password": SECRET,
                     "keystore.location": folder / f"client.{kind}", "keystore.password": SECRET} for kind in ("jks", "p12")}
    return {"pem": pem, "texts": texts, **stores}


@pytest.mark.parametrize("form", ["pem", "texts", "jks", "p12"])
def test_stores_of_every_form_are_taken(build, stores, server, form):
    assert ask(build, server, forms(stores)[form]) == "id 3"


def test_what_is_not_trusted_or_does_not_open_is_said(build, stores, server):
    told = ask(build, server, {})
    assert told.startswith("error CONFIG ") and "certificate" in told, told
    told = ask(build, server, {**forms(stores)["jks"], "truststore.password": "wrong"})
    assert told.startswith("error CONFIG ") and "HINT" in told and "wrong" not in told, told
    assert not server.seen


def with_passwords(folder):
    trust = {"truststore.location": folder / "ca.pem"}
    return {
        "jks, a password for the store and one for the key": {
            **trust, "keystore.location": folder / "two.jks", "keystore.password": SECRET, "key.password": KEY_SECRET},
        "pkcs12, both the same": {
            **trust, "keystore.location": folder / "client.p12", "keystore.password": SECRET, "key.password": SECRET},
        "pem file": {**trust, "keystore.location": folder / "locked.pem", "key.password": KEY_SECRET},
        "pem file, with a store password besides": {
            **trust, "keystore.location": folder / "locked.pem", "keystore.password": "another", "key.password": KEY_SECRET},
        "pem file, the store's password alone": {
            **trust, "keystore.location": folder / "locked.pem", "keystore.password": KEY_SECRET},
        "pem file of the older form": {**trust, "keystore.location": folder / "older.pem", "key.password": KEY_SECRET},
        "pem text": {**trust, "keystore.key": (folder / "locked.key").read_text(), "key.password": KEY_SECRET,
                     "keystore.certificate.chain": (folder / "client.pem").read_text()},
    }


def test_keys_with_passwords_of_their_own_are_opened(build, stores, server):
    for name, settings in with_passwords(stores).items():
        assert ask(build, server, settings) == "id 3", name


def test_a_key_that_does_not_open_is_named_and_its_password_is_not(build, stores, server):
    for name, settings in with_passwords(stores).items():
        for wrong in ("wrong-password", None):
            given = {**settings, "key.password": wrong}
            if "keystore.password" in given and "pem" in name:
                given["keystore.password"] = wrong
            if "pkcs12" in name:
                given["keystore.password"] = wrong
            told = ask(build, server, {key: value for key, value in given.items() if value is not None})
            assert told.startswith("error CONFIG ") and "password" in told, (name, told)
            assert "wrong-password" not in told and KEY_SECRET not in told, (name, told)
    assert not server.seen


# What we serve


@pytest.fixture
def ours(build, stores, tmp_path):
    """Our registry with a certificate of the authority and a user; a server's PEM file holds both key and chain."""
    both = tmp_path / "server.pem"
    both.write_text((stores / "server.key").read_text() + (stores / "server.pem").read_text())
    users = tmp_path / "users.properties"
    users.write_text("ada=secret\n")
    url = f"https://127.0.0.1:{postgres.free_port()}"
    program = sluice.Sluice(tmp_path / "sluice", build, {
        "sluice.registry.listeners": url, "sluice.registry.ssl.keystore.location": both, "authentication.method": "BASIC",
        "authentication.roles": "admin", "sluice.rest.users.file": users}).start()
    program.wait_for_log('"ready"')
    yield url
    assert program.stop() == 0


def test_confluents_client_logs_in_to_our_registry_over_https(ours, stores, confluent_python):  # noqa: F811
    done = subprocess.run([confluent_python, registries.HERE / "login_client.py", ours, stores / "ca.pem", "ada:secret"],
                          capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    assert seen["nobody"][0] == seen["wrong"][0] == 401
    assert seen["id"] == 1 and seen["subjects"] == ["s-value"] and seen["untrusted"] is True


def test_our_client_logs_in_to_our_registry_over_https(build, ours, stores):
    settings = {"schema.registry.url": ours, "max.retries": "0", "schema.registry.ssl.truststore.location": stores / "trust.jks",
                "schema.registry.ssl.truststore.password": SECRET}
    login = {"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "ada:secret"}
    assert registries.client(build, {**settings, **login}, [("register", "s", RECORD)]) == ["id 1"]
    refused = registries.client(build, settings, [("register", "s", RECORD)])[0]
    assert refused.startswith("error ") and "401" in refused, refused


def test_a_login_that_nobody_could_give_is_refused_at_the_start(build, tmp_path):
    program = sluice.Sluice(tmp_path, build, {"sluice.registry.listeners": "http://127.0.0.1:0", "authentication.method": "BASIC"})
    done = program.command("run", program.worker, check=False)
    assert done.returncode == 1 and "sluice.rest.users.file" in done.stderr
