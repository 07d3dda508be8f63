# SPDX-License-Identifier: Apache-2.0
"""
Deletes of ranges and partitions, and static columns, from ScyllaDB's statements to the rows that are left in
PostgreSQL: clustering columns of several types, in both orders, under a collation that orders text otherwise.
"""
import random
import uuid

import pytest

from harness import scylla, sluice, wait

TABLES = {
    "grid": ("p int, a int, b int, c int, v text, PRIMARY KEY (p, a, b, c)",
             "CLUSTERING ORDER BY (a ASC, b DESC, c ASC) AND ", "p int, a int, b int, c int, v text, PRIMARY KEY (p, a, b, c)"),
    "moments": ("p text, at timeuuid, v int, PRIMARY KEY (p, at)", "CLUSTERING ORDER BY (at DESC) AND ",
                "p text, at uuid, v int, PRIMARY KEY (p, at)"),
    "marks": ("p uuid, id uuid, v int, PRIMARY KEY (p, id)", "", "p uuid, id uuid, v int, PRIMARY KEY (p, id)"),
    "words": ("p int, q text, word text, v int, PRIMARY KEY ((p, q), word)", "",
              'p int, q text, word text COLLATE "en-x-icu", v int, PRIMARY KEY (p, q, word)'),
    "groups": ("p int, name text STATIC, id int, v int, PRIMARY KEY (p, id)", "",
               "p int, name text, id int, v int, PRIMARY KEY (p, id)"),
}
WORDS = ("Apfel", "apfel", "Birne", "birne", "Äpfel", "Zebra", "zebra", "änder", "Öl", "東")


def times(r, n):
    """UUIDs of version 1 whose bytes are in another order than their times."""
    return [uuid.UUID(fields=(r.getrandbits(32), r.getrandbits(16), 0x1000 | r.randrange(0x1E0, 0x1F0),
                              0x80 | r.getrandbits(6), r.getrandbits(8), r.getrandbits(48))) for _ in range(n)]


def writes(r, moments, ids):
    """One random statement with its values."""
    kind = r.randrange(12)
    p, a, b, c = r.randrange(2), r.randrange(4), r.randrange(4), r.randrange(3)
    if kind < 3:
        return "INSERT INTO app.grid (p, a, b, c, v) VALUES (%s, %s, %s, %s, %s)", (p, a, b, c, f"v{r.randrange(99)}")
    if kind == 3:
        return r.choice((("DELETE FROM app.grid WHERE p = %s AND a = %s AND b > %s", (p, a, b)),
                         ("DELETE FROM app.grid WHERE p = %s AND a = %s AND b <= %s", (p, a, b)),
                         ("DELETE FROM app.grid WHERE p = %s AND a >= %s AND a < %s", (p, a, a + 2)),
                         ("DELETE FROM app.grid WHERE p = %s AND a = %s AND b = %s AND c > %s", (p, a, b, c)),
                         ("DELETE FROM app.grid WHERE p = %s AND a = %s", (p, a))))
    if kind == 4:
        return ("DELETE FROM app.grid WHERE p = %s", (p,)) if r.random() < .3 else \
            ("UPDATE app.grid SET v = %s WHERE p = %s AND a = %s AND b = %s AND c = %s", (f"u{r.randrange(99)}", p, a, b, c))
    if kind in (5, 6):
        return "INSERT INTO app.moments (p, at, v) VALUES (%s, %s, %s)", (str(p), r.choice(moments), r.randrange(99))
    if kind == 7:
        return (f"DELETE FROM app.moments WHERE p = %s AND at {r.choice(('<', '<=', '>', '>='))} %s",
                (str(p), r.choice(moments)))
    if kind == 8:
        return r.choice((("INSERT INTO app.marks (p, id, v) VALUES (%s, %s, %s)", (ids[0], r.choice(ids), r.randrange(99))),
                         ("INSERT INTO app.marks (p, id, v) VALUES (%s, %s, %s)", (ids[0], r.choice(moments), r.randrange(99))),
                         ("DELETE FROM app.marks WHERE p = %s AND id > %s", (ids[0], r.choice(ids + moments)))))
    if kind in (9, 10):
        return r.choice((("INSERT INTO app.words (p, q, word, v) VALUES (%s, %s, %s, %s)",
                          (p, "q", r.choice(WORDS), r.randrange(99))),
                         ("INSERT INTO app.words (p, q, word, v) VALUES (%s, %s, %s, %s)",
                          (p, "q", r.choice(WORDS), r.randrange(99))),
                         ("DELETE FROM app.words WHERE p = %s AND q = %s AND word >= %s AND word < %s",
                          (p, "q", *sorted(r.sample(WORDS, 2), key=str.encode)))))
    return r.choice((("INSERT INTO app.groups (p, id, v) VALUES (%s, %s, %s)", (p, a, r.randrange(99))),
                     ("UPDATE app.groups SET name = %s WHERE p = %s", (f"n{r.randrange(9)}", p)),
                     ("DELETE name FROM app.groups WHERE p = %s", (p,)),
                     ("DELETE FROM app.groups WHERE p = %s AND id < %s", (p, a))))


def columns(table):
    return [part.split()[0] for part in TABLES[table][2].split(", PRIMARY")[0].split(", ")]


@pytest.mark.parametrize("images", ["none", "post"])
def test_ranges_of_every_order_leave_the_rows_that_the_source_has(tmp_path, build, cluster, images):
    database = f"scylla_ranges_{images}"
    cluster.execute(f"CREATE DATABASE {database}")
    source = scylla.Scylla(tmp_path / "scylla", build).start()
    session = source.session()
    session.execute("CREATE KEYSPACE app WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}")
    for table, (cql, order, sql) in TABLES.items():
        session.execute(f"CREATE TABLE app.{table} ({cql}) WITH {order}cdc = {{'enabled': true, 'postimage': "
                        f"{'true' if images == 'post' else 'false'}}}")
        cluster.execute(f"CREATE TABLE {table} ({sql})", database=database)
    run = sluice.Sluice(tmp_path / "sluice", build)
    run.connector("source", {
        "connector.class": "com.scylladb.cdc.debezium.connector.ScyllaConnector", "tasks.max": "2", "topic.prefix": "s",
        "scylla.cluster.ip.addresses": f"{source.host}:{source.port}",
        "scylla.table.names": ",".join(f"app.{table}" for table in TABLES),
        "scylla.query.time.window.size": "500", "scylla.confidence.window.size": "500",
        "topic.creation.default.partitions": "3", "topic.creation.default.replication.factor": "1",
        **({"cdc.output.format": "advanced", "cdc.include.after": "full"} if images == "post" else {})})
    run.connector("sink", {
        "connector.class": "io.confluent.connect.jdbc.JdbcSinkConnector", "tasks.max": "2",
        "connection.url": cluster.url(database), "connection.user": cluster.user, "connection.password": cluster.password,
        "topics": ",".join(f"s.app.{table}" for table in TABLES), "table.name.format": "${topic}",
        "insert.mode": "upsert", "pk.mode": "record_key", "delete.enabled": "true", "transforms": "unwrap,route",
        "transforms.unwrap.type": "com.scylladb.cdc.debezium.connector.transforms.ScyllaExtractNewRecordState",
        **({"transforms.unwrap.cdc.output.format": "advanced"} if images == "post" else {}),
        "transforms.unwrap.drop.tombstones": "false", "transforms.unwrap.delete.handling.mode": "none",
        "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.route.regex": "s\\.app\\.(.*)", "transforms.route.replacement": "$1"})
    run.start()

    r = random.Random(7)
    moments, ids = times(r, 12), [uuid.UUID(int=r.getrandbits(128), version=4) for _ in range(8)]
    for i in range(1500):
        statement, values = writes(r, moments, ids)
        session.execute(statement, values)
        if i == 700:
            run.kill()
            run.start()

    def differing():
        run.assert_running()
        found = []
        for table in TABLES:
            listed = ", ".join(columns(table))
            left = {tuple(map(str, row)) for row in session.execute(f"SELECT {listed} FROM app.{table}")}
            if table == "groups":  # a partition with nothing but its static columns has no row in PostgreSQL
                left = {row for row in left if row[2] != "None"}
            right = {tuple(map(str, row)) for row in cluster.execute(f"SELECT {listed} FROM {table}", database=database)}
            found += [(table, "source", row) for row in left - right] + [(table, "target", row) for row in right - left]
        return found

    try:
        wait.until(lambda: not differing(), "both sides to agree", 40, every=0.3)
    except wait.Timeout:
        pytest.fail(f"{len(differing())} rows differ, e.g. {differing()[:8]}\n{run.output()[-3000:]}")
    finally:
        assert run.stop() == 0
        source.stop()
