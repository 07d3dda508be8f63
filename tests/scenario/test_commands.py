# SPDX-License-Identifier: Apache-2.0
"""The commands beside `run`, against a running worker."""
import json

from harness import wait


def test_topics_list_and_tail_show_what_is_in_the_log(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, fill={"customers": 3, "products": 2, "orders": 0, "lines": 0})
    p.sluice.start()
    p.wait_equal()
    listed = p.sluice.command("topics", "list", "--state", p.sluice.state).stdout
    assert "sqlserver.warehouse_source.dbo.customers" in listed
    lines = p.sluice.command("topics", "tail", "--state", p.sluice.state, "--from-beginning", "-n", "3", "-o", "json",
                             "sqlserver.warehouse_source.dbo.customers").stdout.splitlines()
    records = [json.loads(line) for line in lines]
    assert [r["offset"] for r in records] == [0, 1, 2]
    assert [r["key"]["id"] for r in records] == [1, 2, 3]
    assert records[0]["value"]["op"] == "r" and records[0]["value"]["after"]["id"] == 1


def test_status_names_every_task_and_its_state(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, fill={"customers": 3, "products": 2, "orders": 0, "lines": 0})
    p.sluice.start()
    p.wait_equal()
    wait.until(lambda: {(t["connector"], t["state"]) for t in p.sluice.status()["tasks"]} ==
               {("source", "RUNNING"), ("sink", "RUNNING")}, "both tasks to run")
    wait.until(lambda: all(t.get("lag_records", 0) == 0 for t in p.sluice.status()["tasks"]), "no lag")
    table = p.sluice.command("status", "--state", p.sluice.state).stdout
    assert "source" in table and "sink" in table and "RUNNING" in table


def test_a_failed_task_shows_its_reason_in_the_status(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False, fill={"customers": 3, "products": 2, "orders": 0, "lines": 0},
                      sink_config={"auto.evolve": "false"})
    p.sluice.start()
    wait.until(lambda: any(t["state"] == "FAILED" and "__op" in t.get("trace", "")
                           for t in p.sluice.status()["tasks"]), "the sink to fail for a missing column")


def test_version_and_help(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False)
    assert p.sluice.command("version").stdout.startswith("sluice ")
    assert "run" in p.sluice.command("help").stdout
    wrong = p.sluice.command("rum", check=False)
    assert wrong.returncode == 2 and "run" in wrong.stderr
