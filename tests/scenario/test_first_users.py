# SPDX-License-Identifier: Apache-2.0
"""
The connector files of our first users, read in place from the folder that SLUICE_FIXTURES names (.ci/run sets it; a
clone without them skips). Addresses and secrets are put in by the test; every other key stands as they wrote it.
"""
import json
import os
import pathlib

import pytest

from harness import sluice, wait

FIXTURES = os.environ.get("SLUICE_FIXTURES")


@pytest.mark.skipif(not FIXTURES, reason="SLUICE_FIXTURES names no folder")
def test_the_sqlserver_pair_brings_rows_and_marks_deletes(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False)
    folder = pathlib.Path(FIXTURES) / "connectors"
    source = json.loads((folder / "sqlserver-cdc-source.json").read_text())["config"]
    sink = json.loads((folder / "sqlserver-postgres-sink.json").read_text())["config"]
    source.update({"database.hostname": p.source.host, "database.port": str(p.source.port),
                   "database.user": p.source.user, "database.password": p.source.password})
    sink.update({"connection.url": p.target.url(p.database), "connection.user": p.target.user,
                 "connection.password": p.target.password})
    extra = ("schema_test", "test_customers")
    for table in extra:
        p.source.execute(f"CREATE TABLE dbo.{table} (id int PRIMARY KEY, name nvarchar(50)); EXEC sys.sp_cdc_enable_table "
                         f"@source_schema = N'dbo', @source_name = N'{table}', @role_name = NULL", database="warehouse_source")
        p.query(f"CREATE TABLE {table} (id integer PRIMARY KEY, name text)")
    p.sluice.connectors = [sluice.write_connector(p.sluice.folder / "a.json", "sqlserver-cdc-source", source),
                           sluice.write_connector(p.sluice.folder / "b.json", "postgresql-jdbc-sink", sink)]
    p.sluice.start()
    p.sluice.wait_for_log("streaming")
    # No data snapshot in their files: what happens from here on arrives.
    p.apply(p.warehouse.fill(customers=20, products=1, orders=20, lines=20))
    p.source.execute("INSERT INTO dbo.schema_test VALUES (1, N'one'), (2, N'two'); DELETE FROM dbo.schema_test WHERE id = 1",
                     database="warehouse_source")
    wait.until(lambda: p.query("SELECT id, name, __deleted FROM schema_test ORDER BY id") ==
               [(1, "one", "true"), (2, "two", "false")], "the soft delete")
    wait.until(lambda: p.query("SELECT count(*) FROM line_items")[0][0] == 20, "the line items")
