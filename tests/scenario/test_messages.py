# SPDX-License-Identifier: Apache-2.0
"""`sluice run` with something wrong says in one line what is wrong, with which thing, and what to do."""
import json

import pytest

from harness import postgres, sluice, wait


@pytest.fixture
def ready(make_pipeline, cluster):
    return make_pipeline(cluster, ledger=False, fill={"customers": 5, "products": 1, "orders": 0, "lines": 0})


def change(p, which, **changes):
    path = p.sluice.folder / f"{which}.json"
    content = json.loads(path.read_text())
    for key, value in changes.items():
        content["config"].pop(key, None) if value is None else content["config"].__setitem__(key, value)
    sluice.write_connector(path, which, content["config"])


def refused(p, *words):
    """run exits 1; one line holds all the words and a hint."""
    done = p.sluice.command("run", p.sluice.worker, *p.sluice.connectors, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if all(w.lower() in line.lower() for w in words)]
    assert len(lines) >= 1, f"no line has {words}:\n{done.stderr}"
    assert any("HINT" in line for line in lines), done.stderr
    return done.stderr


def test_wrong_password_at_the_source(ready):
    change(ready, "source", **{"database.password": "no"})
    assert ".." not in refused(ready, "sa", "password", "18456")


def test_wrong_password_at_the_target(ready):
    change(ready, "sink", **{"connection.password": "no"})
    refused(ready, "password", "postgres")


def test_secrets_are_not_repeated(ready):
    change(ready, "sink", **{"connection.password": "planted-secret-1"})
    change(ready, "source", **{"database.password": "planted-secret-2"})
    assert "planted-secret" not in refused(ready, "password")


def test_missing_table_at_the_source(ready):
    change(ready, "source", **{"table.include.list": "dbo.customers,dbo.nowhere"})
    refused(ready, "dbo.nowhere")


def test_table_without_cdc(ready):
    ready.source.execute("CREATE TABLE dbo.plain (id int PRIMARY KEY)", database="warehouse_source")
    change(ready, "source", **{"table.include.list": "dbo.customers,dbo.plain"})
    refused(ready, "dbo.plain", "sp_cdc_enable_table")


def test_database_without_cdc(ready):
    ready.source.execute("CREATE DATABASE untracked")
    change(ready, "source", **{"database.names": "untracked"})
    refused(ready, "untracked", "sp_cdc_enable_db")


def test_missing_database_at_the_source(ready):
    change(ready, "source", **{"database.names": "nowhere"})
    refused(ready, "nowhere")


def test_missing_table_at_the_target(ready):
    """A task's matter, as in Connect: the sink fails with one line, and its status says the same."""
    ready.query("DROP TABLE customers")
    ready.sluice.start()
    line = wait.until(lambda: [x for x in ready.sluice.output().splitlines() if "auto.create" in x and "HINT" in x],
                      "the sink to say what is missing")[0]
    assert "customers" in line
    wait.until(lambda: [t for t in ready.sluice.status()["tasks"]
                        if t["state"] == "FAILED" and "auto.create" in t["trace"]], "the status to say it too")


def test_missing_database_at_the_target(ready):
    change(ready, "sink", **{"connection.url": ready.target.url("nowhere")})
    refused(ready, "nowhere")


def test_unreachable_source_is_said_at_once_and_tried_again(ready):
    change(ready, "source", **{"database.port": str(postgres.free_port())})
    ready.sluice.start()
    ready.sluice.wait_for_log("127.0.0.1")
    ready.sluice.wait_for_log("HINT")
    ready.sluice.assert_running()
    assert ready.sluice.stop() == 0


def test_unreachable_target_is_said_at_once_and_tried_again(ready):
    change(ready, "sink", **{"connection.url": f"jdbc:postgresql://127.0.0.1:{postgres.free_port()}/x"})
    ready.sluice.start()
    ready.sluice.wait_for_log("127.0.0.1")
    ready.sluice.wait_for_log("HINT")
    ready.sluice.assert_running()
    assert ready.sluice.stop() == 0


def test_wrong_class_names_the_nearest(ready):
    change(ready, "source", **{"connector.class": "io.debezium.connector.sqlserver.SqlServerConnectr"})
    refused(ready, "SqlServerConnectr", "io.debezium.connector.sqlserver.SqlServerConnector")


def test_unknown_transform_names_the_nearest(ready):
    change(ready, "sink", **{"transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordStat"})
    refused(ready, "ExtractNewRecordStat", "io.debezium.transforms.ExtractNewRecordState")


def test_malformed_json_names_line_and_column(ready):
    (ready.sluice.folder / "source.json").write_text('{"name": "source",\n "config": {"a": }}')
    refused(ready, "source.json", "line 2")


def test_missing_and_wrong_keys_are_named_one_a_line(ready):
    change(ready, "source", **{"topic.prefix": None, "database.hostname": None, "poll.interval.ms": "soon"})
    text = refused(ready, "topic.prefix")
    assert "database.hostname" in text and "poll.interval.ms" in text and "soon" in text


def test_unknown_keys_are_warned_about_by_name(ready):
    change(ready, "sink", **{"no.such.key": "1"})
    ready.sluice.start()
    ready.sluice.wait_for_log("no.such.key")
    ready.wait_equal()


def test_a_missing_worker_file_is_named(ready):
    done = ready.sluice.command("run", "/nowhere/worker.properties", *ready.sluice.connectors, check=False)
    assert done.returncode == 1 and "/nowhere/worker.properties" in done.stderr


def test_deletes_need_the_record_key(ready):
    change(ready, "sink", **{"delete.enabled": "true"})
    refused(ready, "delete.enabled", "pk.mode")
