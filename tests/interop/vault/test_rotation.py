# SPDX-License-Identifier: Apache-2.0
"""A password becomes another while rows flow: the connector follows, and every row arrives once."""
import json

from harness import pipeline, wait


def test_rows_arrive_once_while_the_password_is_rotated_and_vault_is_away(build, cluster, bao, tmp_path):
    cluster.execute("CREATE ROLE rotated LOGIN SUPERUSER PASSWORD 'Rotated-Word-0'")
    role, secret = bao.approle("pipeline", 'path "secret/data/*" { capabilities = ["read"] }', token_ttl="3s",
                               token_max_ttl="8s")
    bao.put("postgres", username="rotated", password="Rotated-Word-0")
    sink = {"connection.user": "${vault:secret/postgres:username}",
            "connection.password": "${vault:secret/postgres:password}"}
    p = pipeline.Pipeline(tmp_path / "pipeline", build, cluster, worker={
        "config.providers": "vault",
        "config.providers.vault.class": "io.lenses.connect.secrets.providers.VaultSecretProvider",
        "config.providers.vault.param.vault.addr": bao.address,
        "config.providers.vault.param.vault.auth.method": "approle",
        "config.providers.vault.param.app.role.id": role,
        "config.providers.vault.param.app.role.secret.id": secret,
        "config.providers.vault.param.default.ttl": "300",
    }, source_config={"database.hostname": "${vault:secret/database:sqlserver_host}",
                      "database.user": "${vault:secret/database:sqlserver_user}",
                      "database.password": "${vault:secret/database:sqlserver_password}"},
        sink_config=sink, fill={"customers": 20, "orders": 40, "lines": 80, "products": 10})
    bao.put("database", sqlserver_host=p.source.host, sqlserver_user=p.source.user, sqlserver_password=p.source.password)
    ledger = p.sluice.folder / "ledger.json"  # what proves "once" is rotated as well
    config = json.loads(ledger.read_text())
    config["config"].update(sink)
    ledger.write_text(json.dumps(config))
    try:
        # Vault is sealed when we start, and opened while we wait.
        bao.seal()
        p.sluice.start()
        p.sluice.wait_for_log("secrets cannot be read yet")
        bao.unseal()
        p.wait_equal()
        for turn in range(1, 4):
            word = f"Rotated-Word-{turn}"
            p.change(200)
            cluster.execute(f"ALTER ROLE rotated PASSWORD '{word}'")
            bao.put("postgres", username="rotated", password=word)
            cluster.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'rotated'")
            p.change(200)
            wait.until(p.equal, f"the rows after rotation {turn}", 60, 0.2)
        told = p.sluice.output().count("a secret has become another")
        assert told >= 3
        # What runs does not need Vault.
        bao.stop()
        p.change(200)
        wait.until(p.equal, "the rows without Vault", 60, 0.2)
        wait.until(p.ledger_complete, "the ledger", 60, 0.2)
        p.check_ledger()
        output = p.sluice.output()
        assert not [w for w in ("Rotated-Word", secret, p.source.password) if w in output]
        assert p.sluice.stop() == 0
    finally:
        p.close()
