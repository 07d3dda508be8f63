# SPDX-License-Identifier: Apache-2.0
"""Secrets by reference: what refers to them runs, and nothing that leaves the process holds them."""
import json
import os
import pathlib
import resource
import signal
import subprocess

from harness import postgres, wait
from harness.sluice import Sluice, write_properties


def file_providers(folder):
    return {"config.providers": "file,dir,env",
            "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
            "config.providers.file.param.allowed.paths": folder,
            "config.providers.dir.class": "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
            "config.providers.dir.param.allowed.paths": folder,
            "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider"}


def login(cluster, name, password):
    cluster.execute(f"CREATE ROLE {name} LOGIN SUPERUSER PASSWORD '{password}'")


def keep(folder, name, **values):
    """A file of secrets in Java's properties form."""
    folder.mkdir(parents=True, exist_ok=True)
    write_properties(folder / name, values)
    return folder / name


def everything_below(folder, but=()):
    """(path, bytes) of each file that the process made or wrote."""
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file() and not any(path.is_relative_to(b) for b in but):
            yield path, path.read_bytes()


def forms(secret):
    """The ways in which a value could be written."""
    return {secret.encode(), secret.encode("utf-16-le"), secret.encode().hex().encode()}


def assert_not_found(secrets, texts):
    found = [(str(where), secret) for where, content in texts for secret in secrets
             for form in forms(secret) if form in content]
    assert not found, found


def test_files_folders_and_the_environment_serve_a_whole_pipeline_and_nothing_shows_it(make_pipeline, cluster, tmp_path):
    """Passwords are planted wherever a user may put them; then everything that left the process is searched."""
    vault = tmp_path / "secrets"
    planted = ["Planted-Pg-Word-1", "Planted-Env-Word-2", "Planted-Url-Word-3", "Planted-Open-Word-4",
               "Planted-Sasl-Word-5"]
    login(cluster, "planted_user", planted[0])
    keep(vault, "postgres", username="planted_user", password=planted[0])
    (vault / "odd").write_text(planted[1])
    url = f"http://127.0.0.1:{postgres.free_port()}"
    p = make_pipeline(cluster, ledger=False, worker={
        "listeners": url, **file_providers(vault), "consumer.sasl.jaas.config": f"x required password=\"{planted[4]}\";",
    }, sink_config={
        "connection.user": f"${{file:{vault}/postgres:username}}",
        "connection.password": f"${{file:{vault}/postgres:password}}",
        "consumer.override.sasl.jaas.config": "${env:PLANTED_WORD}",
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dlq-sink", "errors.log.enable": "true",
        "errors.deadletterqueue.context.headers.enable": "true", "errors.log.include.messages": "true"})
    p.sluice.url = url
    keep(vault, "sqlserver", user=p.source.user, password=p.source.password)
    config = p.folder / "sluice/source.json"
    config.write_text(config.read_text().replace(f'"{p.source.password}"', f'"${{file:{vault}/sqlserver:password}}"'))
    # A second sink whose password is wrong, and stands in the URL; a third with a wrong one in the open.
    wrong = {**p._sink_config(), "connection.user": "planted_user"}
    in_url = {**wrong, "connection.url": f"{wrong['connection.url']}?password={planted[2]}"}
    del in_url["connection.password"]
    p.sluice.connector("in-url", in_url)
    p.sluice.connector("in-the-open", {**wrong, "connection.password": planted[3]})
    checked = subprocess.run([p.sluice.program, "run", "--check", p.sluice.worker, *p.sluice.connectors], text=True,
                             capture_output=True, check=False, env={**os.environ, "PLANTED_WORD": planted[1]})
    assert checked.returncode == 1 and "password authentication failed" in checked.stderr
    assert_not_found(planted, [("--check", (checked.stdout + checked.stderr).encode())])

    p.sluice.connectors = p.sluice.connectors[:2]
    p.query("ALTER TABLE customers ADD CONSTRAINT no_bad CHECK (name NOT LIKE 'bad%')")
    p.sluice.start(env={"PLANTED_WORD": planted[1]})
    p.source.execute("INSERT INTO dbo.customers (name, credit_limit) VALUES (N'good', 1), (N'bad', 1)",
                     database="warehouse_source")
    wait.until(lambda: p.query("SELECT count(*) FROM customers")[0][0] == 1, "the good row")
    wait.until(lambda: "went to the dead letters" in p.sluice.output(), "the dead letter")
    letters = p.sluice.command("topics", "tail", "--state", p.sluice.state, "--from-beginning", "--no-follow",
                               "dlq-sink").stdout
    assert "no_bad" in letters
    status = p.sluice.command("status", "--state", p.sluice.state, "-o", "json").stdout
    answers = [json.dumps(p.sluice.rest(method, path, body)[:2]) for method, path, body in (
        ("GET", "/connectors?expand=info&expand=status", None), ("GET", "/connectors/sink", None),
        ("GET", "/connectors/sink/config", None), ("GET", "/connectors/sink/tasks", None),
        ("GET", "/connectors/sink/tasks-config", None), ("GET", "/connectors/source/status", None),
        ("GET", "/connectors/sink/offsets", None),
        ("PUT", "/connector-plugins/JdbcSinkConnector/config/validate",
         {**wrong, "name": "v", "connection.password": planted[3], "batch.size": planted[0]}),
        ("PUT", "/connector-plugins/JdbcSinkConnector/config/validate", {**p._sink_config(), **json.loads(
            (p.folder / "sluice/sink.json").read_text())["config"], "name": "v"}))]
    assert f"${{file:{vault}/postgres:password}}" in answers[1]  # the text as it was given
    # Everything changes at the target: what the server says of it may quote what we sent.
    cluster.execute("ALTER ROLE planted_user PASSWORD 'another'")
    cluster.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'planted_user' "
                    "AND pid <> pg_backend_pid()")
    p.source.execute("INSERT INTO dbo.customers (name, credit_limit) VALUES (N'late', 1)", database="warehouse_source")
    wait.until(lambda: "password authentication failed" in p.sluice.process.output(), "the login to fail")
    after = p.sluice.command("status", "--state", p.sluice.state, "-o", "json").stdout
    p.sluice.stop()
    assert_not_found([*planted, p.source.password], [
        *((f"answer {i}", answer.encode()) for i, answer in enumerate(answers)), ("dead letters", letters.encode()), ("status", status.encode()), ("later status", after.encode()),
        *((path, content) for path, content in everything_below(p.sluice.folder)
          if path.name not in ("worker.properties", "in-url.json", "in-the-open.json"))])


def test_a_reference_that_leads_nowhere_is_refused_by_setting_provider_and_key(build, tmp_path):
    program = Sluice(tmp_path, build, file_providers(tmp_path))
    program.connector("sink", {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": "t",
                               "connection.url": "jdbc:postgresql://127.0.0.1:1/x",
                               "connection.user": "${vault:secret/db:user}", "connection.password": "${env:NO_SUCH_WORD}"})
    done = program.command("run", "--check", program.worker, *program.connectors, check=False)
    assert done.returncode == 1
    assert "connection.user: refers to the key 'user' of the config provider 'vault'" in done.stderr
    assert "connection.password: refers to the key 'NO_SUCH_WORD'" in done.stderr


def test_a_setting_cannot_make_the_program_read_any_file(build, tmp_path):
    program = Sluice(tmp_path, build, {"config.providers": "file", "config.providers.file.class": "file"})
    program.connector("sink", {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": "t",
                               "connection.url": "jdbc:postgresql://127.0.0.1:1/x",
                               "connection.user": "${file:/etc/passwd:root}"})
    done = program.command("run", "--check", program.worker, *program.connectors, check=False)
    assert done.returncode == 1 and "'/etc/passwd' is outside the folders" in done.stderr
    assert "bin/" not in done.stderr.replace("/usr/bin", "")


def crash(program, folder):
    """The status of the process after a crash, with core files allowed by the shell, and those that it left."""
    with open(folder / "crash.log", "wb") as log:
        child = subprocess.Popen([program.program, "run", program.worker, *program.connectors], cwd=folder, stderr=log,
                                 stdin=subprocess.DEVNULL)
    resource.prlimit(child.pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait.until(lambda: "ready" in (folder / "crash.log").read_text(), "sluice to be ready")
    os.kill(child.pid, signal.SIGSEGV)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = status
    (folder / "core").unlink(missing_ok=True)
    return os.WCOREDUMP(status)


def test_a_crash_leaves_no_core_file_unless_asked_for(build, tmp_path):
    dumped = {}
    for allowed in ("false", "true"):
        folder = tmp_path / allowed
        folder.mkdir()
        program = Sluice(folder / "run", build, {"sluice.core.dumps": allowed})
        program.connector("sink", {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": "t",
                                   "connection.url": "jdbc:postgresql://127.0.0.1:1/x", "connection.user": "u",
                                   "connection.password": "Planted-Core-Word-1"})
        dumped[allowed] = crash(program, folder)
    # Whether the system writes core files at all is its own affair: that it could is seen where it was allowed.
    assert dumped["false"] is False
    print("the system writes core files:", dumped["true"])


def test_another_value_restarts_a_connector_unless_it_is_not_to(make_pipeline, cluster, tmp_path):
    """config.action.reload; the secret is none that anybody asks for, so that both values will do."""
    vault = tmp_path / "secrets"
    keep(vault, "kafka", word="the-first-word")
    refers = {"consumer.override.sasl.password": f"${{file:{vault}/kafka:word}}"}
    p = make_pipeline(cluster, ledger=True, worker={**file_providers(vault), "config.providers.file.param.default.ttl": "100"},
                      sink_config={**refers, "config.action.reload": "none"})
    ledger = p.sluice.folder / "ledger.json"
    config = json.loads(ledger.read_text())
    config["config"].update(refers)
    ledger.write_text(json.dumps(config))
    p.sluice.start()
    p.wait_equal()
    keep(vault, "kafka", word="the-second-word")
    wait.until(lambda: restarts(p), "the ledger to be restarted")
    p.change(10)
    p.wait_equal()
    assert set(restarts(p)) == {"ledger"}


def restarts(p):
    lines = [json.loads(line) for line in p.sluice.output().splitlines() if "a secret has another value" in line]
    return [line["connector"] for line in lines]
