# SPDX-License-Identifier: Apache-2.0
"""The commands that ask a running sluice over its REST API."""
import json
import os
import subprocess

import pytest

from harness import sluice, wait

SINK = "io.confluent.connect.jdbc.JdbcSinkConnector"
EXIT = {"done": 0, "failed": 1, "misused": 2, "unreachable": 3, "missing": 4, "conflict": 5}


class Asked:
    def __init__(self, program):
        self.program = program

    def __call__(self, *arguments, given=None, **environment):
        env = {**os.environ, "SLUICE_URL": self.program.url, **environment}
        return subprocess.run([self.program.program, *map(str, arguments)], input=given, capture_output=True, text=True,
                              check=False, timeout=60, env=env)


@pytest.fixture(scope="module")
def ask(tmp_path_factory, build, cluster):
    cluster.execute('CREATE DATABASE "cli"')
    program = sluice.Sluice(tmp_path_factory.mktemp("cli") / "sluice", build, rest=True).start()
    wait.until(lambda: '"ready"' in program.output(), "sluice")
    asked = Asked(program)
    asked.file = program.folder / "orders-sink.json"
    asked.config = {"connector.class": SINK, "topics": "none.yet", "insert.mode": "upsert", "pk.mode": "record_key",
                    "connection.url": f"jdbc:postgresql://127.0.0.1:{cluster.port}/cli",
                    "connection.user": cluster.user, "connection.password": "x"}
    asked.file.write_text(json.dumps({"name": "orders-sink", "config": asked.config}))
    made = asked("apply", asked.file)
    assert made.returncode == 0 and "made connector 'orders-sink'" in made.stdout, made
    yield asked
    program.stop()


def state(ask, wanted):
    wait.until(lambda: json.loads(ask("get", "connector", "orders-sink", "-o", "json").stdout)["orders-sink"]["status"]
               ["connector"]["state"] == wanted, wanted)


def test_get_shows_connectors_in_four_forms(ask):
    state(ask, "RUNNING")
    table = ask("get", "connectors").stdout.splitlines()
    assert table[0].split() == ["NAME", "TYPE", "STATE", "TASKS", "NOTE"]
    assert table[1].split()[:3] == ["orders-sink", "sink", "RUNNING"]
    assert SINK in ask("get", "-o", "wide").stdout
    assert json.loads(ask("get", "-o", "json").stdout)["orders-sink"]["status"]["type"] == "sink"
    yaml = ask("get", "config", "orders-sink", "-o", "yaml").stdout
    assert f"connector.class: {SINK}\n" in yaml and "topics: none.yet\n" in yaml
    assert f'connection.url: "{ask.config["connection.url"]}"\n' in yaml


def test_the_state_directory_is_shown_in_the_same_forms(ask, tmp_path):
    where = ("--state", ask.program.state)
    for command, title, member in (("status", "CONNECTOR", "tasks"), ("topics list", "TOPIC", "topics")):
        for form in ("table", "wide"):
            shown = ask(*command.split(), *where, "-o", form)
            assert shown.returncode == 0 and title in shown.stdout, shown
            assert not any(line.endswith(" ") for line in shown.stdout.splitlines())
        assert isinstance(json.loads(ask(*command.split(), *where, "-o", "json").stdout)[member], list)
        assert f"{member}:" in ask(*command.split(), *where, "-o", "yaml").stdout
        assert ask(*command.split(), *where, "-o", "xml").returncode == EXIT["misused"]
    with open(tmp_path / "seen", "w") as seen:
        child = subprocess.Popen([ask.program.program, "status", *where, "--watch", "--every", "0.1"], stdout=seen)
        wait.until(lambda: (tmp_path / "seen").read_text().count("CONNECTOR") > 2, "three pictures")
        child.terminate()
        child.wait(10)


def test_apply_changes_and_dry_run_only_asks(ask, tmp_path):
    again = ask("apply", "-f", "-", given=json.dumps({"name": "orders-sink", "config": {**ask.config, "batch.size": 9}}))
    assert again.returncode == 0 and "changed" in again.stdout, again
    assert "batch.size=9" in ask("get", "config", "orders-sink").stdout
    bad = tmp_path / "bad.properties"
    bad.write_text(f"name=bad\nconnector.class={SINK}\ninsert.mode=guess\n")
    checked = ask("apply", "--dry-run", bad)
    assert checked.returncode == EXIT["failed"] and "insert.mode" in checked.stderr and "topics" in checked.stderr
    refused = ask("apply", bad)
    assert refused.returncode == EXIT["failed"] and "[400]" in refused.stderr
    assert ask("apply", "--dry-run", ask.file).returncode == 0


def test_patch_sets_and_removes_keys(ask):
    assert ask("patch", "orders-sink", "batch.size=11", "tasks.max=1").returncode == 0
    assert "batch.size=11" in ask("get", "config", "orders-sink").stdout
    assert ask("patch", "orders-sink", "batch.size-").returncode == 0
    assert "batch.size" not in ask("get", "config", "orders-sink").stdout
    assert ask("patch", "orders-sink", "nonsense").returncode == EXIT["misused"]


def test_pause_resume_stop_restart(ask):
    for command, reached in (("pause", "PAUSED"), ("resume", "RUNNING"), ("stop", "STOPPED"), ("resume", "RUNNING")):
        done = ask(command, "orders-sink")
        assert done.returncode == 0 and "orders-sink" in done.stdout, done
        state(ask, reached)
    wait.until(lambda: "0 " in ask("get", "tasks", "orders-sink").stdout, "the task")
    assert ask("restart", "orders-sink").returncode == 0
    assert ask("restart", "--task", "0", "orders-sink").returncode == 0
    assert ask("restart", "--only-failed", "orders-sink").returncode == 0
    state(ask, "RUNNING")


def test_describe_shows_all_of_a_connector_and_of_a_plugin(ask):
    page = ask("describe", "orders-sink").stdout
    assert "Name:   orders-sink" in page and "State:  " in page and "insert.mode" in page
    assert "RegexRouter" in ask("plugins", "--all").stdout and "RegexRouter" not in ask("plugins").stdout
    options = ask("describe", "plugin", "JdbcSinkConnector").stdout
    assert "connection.url" in options and "IMPORTANCE" in options


def test_a_wrong_name_is_answered_with_the_right_one(ask):
    done = ask("pause", "order-sink")
    assert done.returncode == EXIT["missing"] and "did you mean 'orders-sink'" in done.stderr
    assert "did you mean 'connectors'" in ask("get", "conectors").stderr
    assert "did you mean 'sluice pause'" in ask("pausse", "orders-sink").stderr
    assert ask("get", "config", "nobody").returncode == EXIT["missing"]


def test_a_wrong_command_is_answered_with_the_right_one(ask):
    for wrong, right in (("gte", "get"), ("descrbe", "describe"), ("dlq", "dlq list"), ("dlq relpay", "dlq replay")):
        done = ask(*wrong.split())
        assert done.returncode == EXIT["misused"] and f"did you mean 'sluice {right}'?" in done.stderr, done.stderr


def test_exit_statuses_tell_what_happened(ask):
    assert ask("get", "-o", "xml").returncode == EXIT["misused"]
    away = ask("get", "connectors", SLUICE_URL="http://127.0.0.1:1")
    assert away.returncode == EXIT["unreachable"] and "HINT" in away.stderr


def test_loggers_are_shown_and_set(ask):
    assert ask("loggers", "root", "WARN").returncode == 0
    assert "WARN" in ask("loggers").stdout
    assert ask("loggers", "--cluster", "root", "INFO").returncode == 0
    assert ask("loggers", "root", "LOUD").returncode == EXIT["missing"]


def test_watch_shows_again_until_interrupted(ask, tmp_path):
    with open(tmp_path / "seen", "w") as seen:
        child = subprocess.Popen([ask.program.program, "get", "--watch", "--every", "0.1"], stdout=seen,
                                 env={**os.environ, "SLUICE_URL": ask.program.url})
        wait.until(lambda: (tmp_path / "seen").read_text().count("NAME") > 2, "three pictures")
        child.terminate()
        child.wait(10)


def test_a_login_comes_from_flags_or_the_environment(ask, build, tmp_path):
    line = ask("users", "hash", "ada", given="a secret\n").stdout
    assert line.startswith("ada=pbkdf2-sha256:") and "a secret" not in line
    (tmp_path / "users").write_text(line)
    (tmp_path / "password").write_text("a secret\n")
    program = sluice.Sluice(tmp_path / "sluice", build, {"sluice.rest.users.file": tmp_path / "users"}, rest=True).start()
    wait.until(lambda: '"ready"' in program.output(), "sluice")
    asked = Asked(program)
    refused = asked("get")
    assert refused.returncode == EXIT["failed"] and "--password-file" in refused.stderr
    assert asked("get", "--user", "ada", "--password-file", tmp_path / "password").returncode == 0
    assert asked("get", SLUICE_USER="ada", SLUICE_PASSWORD="a secret").returncode == 0
    assert asked("get", SLUICE_USER="ada", SLUICE_PASSWORD="b secret").returncode == EXIT["failed"]
    program.stop()


def test_completion_and_manual_pages_come_from_the_tables(ask, tmp_path):
    script = ask("completion", "bash").stdout
    done = subprocess.run(["bash", "-c", script + "\nCOMP_WORDS=(sluice res); COMP_CWORD=1; _sluice; echo ${COMPREPLY[@]}"
                           "\nCOMP_WORDS=(sluice offsets re); COMP_CWORD=2; _sluice; echo ${COMPREPLY[@]}"
                           "\nCOMP_WORDS=(sluice get --wa); COMP_CWORD=2; _sluice; echo ${COMPREPLY[@]}"],
                          capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["resume restart", "reset", "--watch"], done
    assert ask("completion", "fish").stdout.count("complete -c sluice") > 20
    overview = ask("man").stdout
    for command in ("get", "offsets reset", "run"):
        assert f".B {command}\n" in overview
        page = ask("man", *command.split()).stdout
        assert page.startswith(".TH") and ".SH SYNOPSIS" in page
    assert "\\-\\-watch" in ask("man", "get").stdout
    assert ask("man", "--into", tmp_path).returncode == 0 and (tmp_path / "sluice-offsets-reset.1").exists()
    nowhere = ask("man", "--into", tmp_path / "nowhere")
    assert nowhere.returncode == EXIT["failed"] and "HINT" in nowhere.stderr
