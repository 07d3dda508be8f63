# SPDX-License-Identifier: Apache-2.0
"""
Strangers at the simulator's door: CQL's clients from the registries, each probes the protocol's version, logs in, runs
the same script, and must read the same values. See README.md.
"""
import json
import re
import subprocess

import pytest

import cql_downloads
from harness import scylla

CLIENTS = ["debian-driver", "cassandra-driver", "scylla-driver", "java-apache", "java-scylla", "gocql1", "gocql2"]
MODES = {"clear": {}, "lz4": {"lz4": True}, "tls-auth": {"tls": True, "user": "cassandra", "password": "cassandra"}}

# "no lz4": the client has none. "no nulls": its maps of values do not tell null from nothing. "no tuples": neither names
# them as columns. "no hosts", "no column types": it does not show them.
TRAITS = {
    "gocql1": {"no lz4", "no nulls", "no hosts", "no column types"},
    "gocql2": {"no nulls", "no hosts", "no column types"},
}

KINDS = [  # type, literal, the job's text; bound as a parameter too where the job says how
    ("ascii", "'abc'", "abc"), ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("blob", "0x00cafe", "00cafe"), ("boolean", "true", "true"), ("date", "'2024-01-31'", "2024-01-31"),
    ("decimal", "-123.4500", "-123.4500"), ("double", "1.5", "1.5"), ("duration", "1mo2d3ns", "1mo2d3ns"),
    ("float", "-2.25", "-2.25"), ("inet", "'10.1.2.3'", "10.1.2.3"), ("int", "2147483647", "2147483647"),
    ("smallint", "-32768", "-32768"), ("text", "'Gr\u00fc\u00dfe, it''s'", "Gr\u00fc\u00dfe, it's"),
    ("time", "'23:59:59.123456789'", "23:59:59.123456789"),
    ("timestamp", "'2024-01-31T23:59:59.123Z'", "2024-01-31T23:59:59.123Z"),
    ("timeuuid", "50554d6e-29bb-11e5-b345-feff819cdc9f", "50554d6e-29bb-11e5-b345-feff819cdc9f"),
    ("tinyint", "-128", "-128"),
    ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
    ("varint", "-123456789012345678901234567890", "-123456789012345678901234567890"),
    ("list<int>", "[3, 1, 3]", "[3,1,3]"), ("set<text>", "{'b', 'a'}", "[a,b]"),
    ("map<text,text>", "{'k': 'v', 'a': 'b'}", "{a=b,k=v}"), ("frozen<list<text>>", "['x', 'y']", "[x,y]"),
    ("frozen<map<int,frozen<set<int>>>>", "{1: {3, 2}}", "{1=[2,3]}"),
    ("tuple<int,text>", "(1, 'x')", "(1,x)"),
    ("frozen<address>", "{street: 'Main', number: 5}", "<number=5,street=Main>"),
]
BOUND = {"ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "float", "inet", "int", "smallint", "text", "time",
         "timestamp", "timeuuid", "tinyint", "uuid", "varint", "map<text,text>"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory, build):
    folder = tmp_path_factory.mktemp("clients")
    running = {"clear": scylla.Scylla(folder / "clear", build, nodes=2).start(),
               "tls-auth": scylla.Scylla(folder / "tls", build, user="cassandra", password="cassandra", tls=True).start()}
    running["lz4"] = running["clear"]
    yield running
    for server in (running["clear"], running["tls-auth"]):
        server.stop()


class Client:
    def __init__(self, name, mode, server, cache):
        self.name, self.mode, self.server = name, mode, server
        self.traits = TRAITS.get(name, set())
        if mode == "lz4" and "no lz4" in self.traits:
            self.program = None
        else:
            self.program = [str(a) for a in cql_downloads.program(cache, name)]
        self.keyspace = re.sub(r"\W", "_", f"{name}_{mode}")

    def play(self, steps):
        """The lines of a job that ran to its end."""
        job = {"driver": self.name, "hosts": self.server.hosts, "port": self.server.port, "user": "", "password": "",
               "tls": False, "cert": str(self.server.cert), "lz4": False, **MODES[self.mode], "steps": steps}
        done = subprocess.run(self.program, input=json.dumps(job), capture_output=True, text=True, timeout=120, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert done.returncode == 0 and len(lines) == len(steps), \
            f"{self.name} stopped after {len(lines)} of {len(steps)} steps: {done.stdout[-500:]}{done.stderr[-3000:]}"
        return lines

    def set_up(self):
        script = re.sub(r"(?m)^--.*$", "", (cql_downloads.HERE / "setup.cql").read_text().replace("KS", self.keyspace))
        return [{"op": "run", "cql": cql.strip()} for cql in re.split(r";\n", script) if cql.strip()]


@pytest.fixture
def client(request, servers, cache):
    name, mode = request.param
    made = Client(name, mode, servers[mode], cache)
    if made.program is None:
        pytest.fail("asked for what the client has not")
    made.server.execute(f"DROP KEYSPACE IF EXISTS {made.keyspace}")
    return made


def each(*modes):
    found = [(c, m) for c in CLIENTS for m in modes if not (m == "lz4" and "no lz4" in TRAITS.get(c, ()))]
    return pytest.mark.parametrize("client", found, indirect=True, ids=[f"{c}-{m}" for c, m in found])


def fine(lines):
    for line in lines:
        assert "error" not in line, line
    return lines


@each("clear", "lz4", "tls-auth")
def test_it_connects_sets_up_twice_and_reads_the_schema_back(client):
    steps = client.set_up()
    lines = fine(client.play([*steps, *steps, {"op": "schema", "keyspace": client.keyspace}, {"op": "protocol"},
                              {"op": "hosts"}]))
    schema, protocol, hosts = lines[-3:]
    tables = schema["tables"]
    assert set(tables) == {"users", "order_items", "visits"}
    assert tables["order_items"]["partition"] == ["order_id"] and tables["order_items"]["clustering"] == ["item_no"]
    users = {"user_id": "uuid", "username": "text", "email": "text", "metadata": "map<text,text>", "tags": "set<text>",
             "home": "frozen<address>", "created_at": "timestamp", "updated_at": "timestamp"}
    if "no column types" in client.traits:
        assert tables["users"]["columns"] == sorted(users)
    else:
        found = {n: t.replace('"', "").replace(f"{client.keyspace}.", "") for n, t in tables["users"]["columns"].items()}
        assert found == users and schema["types"] == ["address"]
        assert protocol == {"version": 4}
    if "no hosts" not in client.traits:
        assert hosts["hosts"] == sorted(client.server.hosts)


@each("tls-auth")
def test_a_wrong_password_is_refused_and_a_right_one_goes_on(client):
    lines = client.play([{"op": "wrong_password"}, {"op": "query", "cql": "SELECT key FROM system.local"}])
    assert lines[0] == {"refused": True}
    assert lines[1]["rows"] == [["local"]]


@each("clear", "lz4")
def test_every_type_goes_in_and_comes_out(client):
    ks = client.keyspace
    kinds = [(f"c{i:02}", *kind) for i, kind in enumerate(KINDS)]
    bound = [k for k in kinds if k[1] in BOUND]
    declared = ", ".join(f"{n} {t.replace('address', ks + '.address')}" for n, t, _, _ in kinds)
    names = ", ".join(n for n, *_ in kinds)
    params = [[{"type": "int", "value": "2"}, *({"type": t, "value": text} for _, t, _, text in bound)]]
    lines = fine(client.play(client.set_up() + [
        {"op": "run", "cql": f"CREATE TABLE {ks}.kinds (id int PRIMARY KEY, {declared})"},
        {"op": "run", "cql": f"INSERT INTO {ks}.kinds (id, {names}) VALUES (1, {', '.join(k[2] for k in kinds)})"},
        {"op": "prepared", "runs": params, "cql": f"INSERT INTO {ks}.kinds (id, {', '.join(k[0] for k in bound)}) "
         f"VALUES ({', '.join('?' * (len(bound) + 1))})"},
        {"op": "run", "cql": f"INSERT INTO {ks}.kinds (id) VALUES (3)"},
        {"op": "query", "cql": f"SELECT {names} FROM {ks}.kinds WHERE id = 1"},
        {"op": "query", "cql": f"SELECT {', '.join(k[0] for k in bound)} FROM {ks}.kinds WHERE id = 2"},
        {"op": "query", "cql": f"SELECT {names} FROM {ks}.kinds WHERE id = 3"},
    ]))
    assert dict(zip((k[1] for k in kinds), lines[-3]["rows"][0])) == {k[1]: k[3] for k in kinds}
    assert dict(zip((k[1] for k in bound), lines[-2]["rows"][0])) == {k[1]: k[3] for k in bound}
    if "no nulls" not in client.traits:
        empty = dict(zip((k[1] for k in kinds), lines[-1]["rows"][0]))
        assert all(value in (None, "(None,None)", "[]", "{}") for value in empty.values()), empty


@each("clear", "tls-auth")
def test_pages_batches_conditions_counters_and_errors(client):
    ks = client.keyspace
    order = "11111111-1111-1111-1111-111111111111"
    items = [[{"type": "uuid", "value": order}, {"type": "int", "value": str(i)},
              {"type": "text", "value": f"product {i}"}] for i in range(230)]
    insert = f"INSERT INTO {ks}.order_items (order_id, item_no, product) VALUES (?, ?, ?)"
    lines = client.play(client.set_up() + [
        {"op": "prepared", "cql": insert, "runs": items},
        {"op": "query", "cql": f"SELECT item_no FROM {ks}.order_items WHERE order_id = {order}", "page": 50},
        {"op": "batch", "cqls": [f"DELETE FROM {ks}.order_items WHERE order_id = {order} AND item_no >= 10",
                                 f"UPDATE {ks}.order_items SET note = 'few' WHERE order_id = {order}"]},
        {"op": "query", "cql": f"SELECT item_no, note FROM {ks}.order_items WHERE order_id = {order} LIMIT 2"},
        {"op": "query", "cql": f"SELECT COUNT(*) FROM {ks}.order_items"},
        {"op": "query", "cql": f"INSERT INTO {ks}.users (user_id, username) VALUES ({order}, 'a') IF NOT EXISTS"},
        {"op": "query", "cql": f"INSERT INTO {ks}.users (user_id, username) VALUES ({order}, 'b') IF NOT EXISTS"},
        {"op": "query", "cql": f"SELECT username FROM {ks}.users WHERE user_id = {order}"},
        {"op": "run", "cql": f"UPDATE {ks}.visits SET n = n + 41 WHERE page = '/'"},
        {"op": "run", "cql": f"UPDATE {ks}.visits SET n = n + 1 WHERE page = '/'"},
        {"op": "query", "cql": f"SELECT n FROM {ks}.visits WHERE page = '/'"},
        {"op": "query", "cql": f"SELECT * FROM {ks}.order_items_scylla_cdc_log", "page": 100},
        {"op": "run", "cql": "SELEC nothing"},
        {"op": "run", "cql": f"SELECT * FROM {ks}.nowhere"},
        {"op": "run", "cql": f"CREATE TABLE {ks}.users (a int PRIMARY KEY)"},
    ])
    answers = lines[len(client.set_up()):]
    fine(answers[:12])
    assert [int(r[0]) for r in answers[1]["rows"]] == list(range(229, -1, -1))
    assert answers[3]["rows"] == [["9", "few"], ["8", "few"]]
    assert answers[4]["rows"] == [["10"]]
    assert answers[5]["rows"][0][0] == "true" and answers[5]["columns"][0] == "[applied]"
    assert answers[6]["rows"][0][0] == "false"
    assert answers[7]["rows"] == [["a"]]
    assert answers[10]["rows"] == [["42"]]
    operations = [r[answers[11]["columns"].index("cdc$operation")] for r in answers[11]["rows"]]
    # 230 inserts; the range's two bounds, for the order is descending: from nowhere to 10; the static row's update
    assert sorted(operations, key=int) == ["1", *["2"] * 230, "5", "7"]
    assert [a["error"] for a in answers[12:]] == [0x2000, 0x2200, 0x2400]
