# SPDX-License-Identifier: Apache-2.0
"""One circuit breaker for each system outside: whoever waits for it shares it, and it is seen wherever states are."""
import json

from harness import postgres, wait
from harness.sluice import Sluice


def breakers(program, system=None):
    found = program.rest("GET", "/admin/breakers")[1]
    return [b for b in found if system in (None, b["system"])]


def test_two_sinks_of_one_target_share_a_breaker_that_one_of_them_tries(make_pipeline, own_cluster):
    url = f"http://127.0.0.1:{postgres.free_port()}"
    p = make_pipeline(own_cluster, worker={"listeners": url}, fill={"customers": 10})
    p.sluice.url = url
    p.sluice.start()
    p.wait_equal()
    assert {(b["system"], b["state"]) for b in breakers(p.sluice)} == {("postgres", "closed"), ("sqlserver", "closed")}
    own_cluster.stop()
    p.change(40)
    target = wait.until(lambda: [b for b in breakers(p.sluice, "postgres") if b.get("waiting") == 2], "both to wait")
    assert len(target) == 1 and target[0]["askers"] == 2 and target[0]["state"] in ("open", "half-open"), target
    assert target[0]["address"] == f"127.0.0.1:{own_cluster.port}/{p.database}"
    # Two who wait make no more tries than one would: attempt n comes after half of 100 ms * 2^(n-1) at least.
    later = wait.until(lambda: [b for b in breakers(p.sluice, "postgres") if b["attempts"] >= 4], "more tries")[0]
    assert later["next_try_ms"] - later["since_ms"] >= 50 * (2 ** later["attempts"] - 1) - 10, later
    def told():  # what the status says is up to a second old
        status = json.loads(p.sluice.command("status", "--state", p.sluice.state, "-o", "json").stdout)
        return [b["system"] for b in status["breakers"]] == ["postgres"] and \
            {task["connector"] for task in status["tasks"] if task.get("breakers")} == {"sink", "ledger"} and status
    status = wait.until(told, "the status to tell of it")
    line = f"postgres 127.0.0.1:{own_cluster.port}/{p.database} does not answer"
    table = p.sluice.command("status", "--state", p.sluice.state).stdout
    assert line in table
    assert p.target.password not in table + json.dumps(status)
    own_cluster.start()
    p.wait_equal()
    wait.until(lambda: {b["state"] for b in breakers(p.sluice)} == {"closed"}, "the circuits to close", 60)
    wait.until(p.ledger_complete, "the ledger", 60)
    p.check_ledger()
    wait.until(lambda: "does not answer" not in p.sluice.command("status", "--state", p.sluice.state).stdout, "the status")
    p.sluice.assert_running()


def test_a_source_that_is_away_has_a_breaker_of_its_own(make_pipeline, cluster):
    url = f"http://127.0.0.1:{postgres.free_port()}"
    p = make_pipeline(cluster, ledger=False, worker={"listeners": url}, fill={"customers": 5})
    p.sluice.url = url
    p.sluice.start()
    p.wait_equal()
    p.source.stop()
    one = wait.until(lambda: [b for b in breakers(p.sluice, "sqlserver") if b["state"] != "closed"], "it to open")[0]
    assert one["address"] == f"{p.source.host}:{p.source.port}" and one["error"]
    assert breakers(p.sluice, "postgres")[0]["state"] == "closed"


def test_a_vault_that_is_away_is_not_asked_by_everybody_all_the_time(build, tmp_path):
    port = postgres.free_port()
    program = Sluice(tmp_path, build, {"config.providers": "vault", "config.providers.vault.class": "vault",
                                       "config.providers.vault.param.vault.address": f"http://127.0.0.1:{port}",
                                       "config.providers.vault.param.vault.token": "Planted-Token-1"}, rest=True)
    program.start()
    wait.until(lambda: '"ready"' in program.output(), "sluice")
    assert [(b["system"], b["state"]) for b in breakers(program)] == [("vault", "closed")]
    config = {"connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "topics": "t", "name": "s",
              "connection.url": "jdbc:postgresql://127.0.0.1:1/x", "connection.password": "${vault:secret/db:password}"}

    def told():
        status, answer, _ = program.rest("PUT", "/connectors/s/config", config)
        assert status in (400, 500, 503), answer
        return answer["message"] if "not asked again for another" in answer["message"] else None
    said = wait.until(told, "Vault to be left alone")
    assert f"127.0.0.1:{port}" in said and "Planted-Token-1" not in said
    one = breakers(program, "vault")[0]
    assert one["state"] in ("open", "half-open") and one["attempts"] >= 2 and one["address"] == f"http://127.0.0.1:{port}"
    program.stop()
