# SPDX-License-Identifier: Apache-2.0
"""
Secrets are planted wherever a user may put one; a pipeline goes through its failures at the most talkative log level; then
everything that left the process is searched for them, a core file included.
"""
import base64
import contextlib
import http.server
import json
import os
import pathlib
import resource
import signal
import subprocess
import threading

import pytest

from harness import openbao, pipeline, postgres, sluice, wait

WORDS = {name: f"Planted-{name}-Word-7" for name in (
    "Postgres", "SqlServer", "Registry", "Bearer", "Sasl", "Override", "TlsKey", "TrustStore", "RestAda", "RestWrong", "Env",
    "InOpen", "InUrl", "Rotated", "FileProvider")}


def forms(word):
    """The ways in which it could be written."""
    for plain in (word, f"user:{word}", f"ada:{word}"):
        yield plain.encode()
        yield base64.b64encode(plain.encode()).rstrip(b"=")
    yield word.encode("utf-16-le")
    yield word.encode().hex().encode()


def search(words, texts):
    """(where, name of the secret) of each that was found."""
    return [(str(where), name) for where, content in texts for name, word in words.items()
            for form in forms(word) if form in content]


class Registry:
    """A schema registry that asks for a login and keeps everything in memory; while away it answers 503."""

    def __init__(self, word):
        registry, self.schemas, self.away, self.refused = self, [], False, 0
        expected = "Basic " + base64.b64encode(f"user:{word}".encode()).decode()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body):
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def handle_one(self, body):
                login = self.headers.get("Authorization")
                if login != expected:
                    registry.refused += 1
                    return self.answer(401, {"error_code": 401, "message": f"what is {login}?"})  # quotes what we sent
                if registry.away:
                    return self.answer(503, {"error_code": 50301, "message": f"not now, {login}"})
                if self.command == "POST":
                    schema = json.loads(body)["schema"]
                    if schema not in registry.schemas:
                        registry.schemas.append(schema)
                    return self.answer(200, {"id": registry.schemas.index(schema) + 1, "version": 1})
                number = int(self.path.split("/ids/")[1].split("?")[0].split("/")[0])
                return self.answer(200, {"schema": registry.schemas[number - 1]})

            def do_GET(self):
                self.handle_one(None)

            def do_POST(self):
                self.handle_one(self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def encrypted_store(folder):
    """A PEM store whose key has a password."""
    authority, cert, key = openbao.certificate(folder)
    locked = folder / "locked.key"
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", f"pass:{WORDS['TlsKey']}"],
                   check=True, capture_output=True)
    store = folder / "store.pem"
    store.write_text(locked.read_text() + cert.read_text())
    return store, authority


def asked(p, users, bodies):
    """Every answer that the REST API gives, with a right and a wrong login and none."""
    paths = [("GET", path) for path in (
        "/", "/health", "/connectors?expand=info&expand=status", "/admin/loggers", "/admin/breakers", "/connector-plugins")]
    for name in ("source", "sink", "open"):
        paths += [("GET", f"/connectors/{name}{rest}") for rest in (
            "", "/config", "/status", "/tasks", "/tasks-config", "/offsets", "/topics", "/tasks/0/status")]
    for method, path in paths:
        for login in (WORDS["RestAda"], WORDS["RestWrong"], None):
            header = {"Authorization": "Basic " + base64.b64encode(f"ada:{login}".encode()).decode()} if login else {}
            if login == WORDS["RestWrong"] and path not in ("/", "/connectors/sink/config"):
                continue  # a wrong one costs a pause
            status, body, headers = p.sluice.rest(method, path, headers=header)
            assert (status == 401) == (login != WORDS["RestAda"]) or status == 429, (path, status)
            yield f"{method} {path}", (json.dumps(body) + str(headers)).encode()
    for path, body in bodies:
        status, answer, headers = p.sluice.rest("PUT", path, body, headers=users)
        assert status in (200, 201, 400), (path, answer)
        yield f"PUT {path}", (json.dumps(answer) + str(headers)).encode()


def memory_of(p):
    for name in ("cmdline", "environ"):
        yield f"/proc/{name}", pathlib.Path(f"/proc/{p.sluice.process.pid}/{name}").read_bytes()
    yield "ps", subprocess.run(["ps", "-ww", "-o", "args", "-p", str(p.sluice.process.pid)], capture_output=True,
                               check=True).stdout


def test_nothing_that_leaves_the_process_holds_a_secret(build, cluster, bao, tmp_path):
    registry = Registry(WORDS["Registry"])
    store, _ = encrypted_store(tmp_path / "tls")
    users_file = tmp_path / "users.properties"
    users_file.write_text(f"ada={WORDS['RestAda']}\n")
    role, secret_id = bao.approle("planted", 'path "secret/data/*" { capabilities = ["read"] }', token_ttl="4s",
                                  token_max_ttl="20s")
    words = {**WORDS, "SecretId": secret_id}
    cluster.execute(f"CREATE ROLE planted LOGIN SUPERUSER PASSWORD '{WORDS['Postgres']}'")
    kept = tmp_path / "kept"
    kept.write_text(f"secret={secret_id}\nsasl={WORDS['FileProvider']}\n")
    bao.put("postgres", username="planted", password=WORDS["Postgres"])
    bao.put("registry", login=f"user:{WORDS['Registry']}")
    ports = [postgres.free_port() for _ in range(2)]
    url = f"http://127.0.0.1:{ports[0]}"
    converter = {"value.converter": "io.confluent.connect.avro.AvroConverter",
                 "value.converter.schema.registry.url": registry.url,
                 "value.converter.basic.auth.credentials.source": "USER_INFO",
                 "value.converter.basic.auth.user.info": "${vault:secret/registry:login}"}
    p = pipeline.Pipeline(tmp_path / "pipeline", build, cluster, ledger=False, fill={"customers": 10}, worker={
        "listeners": f"{url},https://127.0.0.1:{ports[1]}", "sluice.rest.users.file": users_file, "sluice.rest.log": "all",
        "listeners.https.ssl.keystore.location": store, "listeners.https.ssl.key.password": WORDS["TlsKey"],
        "sluice.log.level": "debug", "sluice.registry.aliases": "http://nobody:1",
        "config.providers": "file,vault,env", "config.providers.file.class": "file", "config.providers.env.class": "env",
        "config.providers.file.param.allowed.paths": tmp_path,
        "config.providers.vault.class": "io.lenses.connect.secrets.providers.VaultSecretProvider",
        "config.providers.vault.param.vault.addr": bao.address, "config.providers.vault.param.vault.auth.method": "approle",
        "config.providers.vault.param.app.role.id": role,
        "config.providers.vault.param.app.role.secret.id": f"${{file:{kept}:secret}}",
        "config.providers.vault.param.default.ttl": "300",
        "consumer.sasl.jaas.config": f'x required username="u" password="{WORDS["Sasl"]}";',
        "ssl.truststore.password": WORDS["TrustStore"],
    }, source_config=converter, sink_config={
        **converter, "connection.user": "${vault:secret/postgres:username}",
        "connection.password": "${vault:secret/postgres:password}",
        "consumer.override.sasl.jaas.config": f'x required username="u" password="{WORDS["Override"]}";',
        "value.converter.bearer.auth.token": WORDS["Bearer"],
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq-sink", "errors.log.enable": "true",
        "errors.deadletterqueue.context.headers.enable": "true", "errors.log.include.messages": "true"})
    words["SqlServer"] = p.source.password
    p.sluice.url = url
    users = {"Authorization": "Basic " + base64.b64encode(f"ada:{WORDS['RestAda']}".encode()).decode()}
    source_file = p.sluice.folder / "source.json"
    bao.put("sqlserver", password=p.source.password)
    source_file.write_text(source_file.read_text().replace(f'"{p.source.password}"', '"${vault:secret/sqlserver:password}"'))
    shown_on_purpose = {"Override", "Bearer"}  # they stand in the open in sink.json, and REST shows what was put there
    try:
        p.query("ALTER TABLE customers ADD CONSTRAINT no_bad CHECK (name NOT LIKE 'bad%')")
        p.sluice.start()
        p.wait_equal()
        assert p.sluice.rest("GET", "/admin/loggers/root", headers=users)[1]["level"] == "DEBUG"
        texts = []

        # The dead letter of a bad row.
        p.source.execute("INSERT INTO dbo.customers (name, credit_limit) VALUES (N'bad', 1), (N'good', 1)",
                         database="warehouse_source")
        wait.until(lambda: "went to the dead letters" in p.sluice.output(), "the dead letter")
        # A connector in the open with a password in its URL, and one that its target refuses.
        wrong = {**p._sink_config(), "connection.user": "planted", "connection.password": WORDS["InOpen"]}
        in_url = {**wrong, "connection.url": f"{wrong['connection.url']}?password={WORDS['InUrl']}"}
        validate = "/connector-plugins/JdbcSinkConnector/config/validate"
        status, _, _ = p.sluice.rest("PUT", "/connectors/open/config", {**wrong, "name": "open"}, headers=users)
        assert status == 201
        wait.until(lambda: "password authentication failed" in json.dumps(
            p.sluice.rest("GET", "/connectors/open/status", headers=users)[1]), "the login to be refused")
        # The registry answers 503 and quotes our login; Vault is sealed; the target is away; the password changes.
        registry.away = True
        p.source.execute("CREATE TABLE dbo.fresh (id int NOT NULL PRIMARY KEY)", database="warehouse_source")
        with contextlib.suppress(AssertionError):
            p.change(20)
        bao.seal()
        cluster.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'planted'")
        p.sluice.rest("POST", "/connectors/sink/restart?includeTasks=true", headers=users)
        p.sluice.wait_for_log("sealed")
        texts += asked(p, users, [(validate, {**wrong, "name": "v", "batch.size": WORDS["Postgres"]})])
        registry.away = False
        bao.unseal()
        cluster.execute(f"ALTER ROLE planted PASSWORD '{WORDS['Rotated']}'")
        bao.put("postgres", username="planted", password=WORDS["Rotated"])
        cluster.stop()
        wait.until(lambda: any(b["state"] != "closed" for b in p.sluice.rest("GET", "/admin/breakers", headers=users)[1]
                               if b["system"] == "postgres"), "the circuit to open")
        texts += asked(p, users, [])
        cluster.start()
        p.query("ALTER TABLE customers DROP CONSTRAINT no_bad")
        p.change(20)
        p.source.execute("DELETE FROM dbo.customers WHERE name = N'bad'", database="warehouse_source")
        wait.until(p.equal, "the rows after all of it", 90, 0.2)
        # The registry's login becomes another, which it refuses with a text that quotes it.
        bao.put("registry", login=f"user:{WORDS['InUrl']}")
        wait.until(lambda: p.change(5) and registry.refused, "the registry to refuse", 60, 0.2)
        wait.until(lambda: "what is" in json.dumps(p.sluice.rest("GET", "/connectors?expand=status", headers=users)[1]),
                   "its words in a trace")
        texts += asked(p, users, [
            (validate, {**wrong, "name": "v"}), (validate, {**in_url, "name": "v"}),
            (validate, {**json.loads((p.sluice.folder / "sink.json").read_text())["config"], "name": "sink"})])
        for format in ("table", "json"):
            done = p.sluice.command("status", "--state", p.sluice.state, "-o", format)
            texts.append((f"status -o {format}", (done.stdout + done.stderr).encode()))
        letters = p.sluice.command("topics", "tail", "--state", p.sluice.state, "--from-beginning", "--no-follow", "dlq-sink")
        assert "no_bad" in letters.stdout
        texts.append(("dead letters", letters.stdout.encode()))
        texts += memory_of(p)
        p.sluice.stop()
        given = {"worker.properties", "sink.json", "source.json"}
        texts += [(path, path.read_bytes()) for path in sorted(p.sluice.folder.rglob("*"))
                  if path.is_file() and path.name not in given]
    finally:
        p.close()
    found = {(where, name) for where, name in search(words, texts)}
    # What stands in a connector in the open is in the answers that show the connector, and in the stored configuration.
    shows_config = ("/config", "/connectors/open", "/connectors/sink", "expand=info", "/tasks", "state/")
    open_ones = {name for name in (*shown_on_purpose, "InOpen")}
    assert not [(where, name) for where, name in found
                if name not in open_ones or not any(part in where for part in shows_config)], found


def core_of(build, folder, worker, connector, until):
    """Run until something is true, crash, and give the core file's bytes (None: there is none)."""
    program = sluice.Sluice(folder / "run", build, worker)
    program.connector("sink", connector)
    with open(folder / "crash.log", "wb") as log:
        child = subprocess.Popen([program.program, "run", program.worker, *program.connectors], cwd=folder, stderr=log,
                                 stdin=subprocess.DEVNULL)
    resource.prlimit(child.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait.until(lambda: until((folder / "crash.log").read_text()), "sluice to be ready")
    os.kill(child.pid, signal.SIGSEGV)
    _, child.returncode = os.waitpid(child.pid, 0)
    cores = [path for path in folder.glob("core*")]
    content = cores[0].read_bytes() if cores else None
    for path in cores:
        path.unlink()
    return os.WCOREDUMP(child.returncode), content


def test_a_core_file_is_not_written_and_where_allowed_leaves_out_the_pages_of_secrets(build, bao, tmp_path):
    """The promise: no core file. Where one is allowed, our own pages are left out; libraries keep copies (docs)."""
    word = "Planted-Core-Word-9"
    bao.put("core", password=word)
    provider = {"config.providers": "vault", "config.providers.vault.class": "vault",
                "config.providers.vault.param.vault.address": bao.address,
                "config.providers.vault.param.vault.token": bao.token}
    # Resolved into a setting that no library is given: what a core file may hold of it is ours alone.
    connector = {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": "t",
                 "connection.url": "jdbc:postgresql://127.0.0.1:1/x", "connection.user": "u",
                 "consumer.override.sasl.jaas.config": "${vault:secret/core:password}"}
    for allowed in ("false", "true"):
        folder = tmp_path / allowed
        folder.mkdir()
        dumped, core = core_of(build, folder, {**provider, "sluice.core.dumps": allowed}, connector,
                               lambda log: "ready" in log)
        if allowed == "false":
            assert not dumped and core is None
        elif core is None:
            pytest.skip("this system writes no core files into the working directory")
        else:
            assert b"sasl.jaas.config" in core  # it is this process's memory
            assert word.encode() not in core
