# SPDX-License-Identifier: Apache-2.0
"""Our CQL client before a real Apache Cassandra 5.0: types, paging, login, TLS, compression, schema, failure."""
import subprocess
import time

import pytest

from cassandra_node import Cassandra, libraries
from harness.cql_probe import Probe, Refused

LOGIN = {"user": "cassandra", "password": "cassandra"}
SETTINGS = """authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
client_encryption_options:
  enabled: true
  optional: {optional}
  keystore: {tls}/server.p12
  keystore_password: changeit
  truststore: {tls}/trust.jks
  truststore_password: changeit
  store_type: PKCS12
  require_client_auth: {mutual}
  protocol: TLS
  accepted_protocols: [TLSv1.2, TLSv1.3]
"""


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def wait_for(condition, limit=30):
    end = time.monotonic() + limit
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A server's and a client's certificate, each in the formats that users of Java have."""
    folder = tmp_path_factory.mktemp("tls")
    for name, subject in (("server", "localhost"), ("client", "reader"), ("other", "somebody")):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/{name}.key", "-out",
            f"{folder}/{name}.pem", "-days", "30", "-subj", f"/CN={subject}", "-addext", "subjectAltName=DNS:localhost")
        run("openssl", "pkcs12", "-export", "-in", f"{folder}/{name}.pem", "-inkey", f"{folder}/{name}.key", "-name",
            name, "-passout", "pass:changeit", "-out", f"{folder}/{name}.p12")
    keytool = ["keytool", "-noprompt", "-storepass", "changeit"]
    run(*keytool, "-importcert", "-alias", "client", "-file", f"{folder}/client.pem", "-keystore",
        f"{folder}/trust.jks", "-storetype", "PKCS12")
    for store in ("jks", "pkcs12"):
        run(*keytool, "-importcert", "-alias", "server", "-file", f"{folder}/server.pem", "-keystore",
            f"{folder}/server-trust.{store}", "-storetype", store)
    run("keytool", "-noprompt", "-importkeystore", "-srckeystore", f"{folder}/client.p12", "-srcstorepass", "changeit",
        "-destkeystore", f"{folder}/client.jks", "-deststoretype", "JKS", "-deststorepass", "changeit")
    return folder


@pytest.fixture(scope="module")
def node(cache, tls, tmp_path_factory):
    settings = SETTINGS.format(tls=tls, mutual="false", optional="true")
    server = Cassandra(libraries(cache), tmp_path_factory.mktemp("cassandra"), settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def probe(build, node):
    """Connected and logged in; the keyspace 'k' is there and empty."""
    probe = Probe(build, node.port, compress=True, **LOGIN)
    wait_for(lambda: connects(probe))  # the first role is there a moment after the port
    for (name,) in probe.rows("SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'k'"):
        probe.run("DROP TABLE k." + name.strip("'"))
    probe.run("CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
    yield probe
    assert probe.close() == 0


def connects(probe, **more):
    try:
        return probe.connect(**more)
    except Refused as refused:
        if refused.rc not in ("AUTH", "CONNECT", "BUSY"):
            raise
        return None


# type, value as CQL, as our client shows it
EXTREMES = [
    ("ascii", "'az~'", "'az~'"),
    ("ascii", "''", "''"),
    ("text", "'a''b \u00e9 \U0001f600'", "'a''b \u00e9 \U0001f600'"),
    ("bigint", "-9223372036854775808", "-9223372036854775808"),
    ("bigint", "9223372036854775807", "9223372036854775807"),
    ("blob", "0x", "0x"),
    ("blob", "0x00ff80", "0x00ff80"),
    ("boolean", "true", "True"),
    ("date", "'1970-01-01'", "0"),
    ("date", "0", "-2147483648"),
    ("date", "4294967295", "2147483647"),
    ("decimal", "123.4500", "123.4500"),
    ("decimal", "-0.00000000000000000000000000012", "-1.2E-28"),
    ("decimal", "1e30", "1E+30"),
    ("decimal", "99999999999999999999999999999999999999999.5", "99999999999999999999999999999999999999999.5"),
    ("double", "1.7976931348623157e308", "1.7976931348623157e+308"),
    ("double", "4.9e-324", "4.9406564584124654e-324"),
    ("double", "NaN", "nan"),
    ("double", "-Infinity", "-inf"),
    ("float", "3.4028235e38", "3.40282347e+38"),
    ("int", "-2147483648", "-2147483648"),
    ("smallint", "-32768", "-32768"),
    ("tinyint", "127", "127"),
    ("time", "'23:59:59.999999999'", "86399999999999"),
    ("timestamp", "-62135596800000", "-62135596800000"),
    ("timestamp", "9223372036854775807", "9223372036854775807"),
    ("uuid", "FFFFFFFF-ffff-4fff-bfff-ffffffffffff", "ffffffff-ffff-4fff-bfff-ffffffffffff"),
    ("timeuuid", "13814000-1dd2-11b2-8080-808080808080", "13814000-1dd2-11b2-8080-808080808080"),
    ("varint", "-340282366920938463463374607431768211457", "-340282366920938463463374607431768211457"),
    ("varint", "128", "128"),
    ("inet", "'255.0.0.1'", "255.0.0.1"),
    ("inet", "'2001:db8::1'", "2001:db8:0:0:0:0:0:1"),
    ("duration", "-1y2mo3d4h5m6s7ms8us9ns", "-1y2mo3d4h5m6s7ms8us9ns"),
    ("duration", "2147483647mo2147483647d", "178956970y7mo2147483647d"),
    ("list<int>", "[3, 1, 2]", "[3, 1, 2]"),
    ("list<int>", "[]", "null"),
    ("frozen<list<int>>", "[]", "[]"),
    ("set<text>", "{'b', 'a'}", "{'a', 'b'}"),
    ("map<text, frozen<map<int, boolean>>>", "{'x': {1: true}}", "{'x': {1: True}}"),
    ("tuple<int, text, tuple<bigint>>", "(1, null, (2))", "(1, null, (2))"),
    ("u", "{a: 1, b: {'x'}}", "{a: 1, b: {'x'}, c: null}"),
    ("frozen<u>", "{c: (1, 'y')}", "{a: null, b: null, c: (1, 'y')}"),
    ("vector<float, 2>", "[1.0, -1.0]", "0x3f800000bf800000"),
]


def test_every_type_is_read_at_the_ends_of_its_range(probe):
    probe.run("DROP TYPE IF EXISTS k.u")
    probe.run("CREATE TYPE k.u (a int, b frozen<set<text>>, c frozen<tuple<int, text>>)")
    columns = ", ".join(f"c{i} {kind}" for i, (kind, _, _) in enumerate(EXTREMES))
    probe.run(f"CREATE TABLE k.types (id int PRIMARY KEY, {columns})")
    names = ", ".join(f"c{i}" for i in range(len(EXTREMES)))
    for i, (_, value, _) in enumerate(EXTREMES):
        probe.run(f"INSERT INTO k.types (id, c{i}) VALUES (1, {value})")
    probe.run("INSERT INTO k.types (id) VALUES (2)")
    for prepare in (False, True):
        full, empty = probe.rows(f"SELECT {names} FROM k.types WHERE id IN (1, 2)", prepare=prepare)
        assert dict(zip([f"{k} {v}" for k, v, _ in EXTREMES], full)) == {f"{k} {v}": s for k, v, s in EXTREMES}
        assert set(empty) == {"null"}
    answer = probe.ask("query", cql=f"SELECT {names} FROM k.types")
    for (_, shown), (kind, _, _) in zip(answer["columns"], EXTREMES):
        plain = kind if kind.startswith("vector") else kind.replace("frozen<", "").replace(">", "")
        assert "VectorType" in shown if kind.startswith("vector") else shown.replace(">", "") == plain


def test_counters_statics_and_write_times_are_read(probe):
    probe.run("CREATE TABLE k.counts (id int PRIMARY KEY, n counter)")
    probe.run("UPDATE k.counts SET n = n - 5 WHERE id = 1")
    assert probe.rows("SELECT n FROM k.counts") == [["-5"]]
    probe.run("CREATE TABLE k.s (p int, c int, s text static, v int, PRIMARY KEY (p, c))")
    probe.run("INSERT INTO k.s (p, s) VALUES (1, 'only static') USING TIMESTAMP 1234567")
    assert probe.rows("SELECT p, c, s, v, writetime(s) FROM k.s") == [["1", "null", "'only static'", "null", "1234567"]]


def test_bound_values_arrive_null_and_unset_apart(probe):
    probe.run("CREATE TABLE k.b (id int PRIMARY KEY, x text, y text)")
    probe.run("INSERT INTO k.b (id, x, y) VALUES (1, 'x', 'y')")
    probe.ask("query", cql="INSERT INTO k.b (id, x, y) VALUES (?, ?, ?)", prepare=True,
              values=["0x00000001", None, "unset"])
    assert probe.rows("SELECT * FROM k.b") == [["1", "null", "'y'"]]


def fill(probe, rows, table="pages"):
    probe.run(f"CREATE TABLE k.{table} (p int, c int, v text, PRIMARY KEY (p, c))")
    for i in range(rows):
        probe.ask("query", cql=f"INSERT INTO k.{table} (p, c, v) VALUES (?, ?, ?)", prepare=True,
                  values=[f"0x{i % 7:08x}", f"0x{i:08x}", "0x" + ("%04d" % i * 25).encode().hex()])


def test_pages_give_every_row_once(probe):
    fill(probe, 500)
    for size, pages in ((1, 501), (7, 72), (100, 6), (499, 2), (500, 2), (5000, 1)):
        answer = probe.ask("query", cql="SELECT c FROM k.pages", page_rows=size, prepare=True)
        assert sorted(int(row[0]) for row in answer["rows"]) == list(range(500))
        assert abs(answer["pages"] - pages) <= 1
    assert len(probe.rows("SELECT c FROM k.pages", page_rows=-1)) == 500


def test_hundreds_of_requests_are_on_their_way_at_once(probe):
    fill(probe, 300)
    read = probe.ask("read", cql="SELECT * FROM k.pages", in_flight=512, times=2000, page_rows=100)
    assert (read["rows"], read["failures"]) == (600000, 0)
    assert probe.ask("stats")["connections"] == 1  # which takes 256: the rest waited


def test_compression_is_used_and_saves_bytes(probe):
    fill(probe, 200)
    packed = probe.ask("read", cql="SELECT * FROM k.pages", in_flight=1, times=1, page_rows=0)
    before = probe.ask("stats")["bytes_in"]
    probe.ask("read", cql="SELECT * FROM k.pages", in_flight=1, times=1, page_rows=0)
    with_lz4 = probe.ask("stats")["bytes_in"] - before
    probe.connect(compress=False)
    probe.ask("read", cql="SELECT * FROM k.pages", in_flight=1, times=1, page_rows=0)
    before = probe.ask("stats")["bytes_in"]
    plain = probe.ask("read", cql="SELECT * FROM k.pages", in_flight=1, times=1, page_rows=0)
    assert plain["bytes"] == packed["bytes"]
    assert with_lz4 * 2 < probe.ask("stats")["bytes_in"] - before


def test_a_login_is_refused_with_a_reason(build, node, probe):
    for login, words in (({"user": "cassandra", "password": "wrong"}, "login refused"), ({}, "asks for a login")):
        other = Probe(build, node.port, **login)
        with pytest.raises(Refused) as refused:
            other.connect()
        assert refused.value.rc == "AUTH" and words in str(refused.value) and "HINT" in str(refused.value)
        other.close()


def test_rights_that_do_not_suffice_are_named(build, node, probe):
    probe.run("CREATE TABLE k.secret (id int PRIMARY KEY)")
    probe.run("DROP ROLE IF EXISTS reader")
    probe.run("CREATE ROLE reader WITH PASSWORD = 'reader' AND LOGIN = true")
    other = Probe(build, node.port, user="reader", password="reader")
    other.connect()
    with pytest.raises(Refused) as refused:
        other.rows("SELECT * FROM k.secret")
    assert (refused.value.rc, refused.value.native) == ("AUTH", "0x2100")
    other.close()


def test_errors_carry_the_server_s_code(probe):
    for cql, rc, native in (("SELEC", "CONFIG", "0x2000"), ("SELECT * FROM k.none", "NOT_FOUND", "0x2200"),
                            ("SELECT * FROM none.none", "NOT_FOUND", "0x2200"),
                            ("SELECT nope FROM system.local", "CONFIG", "0x2200")):
        with pytest.raises(Refused) as refused:
            probe.rows(cql)
        assert (refused.value.rc, refused.value.native) == (rc, native), str(refused.value)
    with pytest.raises(Refused) as refused:
        probe.rows("SELECT * FROM system.local", consistency="THREE")
    assert refused.value.native == "0x1000" and refused.value.kind == "TRANSIENT" or refused.value.native == "0x2200"


@pytest.mark.parametrize("options", [
    {"ca": "server.pem"},
    {"truststore": "server-trust.jks", "truststore_password": "changeit"},
    {"truststore": "server-trust.jks"},
    {"truststore": "server-trust.pkcs12", "truststore_password": "changeit"},
    {"ca": "server.pem", "ciphers": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256"},
    {"skip_verification": True},
], ids=["pem", "jks", "jks-without-password", "pkcs12", "java-ciphers", "unverified"])
def test_tls_carries_everything(build, node, probe, tls, options):
    files = {k: f"{tls}/{v}" if k in ("ca", "truststore") else v for k, v in options.items()}
    other = Probe(build, node.port, tls=True, compress=True, **LOGIN, **files)
    other.connect()
    fill(probe, 100)
    read = other.ask("read", cql="SELECT * FROM k.pages", in_flight=100, times=300, page_rows=10)
    assert (read["rows"], read["failures"]) == (30000, 0)
    assert other.close() == 0


def refusal(build, port, **options):
    other = Probe(build, port, tls=True, **LOGIN, **options)
    with pytest.raises(Refused) as refused:
        other.connect(deadline_ms=3000)
    assert other.close() == 0
    return refused.value


def test_tls_refuses_whom_it_does_not_trust(build, node, probe, tls):
    assert "not accepted" in str(refusal(build, node.port, ca=f"{tls}/other.pem"))
    assert "not accepted" in str(refusal(build, node.port))
    # the certificate names localhost, not 127.0.0.1
    wrong_name = refusal(build, node.port, ca=f"{tls}/server.pem", verify_host=True)
    assert wrong_name.rc == "CONFIG" and "not accepted" in str(wrong_name)
    right = Probe(build, node.port, tls=True, ca=f"{tls}/server.pem", verify_host=True, **LOGIN)
    right.connect(contact_points=f"localhost:{node.port}")
    assert right.close() == 0
    wrong = refusal(build, node.port, truststore=f"{tls}/server-trust.jks", truststore_password="wrong")
    assert wrong.rc == "CONFIG" and "password" in str(wrong)
    assert refusal(build, node.port, truststore=f"{tls}/none.jks").rc == "NOT_FOUND"


@pytest.fixture(scope="module")
def mutual_node(cache, tls, node, tmp_path_factory):
    settings = SETTINGS.format(tls=tls, mutual="true", optional="false")
    server = Cassandra(libraries(cache), tmp_path_factory.mktemp("mutual"), settings, client=tls)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_the_client_shows_its_certificate(build, mutual_node, tls):
    ways = ({"certificate": f"{tls}/client.pem", "key": f"{tls}/client.key"},
            {"keystore": f"{tls}/client.p12", "keystore_password": "changeit"},
            {"keystore": f"{tls}/client.jks", "keystore_password": "changeit"})
    for way in ways:
        probe = Probe(build, mutual_node.port, tls=True, ca=f"{tls}/server.pem", **LOGIN, **way)
        wait_for(lambda probe=probe: connects(probe))
        assert probe.rows("SELECT key FROM system.local") == [["'local'"]]
        assert probe.close() == 0
    refusal(build, mutual_node.port, ca=f"{tls}/server.pem")
    refusal(build, mutual_node.port, ca=f"{tls}/server.pem", certificate=f"{tls}/other.pem", key=f"{tls}/other.key")


def test_schema_changes_are_told(build, node, probe):
    other = Probe(build, node.port, **LOGIN)
    other.connect()
    other.ask("poll", ms=200)
    probe.run("CREATE TABLE k.told (id int PRIMARY KEY)")
    probe.run("ALTER TABLE k.told ADD x int")
    probe.run("DROP TABLE k.told")
    seen = []

    def all_three():
        seen.extend(e["change"] for e in other.ask("poll", ms=200)["events"] if e.get("name") == "told")
        return len(seen) >= 3
    wait_for(all_three)
    assert seen == ["CREATED", "UPDATED", "DROPPED"]
    other.close()


def test_a_table_that_changes_is_read_as_it_is(probe):
    probe.run("CREATE TABLE k.changing (id int PRIMARY KEY, x int)")
    probe.run("INSERT INTO k.changing (id, x) VALUES (1, 7)")
    read = {"cql": "SELECT * FROM k.changing", "prepare": True}
    assert probe.ask("query", **read)["rows"] == [["1", "7"]]
    probe.run("ALTER TABLE k.changing ADD a text")
    probe.run("UPDATE k.changing SET a = 'new' WHERE id = 1")
    answer = probe.ask("query", **read)
    assert [name for name, _ in answer["columns"]] == ["id", "a", "x"] and answer["rows"] == [["1", "'new'", "7"]]
    probe.run("ALTER TABLE k.changing DROP x")
    answer = probe.ask("query", **read)
    assert [name for name, _ in answer["columns"]] == ["id", "a"] and answer["rows"] == [["1", "'new'"]]
    probe.run("DROP TABLE k.changing")
    with pytest.raises(Refused) as refused:
        probe.ask("query", **read)
    assert refused.value.rc == "NOT_FOUND"


def test_a_server_that_stands_still_is_waited_for(build, node, probe):
    fill(probe, 50)
    patient = Probe(build, node.port, try_timeout_ms=500, request_timeout_ms=30000, connect_timeout_ms=1000, tries=100,
                    backoff_max_ms=500, **LOGIN)
    patient.connect()
    read = {"cql": "SELECT * FROM k.pages", "in_flight": 20, "page_rows": 10}
    assert patient.ask("read", times=1, **read)["rows"] == 50  # and the statement is prepared
    node.pause()
    try:
        patient.send("read", times=100, tell_at_retries=20, **read)
        assert patient.receive()["retries"] >= 20  # each of those on their way has had its try
    finally:
        node.go_on()
    read = patient.receive()
    assert (read["rows"], read["failures"]) == (5000, 0)
    stats = patient.ask("stats")
    assert stats["timeouts"] > 0 and stats["disconnects"] > 0
    patient.close()


def test_a_server_that_stands_still_too_long_is_an_error_in_time(build, node, probe):
    hasty = Probe(build, node.port, try_timeout_ms=300, request_timeout_ms=1500, connect_timeout_ms=500, **LOGIN)
    hasty.connect()
    node.pause()
    try:
        start = time.monotonic()
        with pytest.raises(Refused) as refused:
            hasty.rows("SELECT * FROM system.local")
        assert refused.value.kind == "TRANSIENT" and time.monotonic() - start < 5
        with pytest.raises(Refused) as refused:
            hasty.connect(deadline_ms=1500)
        assert refused.value.rc == "CONNECT" and "says nothing" in str(refused.value)
    finally:
        node.go_on()
    wait_for(lambda: connects(hasty))
    hasty.close()


def test_a_server_that_dies_and_comes_back_is_taken_up_again(build, node, probe):
    """Requests wait for it meanwhile; that schema events may have been missed is told."""
    fill(probe, 50)
    patient = Probe(build, node.port, request_timeout_ms=120000, tries=1000, backoff_max_ms=500, **LOGIN)
    patient.connect()
    read = {"cql": "SELECT * FROM k.pages", "in_flight": 20, "times": 10, "page_rows": 10}
    assert patient.ask("read", **read)["failures"] == 0
    patient.ask("poll", ms=100)
    node.shut_down()  # what it was told is on disk then
    patient.send("read", **read)
    node.start()
    answer = patient.receive()
    assert (answer["rows"], answer["failures"]) == (500, 0)
    kinds = []

    def told():
        kinds.extend(e["kind"] for e in patient.ask("poll", ms=100)["events"])
        return "RESYNC" in kinds
    wait_for(told)
    assert kinds.index("DOWN") < kinds.index("UP") < kinds.index("RESYNC")
    patient.close()


def test_statements_a_server_forgot_are_prepared_again(build, node, probe):
    """The cache of prepared statements goes with the table that they name; made again, the id is unknown."""
    probe.run("CREATE TABLE k.again (id int PRIMARY KEY, x int)")
    probe.run("INSERT INTO k.again (id, x) VALUES (1, 2)")
    read = {"cql": "SELECT * FROM k.again", "in_flight": 50, "times": 200, "page_rows": 10}
    assert probe.ask("read", **read)["rows"] == 200
    probe.run("DROP TABLE k.again")
    probe.run("CREATE TABLE k.again (id int PRIMARY KEY, x int)")
    probe.run("INSERT INTO k.again (id, x) VALUES (1, 2)")
    answer = probe.ask("read", **read)
    assert (answer["rows"], answer["failures"]) == (200, 0)
    assert 1 <= probe.ask("stats")["reprepares"] <= 3  # once for all that waited, not once for each


def test_nobody_at_the_address_is_said_with_the_address(build, node):
    other = Probe(build, 1)
    with pytest.raises(Refused) as refused:
        other.connect(deadline_ms=1000)
    assert refused.value.rc == "CONNECT" and "127.0.0.1:1" in str(refused.value) and "HINT" in str(refused.value)
    with pytest.raises(Refused) as refused:
        other.connect(contact_points="no-such-host.invalid:9042", deadline_ms=1000)
    assert "no-such-host.invalid" in str(refused.value)
    assert other.close() == 0


def test_a_data_centre_that_is_not_there_is_named(build, node, probe):
    other = Probe(build, node.port, local_dc="moon", **LOGIN)
    with pytest.raises(Refused) as refused:
        other.connect(deadline_ms=3000)
    assert refused.value.rc == "CONFIG" and "moon" in str(refused.value) and "datacenter1" in str(refused.value)
    other.close()


def test_rows_a_second_of_a_bare_read_loop(probe, out):
    """A figure for people: what the client and a real server do together."""
    fill(probe, 2000)
    probe.connect(compress=False)
    probe.ask("read", cql="SELECT * FROM k.pages", in_flight=8, times=100, page_rows=2000)
    read = probe.ask("read", cql="SELECT * FROM k.pages", in_flight=8, times=500, page_rows=2000)
    rate = read["rows"] * 1000000 // read["us"]
    (out / "cql-read-loop.txt").write_text(f"{rate} rows/s of {read['bytes'] // read['rows']} bytes from Cassandra\n")
    assert read["failures"] == 0
