# SPDX-License-Identifier: Apache-2.0
"""
Strangers at the simulator's door: SQL Server's clients from the registries, each logs in (in clear and with TLS), runs
the same script, and must read the same values. See README.md.
"""
import json
import os
import re
import subprocess
import time

import pytest

import downloads
from columns import COLUMNS, column_list, table
from harness import sqlserver
from harness.java import JAVA
from traits import TRAITS, agree

CLIENTS = ["msodbcsql", "freetds-odbc", "pymssql", "pytds", "tedious", "jdbc", "go"]
ENCRYPTIONS = [False, True]


@pytest.fixture(scope="module")
def server(tmp_path_factory, build):
    running = sqlserver.SqlServer(tmp_path_factory.mktemp("clients"), build).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def programs(cache, tmp_path_factory):
    """How each client's program is started: arguments and environment."""
    python = downloads.python_clients(cache)
    odbc = {"ODBCSYSINI": str(downloads.odbc_settings(python, tmp_path_factory.mktemp("odbc")))}
    script = str(downloads.HERE / "clients.py")
    found = {name: ([str(python), script], odbc) for name in ("msodbcsql", "freetds-odbc", "pymssql", "pytds")}
    found["tedious"] = (["node", "--no-deprecation", str(downloads.HERE / "client.js")],
                        {"NODE_PATH": str(downloads.tedious(cache))})
    found["jdbc"] = ([*JAVA, "-cp", downloads.java_client(cache), "Client"], {})
    found["go"] = ([str(downloads.go_client(cache))], {})
    return found


class Client:
    def __init__(self, name, encrypt, server, programs):
        self.name, self.encrypt, self.server = name, encrypt, server
        self.arguments, self.environment = programs[name]
        self.traits = TRAITS[name]
        self.database = f"db_{name.replace('-', '_')}_{'tls' if encrypt else 'clear'}"

    def play(self, steps):
        """The lines of a job that ran to its end."""
        job = {"driver": self.name, "host": self.server.host, "port": self.server.port, "user": self.server.user,
               "password": self.server.password, "encrypt": self.encrypt,
               "cert": str(self.server.folder / "state/tls-cert.pem"), "steps": steps}
        done = subprocess.run(self.arguments, input=json.dumps(job), capture_output=True, text=True, timeout=120,
                              check=False, env={**os.environ, **self.environment})
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert done.returncode == 0 and len(lines) == len(steps), \
            f"{self.name} stopped after {len(lines)} of {len(steps)} steps: {done.stderr[-3000:]}"
        return lines

    def rows(self, line):
        assert "error" not in line, line
        return [[value for value in row] for row in line["results"][-1]["rows"]]


ALL = [(c, e) for c in CLIENTS for e in ENCRYPTIONS]


def named(param):
    return f"{param[0]}-{'tls' if param[1] else 'clear'}"


@pytest.fixture(params=ALL, ids=named)
def client(request, server, programs):
    name, encrypt = request.param
    made = Client(name, encrypt, server, programs)
    server.execute(f"IF DB_ID('{made.database}') IS NOT NULL DROP DATABASE {made.database}")
    server.execute(f"CREATE DATABASE {made.database}")
    return made


def use(client):
    return {"op": "batch", "sql": f"USE {client.database}"}


def batch(sql):
    return {"op": "batch", "sql": sql}


def param(kind, value, **facets):
    return {"type": kind, "value": value, **facets}


def test_it_logs_in_and_a_wrong_password_gives_18456(client):
    lines = client.play([batch("SELECT 1 AS one"), {"op": "wrong_password"}, batch("SELECT 2 AS two")])
    assert lines[0] == {"results": [{"columns": ["one"], "rows": [["1"]]}]}
    assert lines[1] == {"error": 18456}
    assert client.rows(lines[2]) == [["2"]]


SET_UP = """
IF NOT EXISTS (SELECT 1 FROM sys.tables WHERE name = 'customers')
BEGIN
  CREATE TABLE dbo.customers (
    id int IDENTITY(1,1) NOT NULL CONSTRAINT pk_customers PRIMARY KEY,
    name nvarchar(100) NOT NULL,
    email varchar(200) NULL,
    credit decimal(10,2) NOT NULL CONSTRAINT df_credit DEFAULT 0,
    created_at datetime2 NOT NULL DEFAULT SYSUTCDATETIME()
  );
  CREATE TABLE dbo.orders (
    id int IDENTITY(1,1) NOT NULL PRIMARY KEY,
    customer_id int NOT NULL REFERENCES dbo.customers(id),
    total decimal(10,2) NOT NULL
  );
END;
INSERT INTO dbo.customers (name, email, credit) VALUES (N'Ада', 'ada@example.com', 10.50), (N'Grace', NULL, 20);
INSERT INTO dbo.orders (customer_id, total) SELECT id, credit * 2 FROM dbo.customers;
"""


def test_a_set_up_script_runs(client):
    lines = client.play([use(client), batch(SET_UP), batch(
        "SELECT c.id, c.name, c.email, o.total FROM dbo.customers c JOIN dbo.orders o ON o.customer_id = c.id "
        "ORDER BY c.id")])
    rows = client.rows(lines[2])
    totals = [row.pop() for row in rows]
    assert rows == [["1", "Ада", "ada@example.com"], ["2", "Grace", None]]
    assert [float(t) for t in totals] == [21.0, 40.0]


def test_transactions_commit_and_roll_back(client):
    lines = client.play([
        use(client), batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY)"),
        {"op": "begin"}, batch("INSERT INTO t VALUES (1)"), {"op": "rollback"}, batch("SELECT COUNT(*) FROM t"),
        {"op": "begin"}, batch("INSERT INTO t VALUES (2)"), batch("INSERT INTO t VALUES (3)"), {"op": "commit"},
        batch("SELECT id FROM t ORDER BY id"), batch("SELECT @@TRANCOUNT")])
    assert client.rows(lines[5]) == [["0"]]
    assert client.rows(lines[10]) == [["2"], ["3"]]
    assert client.rows(lines[11]) == [["0"]]


def test_what_a_transaction_wrote_is_seen_by_others_after_its_commit_alone(client, server):
    client.play([use(client), batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY)"),
                 {"op": "begin"}, batch("INSERT INTO t VALUES (1)"), {"op": "rollback"},
                 {"op": "begin"}, batch("INSERT INTO t VALUES (2)"), {"op": "commit"}])
    assert [tuple(r) for r in server.execute("SELECT id FROM t", database=client.database)] == [(2,)]


def test_a_prepared_statement_runs_with_changing_parameters(client):
    runs = [[param("int", "1"), param("nvarchar", "one")], [param("int", "2"), param("nvarchar", "dva два")],
            [param("int", "-3"), param("nvarchar", "")], [param("int", None), param("nvarchar", "four")]]
    lines = client.play([
        use(client), batch("CREATE TABLE t (n int NULL, s nvarchar(50) NULL)"),
        {"op": "prepared", "sql": "INSERT INTO t (n, s) VALUES ({0}, {1}); SELECT COUNT(*) AS so_far FROM t",
         "runs": runs},
        batch("SELECT n, s FROM t ORDER BY n")])
    assert [run[-1]["rows"] for run in lines[2]["runs"]] == [[["1"]], [["2"]], [["3"]], [["4"]]]
    assert client.rows(lines[3]) == [[None, "four"], ["-3", ""], ["1", "one"], ["2", "dva два"]]


def test_an_error_in_mid_batch_has_its_number_and_spares_the_rest(client):
    lines = client.play([
        use(client), batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY)"),
        batch("INSERT INTO t VALUES (1); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"),
        batch("SELECT id FROM t ORDER BY id"), batch("SELECT * FROM no_such_table"), batch("SELECT 1 / 0"),
        batch("SELEC 1"), batch("SELECT 'still here'")])
    assert lines[2]["error"] == 2627
    assert client.rows(lines[3]) == [["1"], ["2"]]
    assert lines[4]["error"] == 208
    assert lines[5]["error"] == 8134
    assert lines[6]["error"] in (102, 156, 2812)
    assert client.rows(lines[7]) == [["still here"]]


def test_several_results_come_in_order(client):
    lines = client.play([batch("SELECT 1 AS a; SELECT 2 AS b, 3 AS c; SELECT 4 AS d WHERE 1 = 0; SELECT N'x' AS e")])
    results = lines[0]["results"]
    assert [r["columns"] for r in results] == [["a"], ["b", "c"], ["d"], ["e"]]
    assert [r["rows"] for r in results] == [[["1"]], [["2", "3"]], [], [["x"]]]


# pymssql's and python-tds's only timeout is of the whole connection, and ends it
@pytest.mark.parametrize("client", [p for p in ALL if p[0] not in ("pymssql", "pytds")], ids=named, indirect=True)
def test_a_statement_that_the_client_gives_up_is_stopped(client):
    began = time.monotonic()
    lines = client.play([use(client), batch("CREATE TABLE t (id int NOT NULL)"),
                         {"op": "cancelled", "sql": "INSERT INTO t VALUES (1); WAITFOR DELAY '00:01:00'; INSERT INTO t VALUES (2)"},
                         batch("SELECT id FROM t"), batch("SELECT 'next'")])
    assert lines[2] == {"cancelled": True}
    assert client.rows(lines[3]) == [["1"]]
    assert client.rows(lines[4]) == [["next"]]
    assert time.monotonic() - began < 30


def insert_ends():
    def row(key, values):
        return f"INSERT INTO t ({', '.join(['id'] + [c.name for c in COLUMNS])}) VALUES ({key}, {', '.join(values)})"
    return [row(1, [c.low[0] for c in COLUMNS]), row(2, [c.high[0] for c in COLUMNS]),
            row(3, ["NULL" for c in COLUMNS])]


def disagreements(client, rows, columns=COLUMNS):
    wanted = {"1": [c.low[1] for c in columns], "2": [c.high[1] for c in columns], "3": [None for _ in columns]}
    wrong = []
    for row in rows:
        for column, got, expected in zip(columns, row[1:], wanted[row[0]]):
            if not agree(column.kind, got, expected, client.traits):
                wrong.append((column.name, row[0], str(got)[:80], str(expected)[:80]))
    return wrong


def test_every_type_is_read_at_the_ends_of_its_range(client):
    steps = [use(client), batch(table("t")), *map(batch, insert_ends()),
             batch(f"SELECT id, {column_list()} FROM t ORDER BY id")]
    lines = client.play(steps)
    assert not [line for line in lines if "error" in line]
    rows = client.rows(lines[-1])
    assert len(rows) == 3
    assert disagreements(client, rows) == []


def test_every_type_is_written_by_typed_parameters(client):
    columns = [c for c in COLUMNS if c.name not in client.traits.cannot_write]
    steps = [use(client), batch(table("t", "id int NOT NULL"))]
    for column in columns:
        for key, value in (("1", column.low[1]), ("2", column.high[1]), ("3", None)):
            steps.append({"op": "query", "sql": f"INSERT INTO t (id, {column.name}) VALUES ({{0}}, {{1}})",
                          "params": [param("int", key), param(column.kind, value, **column.facets)]})
        steps.append(batch(f"SELECT id, {column.name} FROM t ORDER BY id"))
        steps.append(batch("DELETE FROM t"))
    lines = iter(client.play(steps)[2:])
    wrong = []
    for column in columns:
        written = [next(lines) for _ in range(3)]
        wrong += [(column.name, line["error"]) for line in written if "error" in line]
        rows = client.rows(next(lines))
        next(lines)
        wrong += disagreements(client, rows, [column])
    print(f"{client.name}: columns that it cannot write, with a reason: {len(COLUMNS) - len(columns)} of {len(COLUMNS)}")
    assert wrong == []


# Point (1 2) in the plane, a point of WGS 84, the path /1/, as .NET serialises them: no client has a literal for them.
CLR = {"hierarchyid": "58", "geometry": "00000000010C000000000000F03F0000000000000040",
       "geography": "E6100000010C0000000000804740CDCCCCCCCC4C3E40"}


def test_clr_types_and_rowversions_are_read_as_bytes(client):
    names = ", ".join(f"c_{kind}" for kind in CLR)
    body = ", ".join(f"c_{kind} {kind} NULL" for kind in CLR)
    lines = client.play([
        use(client), batch(f"CREATE TABLE t (id int NOT NULL PRIMARY KEY, {body}, stamp rowversion)"),
        batch(f"INSERT INTO t (id, {names}) VALUES (1, {', '.join('0x' + text for text in CLR.values())})"),
        {"op": "query", "sql": f"INSERT INTO t (id, {names}) VALUES (2, {{0}}, {{1}}, {{2}})",
         "params": [param("varbinary", text) for text in CLR.values()]},
        batch("INSERT INTO t (id) VALUES (3)"), batch(f"SELECT {names}, stamp FROM t ORDER BY id")])
    rows = client.rows(lines[-1])
    assert [row[:3] for row in rows] == [list(CLR.values()), list(CLR.values()), [None] * 3]
    stamps = [row[3] for row in rows]
    assert all(re.fullmatch("[0-9A-F]{16}", s) for s in stamps) and stamps == sorted(set(stamps)), stamps


def test_large_values_go_both_ways(client):
    text, blob = "é世😀" * 50000, "0123456789ABCDEF" * 40000
    lines = client.play([
        use(client), batch("CREATE TABLE t (s nvarchar(max), b varbinary(max))"),
        {"op": "query", "sql": "INSERT INTO t (s, b) VALUES ({0}, {1})",
         "params": [param("nvarchar", text), param("varbinary", blob)]},
        batch("SELECT s, b FROM t"), batch("SELECT DATALENGTH(s), DATALENGTH(b) FROM t")])
    assert client.rows(lines[3]) == [[text, blob]]
    assert client.rows(lines[4]) == [[str(50000 * 8), str(320000)]]


def test_many_rows_arrive_complete_and_in_order(client):
    values = ["INSERT INTO t VALUES " + ", ".join(f"({i}, N'row number {i}')" for i in range(at, at + 1000))
              for at in range(0, 10000, 1000)]
    lines = client.play([use(client), batch("CREATE TABLE t (id int NOT NULL PRIMARY KEY, s nvarchar(40) NOT NULL)"),
                         *map(batch, values), batch("SELECT id, s FROM t ORDER BY id")])
    assert client.rows(lines[-1]) == [[str(i), f"row number {i}"] for i in range(10000)]


# The text tools of FreeTDS and unixODBC: what a person at a terminal sees.

def tool(arguments, text, environment=None):
    done = subprocess.run(arguments, input=text, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "TDSVER": "7.4", **(environment or {})})
    return done.stdout + done.stderr


@pytest.fixture()
def shop(server):
    server.execute("IF DB_ID('shop') IS NOT NULL DROP DATABASE shop")
    server.execute("CREATE DATABASE shop")
    return "shop"


def test_tsql_runs_a_script_and_shows_rows(server, shop):
    out = tool(["tsql", "-H", server.host, "-p", str(server.port), "-U", server.user, "-P", server.password, "-D", shop],
               SET_UP + "\ngo\nSELECT id, name FROM dbo.customers ORDER BY id\ngo\nSELECT * FROM nothing\ngo\nquit\n")
    assert re.search(r"1\tАда", out) and re.search(r"2\tGrace", out), out
    assert re.search(r"Msg 208 .*(\n.*)?Invalid object name 'nothing'", out), out


def test_tsql_is_told_18456(server):
    out = tool(["tsql", "-H", server.host, "-p", str(server.port), "-U", server.user, "-P", "wrong"], "quit\n")
    assert "Msg 18456" in out, out


def test_bsqldb_runs_a_script(server, shop, tmp_path):
    (tmp_path / "freetds.conf").write_text(
        f"[sim]\nhost = {server.host}\nport = {server.port}\ntds version = 7.4\nclient charset = UTF-8\n")
    out = tool(["bsqldb", "-S", "sim", "-U", server.user, "-P", server.password, "-D", shop],
               SET_UP + "\ngo\nSELECT id, name FROM dbo.customers ORDER BY id\ngo\n",
               {"FREETDSCONF": str(tmp_path / "freetds.conf")})
    assert "Ада" in out and "Grace" in out, out


@pytest.mark.parametrize("driver", ["ODBC Driver 18 for SQL Server", "FreeTDS"])
def test_isql_runs_statements(server, shop, programs, tmp_path, driver):
    settings = programs["msodbcsql"][1]["ODBCSYSINI"]
    where = (f"Server=tcp:{server.host},{server.port}\nEncrypt=yes\nTrustServerCertificate=yes" if driver != "FreeTDS"
             else f"Server={server.host}\nPort={server.port}\nTDS_Version=7.4\nClientCharset=UTF-8")
    (tmp_path / "odbc.ini").write_text(f"[sim]\nDriver={driver}\nDatabase={shop}\n{where}\n")
    out = tool(["isql", "-b", "-v", "sim", server.user, server.password],
               "CREATE TABLE t (id int, s nvarchar(20))\nINSERT INTO t VALUES (7, N'seven')\nSELECT id, s FROM t\n",
               {"ODBCSYSINI": settings, "ODBCINI": str(tmp_path / "odbc.ini")})
    assert re.search(r"\| 7 +\| seven", out), out
