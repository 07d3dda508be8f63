# SPDX-License-Identifier: Apache-2.0
"""Our Vault provider against a real server of Vault's API: OpenBao."""
import base64
import http.server
import json
import ssl
import subprocess
import threading
import time
import urllib.request

import pytest

from harness import openbao, postgres, wait
from harness.fetch import run
from harness.sluice import write_properties

JCUSTENBORDER = "com.github.jcustenborder.kafka.config.vault.VaultConfigProvider"
LENSES = "io.lenses.connect.secrets.providers.VaultSecretProvider"
READ_DATABASE = 'path "secret/data/database" { capabilities = ["read"] }'


class Dump:
    """Our providers, asked line by line."""

    def __init__(self, build, folder, params, cls="vault"):
        folder.mkdir(parents=True, exist_ok=True)
        worker = write_properties(folder / "worker.properties", {
            "config.providers": "vault", "config.providers.vault.class": cls,
            **{f"config.providers.vault.param.{key}": value for key, value in params.items()}})
        self.child = subprocess.Popen([build / "tests/unit/engine/secrets/secret-dump", worker], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=open(folder / "dump.log", "w"), text=True)
        self.log = folder / "dump.log"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        assert self.child.wait(20) == 0

    def ask(self, text):
        """("ok", ttl, value) or ("error", kind, text)."""
        self.child.stdin.write(text + "\n")
        self.child.stdin.flush()
        kind, second, rest = self.child.stdout.readline().rstrip("\n").split(" ", 2)
        return kind, second if kind == "error" else int(second), rest

    def value(self, text):
        kind, second, rest = self.ask(text)
        assert kind == "ok", (text, second, rest)
        return rest


@pytest.fixture(scope="session")
def binary(cache):
    return openbao.program(cache)


@pytest.fixture(scope="session")
def bao(binary, tmp_path_factory):
    server = openbao.OpenBao(tmp_path_factory.mktemp("openbao"), binary).start()
    server.put("database", sqlserver_host="127.0.0.1", password="Planted-V2-1", number=5, flag=True)
    server.put("deep/er/path", password="Planted-Deep-1")
    server.must("POST", "sys/mounts/kv1", {"type": "kv", "options": {"version": "1"}})
    server.must("POST", "kv1/database", {"password": "Planted-V1-1"})
    server.must("POST", "kv1/brief", {"password": "Planted-V1-2", "ttl": "5s"})
    yield server
    server.stop()


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def test_both_versions_of_the_engine_are_read_with_and_without_data_in_the_path(build, bao, folder):
    with Dump(build, folder, {"vault.address": bao.address, "vault.token": bao.token}) as dump:
        assert dump.value("${vault:secret/database:password}") == "Planted-V2-1"
        assert dump.value("${vault:secret/data/database:password}") == "Planted-V2-1"
        assert dump.value("vault:secret/database#password") == "Planted-V2-1"
        assert dump.value("${vault:/v1/secret/database:number}${vault:secret/database:flag}") == "5true"
        assert dump.value("${vault:secret/deep/er/path:password}") == "Planted-Deep-1"
        assert dump.ask("${vault:kv1/database:password}") == ("ok", 60000, "Planted-V1-1")
        assert dump.ask("${vault:kv1/brief:password}") == ("ok", 5000, "Planted-V1-2")


@pytest.mark.parametrize("cls, params", [
    (JCUSTENBORDER, {"vault.address": "ADDRESS", "vault.login.by": "Token", "vault.token": "TOKEN",
                     "vault.secret.minimum.ttl.ms": "1000", "vault.prefix": "secret"}),
    (LENSES, {"vault.addr": "ADDRESS", "vault.auth.method": "token", "vault.token": "TOKEN",
              "vault.engine.version": "2", "default.ttl": "1000", "file.write": "false"}),
])
def test_the_keys_of_other_providers_are_understood(build, bao, folder, cls, params):
    given = {key: value.replace("ADDRESS", bao.address).replace("TOKEN", bao.token) for key, value in params.items()}
    with Dump(build, folder, given, cls) as dump:
        path = "database" if "vault.prefix" in params else "secret/database"
        assert dump.ask(f"${{vault:{path}:password}}") == ("ok", 1000, "Planted-V2-1")


def test_what_is_not_there_or_not_allowed_is_told_apart(build, bao, folder):
    with Dump(build, folder, {"vault.address": bao.address, "vault.token": bao.token}) as dump:
        assert dump.ask("${vault:secret/nothing:password}")[1:] == (
            "CONFIG", "setting 'text': config provider 'vault': Vault at " + bao.address + " has no secret at "
            "'secret/nothing'. HINT: look with: vault kv get secret/nothing")
        assert "there is no such key" in dump.ask("${vault:secret/database:nokey}")[2]
        for path in ("sys/health", "auth/token/lookup-self", "secret/../sys/health", "secret/database?list=true"):
            kind, _, text = dump.ask(f"${{vault:{path}:password}}")
            assert kind == "error" and "path" in text or "part of Vault" in text, text
    with Dump(build, folder / "wrong", {"vault.address": bao.address, "vault.token": "wrong-token-1"}) as dump:
        kind, reason, text = dump.ask("${vault:secret/database:password}")
        assert (kind, reason) == ("error", "CONFIG") and "permission denied" in text
        assert "wrong-token-1" not in text


def test_a_version_is_replaced_and_deleted_under_our_eyes(build, bao, folder):
    bao.put("changing", password="Planted-Old-1")
    with Dump(build, folder, {"vault.address": bao.address, "vault.token": bao.token}) as dump:
        assert dump.value("${vault:secret/changing:password}") == "Planted-Old-1"
        bao.put("changing", password="Planted-New-1")
        assert dump.value("${vault:secret/changing:password}") == "Planted-New-1"
        bao.must("DELETE", "secret/data/changing")
        kind, reason, _ = dump.ask("${vault:secret/changing:password}")
        assert (kind, reason) == ("error", "CONFIG")


def test_approle_logs_in_renews_and_logs_in_again_when_the_longest_life_is_over(build, bao, folder):
    role, secret = bao.approle("brief", READ_DATABASE, token_ttl="3s", token_max_ttl="6s")
    params = {"vault.address": bao.address, "vault.auth.method": "approle", "app.role.id": role,
              "app.role.secret.id": secret}
    with Dump(build, folder, params) as dump:
        began = time.monotonic()
        while time.monotonic() - began < 8:  # more than the longest life of any of its tokens
            assert dump.value("${vault:secret/database:password}") == "Planted-V2-1"
            time.sleep(0.2)
        assert dump.ask("${vault:secret/deep/er/path:password}")[1] == "CONFIG"
    logins = (bao.folder / "openbao.log").read_text()
    assert "panic" not in logins


def test_a_token_that_nobody_can_renew_ends_with_an_error_that_says_so(build, bao, folder):
    token = bao.must("POST", "auth/token/create", {"ttl": "2s", "renewable": False, "policies": ["root"]})["auth"]
    with Dump(build, folder, {"vault.address": bao.address, "vault.token": token["client_token"]}) as dump:
        assert dump.value("${vault:secret/database:password}") == "Planted-V2-1"

        def over():
            kind, _, text = dump.ask("${vault:secret/database:password}")
            return kind == "error" and text
        text = wait.until(over, "the token to end", 15, 0.2)
        assert "must not have ended" in text and token["client_token"] not in text


def test_a_given_token_is_renewed_for_as_long_as_it_can_be(build, bao, folder):
    token = bao.must("POST", "auth/token/create", {"ttl": "2s", "explicit_max_ttl": "0", "policies": ["root"],
                                                   "renewable": True})["auth"]["client_token"]
    with Dump(build, folder, {"vault.address": bao.address, "vault.token": token}) as dump:
        assert dump.value("${vault:secret/database:password}") == "Planted-V2-1"
        time.sleep(5)  # nobody asks: the keeper renews by itself
        assert dump.value("${vault:secret/database:password}") == "Planted-V2-1"


def test_a_token_file_that_is_written_anew_is_read_anew(build, bao, folder):
    brief = bao.must("POST", "auth/token/create", {"ttl": "2s", "renewable": False, "policies": ["root"]})
    sink = folder / "token"
    sink.write_text(brief["auth"]["client_token"] + "\n")
    with Dump(build, folder, {"vault.address": bao.address, "vault.token.file": sink}) as dump:
        assert dump.value("${vault:secret/database:password}") == "Planted-V2-1"
        sink.write_text(bao.token + "\n")
        time.sleep(2.5)
        assert dump.value("${vault:secret/database:password}") == "Planted-V2-1"


@pytest.fixture
def logins_of_postgres(bao, folder):
    """The database engine: it makes a login for whoever reads warehouse/creds/writer, for 2 s, renewed up to 5 s."""
    cluster = postgres.Postgres(folder / "cluster", {"fsync": "off"}).create().start()
    bao.must("POST", "sys/mounts/warehouse", {"type": "database"})
    bao.must("POST", "warehouse/config/pg", {
        "plugin_name": "postgresql-database-plugin", "allowed_roles": "writer", "username": cluster.user,
        "password": cluster.password,
        "connection_url": f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{cluster.port}/postgres?sslmode=disable"})
    bao.must("POST", "warehouse/roles/writer", {
        "db_name": "pg", "default_ttl": "2s", "max_ttl": "5s",
        "creation_statements": ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"]})
    yield cluster
    bao.must("DELETE", "sys/mounts/warehouse")
    cluster.close()


def test_a_lease_is_renewed_for_as_long_as_it_can_be_and_then_another_login_is_made(build, bao, folder, logins_of_postgres):
    users, kept_s = [], 0.0
    with Dump(build, folder, {"vault.address": bao.address, "vault.token": bao.token}) as dump:
        def has_another():
            nonlocal kept_s
            kind, ttl_ms, text = dump.ask("${vault:warehouse/creds/writer:username} ${vault:warehouse/creds/writer:password}")
            assert kind == "ok" and 0 < ttl_ms <= 2000, (kind, ttl_ms)
            user, password = text.split(" ")
            logins_of_postgres.try_login(user, password)  # whatever we are given is good
            if user not in users:
                users.append(user)
            if len(users) == 1:
                kept_s = time.monotonic() - began
            return len(users) > 1
        began = time.monotonic()
        wait.until(has_another, "another login", 20, 0.3)
    assert kept_s > 2.2, f"the first login was not renewed: it was given for {kept_s:.1f} s"
    assert "panic" not in (bao.folder / "openbao.log").read_text()


def test_namespaces_are_asked_for(build, bao, folder):
    bao.must("POST", "sys/namespaces/team", {})

    def in_team(method, path, body=None):
        asked = urllib.request.Request(f"{bao.address}/v1/{path}", method=method, data=json.dumps(body).encode(),
                                       headers={"X-Vault-Token": bao.token, "X-Vault-Namespace": "team"})
        return urllib.request.urlopen(asked, timeout=20)
    in_team("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    wait.until(lambda: in_team("POST", "secret/data/database", {"data": {"password": "Planted-Team-1"}}), "the mount")
    with Dump(build, folder, {"vault.address": bao.address, "vault.token": bao.token,
                              "vault.namespace": "team"}) as dump:
        assert dump.value("${vault:secret/database:password}") == "Planted-Team-1"


def test_tls_seal_and_unseal(build, binary, folder):
    authority, cert, key = openbao.certificate(folder / "tls")
    server = openbao.OpenBao(folder / "server", binary, tls=(cert, key)).start().initialise()
    server.must("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
    wait.until(lambda: server.put("database", password="Planted-Tls-1"), "the mount")
    role, secret = server.approle("app", READ_DATABASE)
    params = {"vault.address": server.address, "vault.auth.method": "approle", "vault.role.id": role,
              "vault.secret.id": secret}
    with Dump(build, folder / "untrusted", params) as dump:
        kind, reason, text = dump.ask("${vault:secret/database:password}")
        assert (kind, reason) == ("error", "CONFIG") and "not trusted" in text
    with Dump(build, folder / "trusted", {**params, "vault.pem": authority}) as dump:
        assert dump.value("${vault:secret/database:password}") == "Planted-Tls-1"
        server.seal()
        kind, reason, text = dump.ask("${vault:secret/database:password}")
        assert (kind, reason) == ("error", "TRANSIENT") and "sealed" in text
        server.unseal()
        assert dump.value("${vault:secret/database:password}") == "Planted-Tls-1"
        server.stop()
        kind, reason, text = dump.ask("${vault:secret/database:password}")
        assert (kind, reason) == ("error", "TRANSIENT") and secret not in text
        server.start().unseal()
        assert dump.value("${vault:secret/database:password}") == "Planted-Tls-1"
    server.stop()


class Doorman:
    """A server of version 1 of the engine that talks to clients with a certificate alone."""

    def __init__(self, authority, cert, key):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({"data": {"password": "Planted-Door-1"}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
        context.load_cert_chain(cert, key)
        context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"https://127.0.0.1:{self.server.server_port}"


def test_a_client_certificate_whose_key_has_a_password(build, folder):
    authority, cert, key = openbao.certificate(folder / "tls")
    door = Doorman(authority, cert, key)
    locked = folder / "locked.pem"
    run(["openssl", "pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:key-password"])
    locked.write_text(locked.read_text() + cert.read_text())
    params = {"vault.address": door.address, "vault.token": "t", "vault.pem": authority, "vault.engine.version": "1",
              "vault.client.pem": locked}
    with Dump(build, folder / "right", {**params, "vault.ssl.keystore.password": "key-password"}) as dump:
        assert dump.value("${vault:secret/database:password}") == "Planted-Door-1"
    for wrong in ({"vault.ssl.keystore.password": "wrong-password"}, {}):  # without one nobody is asked at a terminal
        with Dump(build, folder / f"wrong{len(wrong)}", {**params, **wrong}) as dump:
            kind, reason, text = dump.ask("${vault:secret/database:password}")
            assert (kind, reason) == ("error", "CONFIG") and "wrong-password" not in text, text
            assert "key" in text and "password" in text, text


class Kubernetes:
    """What the kubernetes method needs of a cluster: an API that reviews tokens."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                user = "system:serviceaccount:apps:sluice"
                review["status"] = {"authenticated": True, "user": {
                    "username": user, "uid": "1", "groups": ["system:serviceaccounts"]}}
                body = json.dumps(review).encode()
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"


def service_account_token(folder):
    """A JWT such as a cluster gives to a pod, signed with a key of our own."""
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    key = folder / "sa.key"
    run(["openssl", "genrsa", "-out", key, "2048"])
    now = int(time.time())
    claims = {"iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:apps:sluice", "iat": now,
              "exp": now + 3600, "kubernetes.io/serviceaccount/namespace": "apps",
              "kubernetes.io/serviceaccount/service-account.name": "sluice",
              "kubernetes.io/serviceaccount/service-account.uid": "1"}
    signed = f"{part(json.dumps({'alg': 'RS256', 'typ': 'JWT'}).encode())}.{part(json.dumps(claims).encode())}"
    signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=signed.encode(),
                               capture_output=True, check=True).stdout
    return f"{signed}.{part(signature)}"


def test_kubernetes_logs_in_with_the_service_accounts_token(build, bao, folder):
    cluster = Kubernetes()
    token = folder / "token"
    token.write_text(service_account_token(folder))
    bao.must("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
    authority = openbao.certificate(folder / "tls")[0].read_text()  # must be given; the host is plain http
    bao.must("POST", "auth/kubernetes/config", {"kubernetes_host": cluster.address, "disable_local_ca_jwt": True,
                                                "kubernetes_ca_cert": authority,
                                                "token_reviewer_jwt": token.read_text()})
    bao.must("PUT", "sys/policies/acl/k8s", {"policy": READ_DATABASE})
    bao.must("POST", "auth/kubernetes/role/sluice", {"bound_service_account_names": ["sluice"],
                                                     "bound_service_account_namespaces": ["apps"],
                                                     "token_policies": ["k8s"]})
    params = {"vault.address": bao.address, "vault.auth.method": "kubernetes", "kubernetes.role": "sluice",
              "kubernetes.token.path": token}
    with Dump(build, folder / "dump", params) as dump:
        assert dump.value("${vault:secret/database:password}") == "Planted-V2-1"
    with Dump(build, folder / "other", {**params, "kubernetes.role": "other"}) as dump:
        kind, reason, text = dump.ask("${vault:secret/database:password}")
        assert (kind, reason) == ("error", "CONFIG") and "service account" in text
