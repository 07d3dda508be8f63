# SPDX-License-Identifier: Apache-2.0
"""
The fixed workload that the golden data was recorded over: tables, and writes of every type and of every operation
that the log knows, with timestamps of their own, so that a simulator with the same seed and clock has the same log.
"""
import random

START_MS = 1735689600000  # 2025-01-01, where the simulator's clock stands
WRITES_US = (START_MS + 60_000) * 1000  # the first write
AFTER_MS = 3600_000  # the clock when writes begin: later than all of their timestamps
CLOSED_MS = 60 * 86400_000  # how much later the windows are closed
SWITCH_MS = 60_000  # how long after the other writes new streams begin
AMID_MS = 2000  # and how far into them the last writes are made: those of the old streams are still taken
SEED = 20250101

SCHEMA = """
CREATE KEYSPACE vn WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}
  AND tablets = {'enabled': false};
CREATE KEYSPACE tb WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': 1}
  AND tablets = {'initial': 4};
CREATE TYPE vn.address (street text, "no" int, tags frozen<set<text>>);
CREATE TABLE vn.types_all (id int PRIMARY KEY, c_ascii ascii, c_bigint bigint, c_blob blob, c_boolean boolean,
  c_date date, c_decimal decimal, c_double double, c_duration duration, c_float float, c_inet inet, c_int int,
  c_smallint smallint, c_text text, c_time time, c_timestamp timestamp, c_timeuuid timeuuid, c_tinyint tinyint,
  c_uuid uuid, c_varchar varchar, c_varint varint) WITH cdc = {'enabled': true, 'ttl': 0};
CREATE TABLE vn.types_images (id int PRIMARY KEY, c_ascii ascii, c_bigint bigint, c_blob blob, c_boolean boolean,
  c_date date, c_decimal decimal, c_double double, c_duration duration, c_float float, c_inet inet, c_int int,
  c_smallint smallint, c_text text, c_time time, c_timestamp timestamp, c_timeuuid timeuuid, c_tinyint tinyint,
  c_uuid uuid, c_varchar varchar, c_varint varint)
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE vn.typed_keys (zone int, area text, moment timestamp, code uuid, amount decimal, day date, v text,
  PRIMARY KEY ((zone, area), moment, code, amount, day)) WITH cdc = {'enabled': true, 'ttl': 0};
CREATE TABLE vn.plain (pk int, ck int, v text, n bigint, st text STATIC, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0};
CREATE TABLE vn.images (pk int, ck int, v text, n bigint, d decimal, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE vn.before_only (pk int, ck int, v text, n bigint, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true};
CREATE TABLE vn.after_only (pk int, ck int, v text, n bigint, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'postimage': true};
CREATE TABLE vn.solo (id uuid PRIMARY KEY, v text, m map<text, text>)
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE vn.collections (pk int, ck text, l list<int>, s set<text>, m map<text, int>, fl frozen<list<text>>,
  fs frozen<set<int>>, fm frozen<map<int, text>>, t tuple<int, text, boolean>, a address, fa frozen<address>,
  mm map<text, frozen<list<int>>>, PRIMARY KEY (pk, ck)) WITH cdc = {'enabled': true, 'ttl': 0};
CREATE TABLE vn.collections_images (pk int, ck text, l list<int>, s set<text>, m map<text, int>, fl frozen<list<text>>,
  fs frozen<set<int>>, fm frozen<map<int, text>>, t tuple<int, text, boolean>, a address, fa frozen<address>,
  mm map<text, frozen<list<int>>>, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE vn.statics (pk int, ck int, v text, st text STATIC, sm map<text, text> STATIC, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE vn.gaps (pk int, ck int, v text, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE vn.expiry (pk int, ck int, v text, gone timestamp TTL, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE vn.expiry_solo (pk int PRIMARY KEY, v text, gone timestamp TTL)
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE vn.moved (pk int, ck int, v text, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE tb.moved (pk int, ck int, v text, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
CREATE TABLE tb.plain (pk int, ck int, v text, n bigint, PRIMARY KEY (pk, ck)) WITH cdc = {'enabled': true, 'ttl': 0};
CREATE TABLE tb.images (pk int, ck int, v text, m map<text, int>, PRIMARY KEY (pk, ck))
  WITH cdc = {'enabled': true, 'ttl': 0, 'preimage': true, 'postimage': true};
"""

VALUES = {  # of each type: ordinary, greatest or longest, smallest or empty
    "c_ascii": ("'plain'", "'~ !'", "''"),
    "c_bigint": ("42", "9223372036854775807", "-9223372036854775808"),
    "c_blob": ("0xcafe", "0x" + "00ff" * 40, "0x"),
    "c_boolean": ("true", "true", "false"),
    "c_date": ("'2024-02-29'", "'9999-12-31'", "'1969-12-31'"),
    "c_decimal": ("12.50", "123456789012345678901234567890.123456789", "-0.0000001"),
    "c_double": ("0.1", "1.7976931348623157e308", "-5e-324"),
    "c_duration": ("1y2mo3d12h30m5s6ms7us8ns", "2w", "-1mo1ns"),
    "c_float": ("0.5", "3.4028235e38", "-1.4e-45"),
    "c_inet": ("'192.168.1.2'", "'2001:db8::1'", "'::'"),
    "c_int": ("7", "2147483647", "-2147483648"),
    "c_smallint": ("7", "32767", "-32768"),
    "c_text": ("'text'", "'gr\u00fc\u00df \U0001f680'", "''"),
    "c_time": ("'12:34:56.789012345'", "'23:59:59.999999999'", "'00:00:00'"),
    "c_timestamp": ("'2024-02-29T12:34:56.789Z'", "'9999-12-31T23:59:59.999Z'", "'1969-12-31T23:59:59.999Z'"),
    "c_timeuuid": ("50554d6e-29bb-11e5-b345-feff819cdc9f", "ffffffff-ffff-1fff-bfff-ffffffffffff",
                   "00000000-0000-1000-8080-808080808080"),
    "c_tinyint": ("7", "127", "-128"),
    "c_uuid": ("123e4567-e89b-42d3-a456-426614174000", "ffffffff-ffff-4fff-bfff-ffffffffffff",
               "00000000-0000-4000-8000-000000000000"),
    "c_varchar": ("'varchar'", "'" + "x" * 300 + "'", "''"),
    "c_varint": ("7", "123456789012345678901234567890", "-170141183460469231731687303715884105729"),
}


def types(table):
    for row in range(3):
        yield (f"INSERT INTO {table} (id, {', '.join(VALUES)}) VALUES "
               f"({row}, {', '.join(v[row] for v in VALUES.values())}) %T")
    yield f"INSERT INTO {table} (id) VALUES (3) %T"
    for column, values in VALUES.items():
        yield f"UPDATE {table} %T SET {column} = {values[1]} WHERE id = 0"
        yield f"UPDATE {table} %T SET {column} = null WHERE id = 1"
    yield f"DELETE c_int, c_text FROM {table} %T WHERE id = 2"
    for row in range(3):
        yield f"DELETE FROM {table} %T WHERE id = {row}"


def typed_keys():
    key = "zone, area, moment, code, amount, day"
    for zone, area, moment, code, amount, day in (
            (1, "a", "2024-02-29T12:34:56.789Z", "123e4567-e89b-42d3-a456-426614174000", "1.50", "2024-02-29"),
            (-1, "\u00e4", "1969-12-31T23:59:59.999Z", "00000000-0000-4000-8000-000000000000", "-1E+3", "0001-01-01")):
        values = f"{zone}, '{area}', '{moment}', {code}, {amount}, '{day}'"
        where = (f"zone = {zone} AND area = '{area}' AND moment = '{moment}' AND code = {code} AND amount = {amount} "
                 f"AND day = '{day}'")
        yield f"INSERT INTO vn.typed_keys ({key}, v) VALUES ({values}, 'v') %T"
        yield f"UPDATE vn.typed_keys %T SET v = 'w' WHERE {where}"
        yield f"DELETE FROM vn.typed_keys %T WHERE {where}"
    yield "DELETE FROM vn.typed_keys %T WHERE zone = 1 AND area = 'a' AND moment > '2024-01-01T00:00:00.000Z'"


def rows(table, extra):
    """Inserts, inserts over rows, partial updates, nulls, TTLs, deletes of cells and of rows that are there."""
    yield f"INSERT INTO {table} (pk, ck, v, n) VALUES (1, 1, 'one', 1) %T"
    yield f"INSERT INTO {table} (pk, ck, v) VALUES (1, 1, 'over') %T"
    yield f"UPDATE {table} %T SET v = 'two' WHERE pk = 1 AND ck = 1"
    yield f"UPDATE {table} %T SET v = null, n = 2 WHERE pk = 1 AND ck = 1"
    yield f"UPDATE {table} %T SET v = 'three' WHERE pk = 1 AND ck = 1"
    yield f"DELETE n FROM {table} %T WHERE pk = 1 AND ck = 1"
    yield f"INSERT INTO {table} (pk, ck) VALUES (1, 2) %T"
    yield f"INSERT INTO {table} (pk, ck, v, n) VALUES (1, 3, null, null) %T"
    yield f"INSERT INTO {table} (pk, ck, v) VALUES (1, 4, 'fading') %T AND TTL 86400"
    yield f"UPDATE {table} %T AND TTL 500000 SET n = 4 WHERE pk = 1 AND ck = 4"
    yield f"DELETE FROM {table} %T WHERE pk = 1 AND ck = 1"
    yield f"INSERT INTO {table} (pk, ck, v) VALUES (1, 1, 'again') %T"
    yield (f"BEGIN BATCH %T INSERT INTO {table} (pk, ck, v) VALUES (2, 1, 'b1'); INSERT INTO {table} (pk, ck, n) "
           f"VALUES (2, 2, 2); INSERT INTO {table} (pk, ck, v) VALUES (3, 1, 'other') APPLY BATCH")
    yield (f"BEGIN UNLOGGED BATCH %T UPDATE {table} SET v = 'b2' WHERE pk = 2 AND ck = 1; "
           f"DELETE FROM {table} WHERE pk = 2 AND ck = 2 APPLY BATCH")
    for statement in extra:
        yield statement.replace("%TABLE", table)
    for ck in range(4):
        yield f"INSERT INTO {table} (pk, ck, v) VALUES (4, {ck}, 'r{ck}') %T"
    yield f"DELETE FROM {table} %T WHERE pk = 4 AND ck > 0 AND ck <= 2"
    yield f"DELETE FROM {table} %T WHERE pk = 4 AND ck >= 3"
    yield f"DELETE FROM {table} %T WHERE pk = 4 AND ck < 1"
    yield f"DELETE FROM {table} %T WHERE pk = 3"
    yield f"INSERT INTO {table} (pk, ck, v) VALUES (5, 5, 'if') IF NOT EXISTS"
    yield f"UPDATE {table} SET v = 'if so' WHERE pk = 5 AND ck = 5 IF v = 'if'"
    yield f"UPDATE {table} SET v = 'never' WHERE pk = 5 AND ck = 5 IF v = 'else'"


def collections(table):
    where = "WHERE pk = 1 AND ck = 'a'"
    yield (f"INSERT INTO {table} (pk, ck, l, s, m, fl, fs, fm, t, a, fa, mm) VALUES (1, 'a', [3, 1, 2], {{'y', 'x'}}, "
           "{'k': 1, 'j': 2}, ['b', 'a'], {3, 1}, {2: 'two', 1: 'one'}, (1, 'in', true), "
           "{street: 'Elm', \"no\": 7, tags: {'q'}}, {street: 'Oak', \"no\": 8, tags: {'p', 'o'}}, {'w': [1, 2]}) %T")
    yield f"UPDATE {table} %T SET s = s + {{'z'}}, m = m + {{'k': 3, 'n': 4}} {where}"
    yield f"UPDATE {table} %T SET s = s - {{'x'}}, m = m - {{'j'}} {where}"
    yield f"UPDATE {table} %T SET m['one'] = 1 {where}"
    yield f"DELETE m['one'] FROM {table} %T {where}"
    yield f"UPDATE {table} %T SET s = {{'only'}}, m = {{'only': 1}} {where}"
    yield f"UPDATE {table} %T SET s = {{}}, m = null {where}"
    yield f"UPDATE {table} %T SET a.street = 'Ash' {where}"
    yield f"UPDATE {table} %T SET a = {{street: 'Fir'}} {where}"
    yield f"DELETE a FROM {table} %T {where}"
    yield f"UPDATE {table} %T SET fl = [], fs = null, fm = {{}}, t = (null, null, null) {where}"
    yield f"UPDATE {table} %T SET fa = {{street: null, \"no\": 9, tags: {{}}}}, mm['v'] = [] {where}"
    yield f"UPDATE {table} %T SET l = [9, 8] + l {where}"
    yield f"UPDATE {table} %T SET l = l + [7] {where}"
    yield f"UPDATE {table} %T SET l = l - [1] {where}"
    yield f"UPDATE {table} %T SET l[0] = 5 {where}"
    yield f"INSERT INTO {table} (pk, ck, t, fl) VALUES (1, 'b', (2, null, false), ['\u00fc', '']) %T"
    yield f"INSERT INTO {table} (pk, ck, m) VALUES (1, 'c', {{'t': 1}}) %T AND TTL 86400"
    yield f"DELETE FROM {table} %T {where}"


def statics():
    for table in ("vn.statics", "vn.plain"):
        yield f"UPDATE {table} %T SET st = 's1' WHERE pk = 9"
        yield f"UPDATE {table} %T SET st = 's2' WHERE pk = 9"
        yield f"INSERT INTO {table} (pk, ck, v, st) VALUES (9, 1, 'both', 's3') %T"
        yield f"UPDATE {table} %T SET v = 'row alone' WHERE pk = 9 AND ck = 1"
        yield f"DELETE st FROM {table} %T WHERE pk = 9"
    yield "UPDATE vn.statics %T SET sm = {'a': 'b'} WHERE pk = 9"
    yield "UPDATE vn.statics %T SET sm = sm + {'c': 'd'} WHERE pk = 9"
    yield "DELETE FROM vn.statics %T WHERE pk = 9 AND ck = 1"
    yield "DELETE FROM vn.statics %T WHERE pk = 9"


def solo():
    one, two = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
    yield f"INSERT INTO vn.solo (id, v, m) VALUES ({one}, 'one', {{'a': 'b'}}) %T"
    yield f"UPDATE vn.solo %T SET m = m + {{'c': 'd'}} WHERE id = {one}"
    yield f"UPDATE vn.solo %T SET v = 'two' WHERE id = {one}"
    yield f"INSERT INTO vn.solo (id) VALUES ({two}) %T"
    yield f"DELETE FROM vn.solo %T WHERE id = {one}"
    yield f"DELETE v FROM vn.solo %T WHERE id = {two}"


def gaps():
    """Changes whose pre-image the log cannot have."""
    yield "UPDATE vn.gaps %T SET v = 'new' WHERE pk = 1 AND ck = 1"
    yield "UPDATE vn.gaps %T SET v = 'newer' WHERE pk = 1 AND ck = 1"
    yield "UPDATE vn.gaps %T SET v = 'newest' WHERE pk = 1 AND ck = 1"
    yield "DELETE FROM vn.gaps %T WHERE pk = 2 AND ck = 2"
    yield "INSERT INTO vn.gaps (pk, ck, v) VALUES (3, 3, 'three') %T"
    yield "DELETE FROM vn.gaps %T WHERE pk = 3 AND ck = 3"


def expiry():
    """Rows that the server's own expiry deletes when it is asked to: operations -3 and -4."""
    for gone in ("2024-06-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z"):
        yield f"INSERT INTO vn.expiry (pk, ck, v, gone) VALUES (1, {gone[3]}, 'v', '{gone}') %T"
        yield f"INSERT INTO vn.expiry_solo (pk, v, gone) VALUES ({gone[3]}, 'v', '{gone}') %T"


ORDERS = ("rowttl expire vn.expiry", "rowttl expire vn.expiry_solo")  # after the writes


def drawn(table, seed, total=60):
    """Single-row writes as they fall; updates and deletes of rows that are there only."""
    r, there = random.Random(seed), set()
    for _ in range(total):
        key = (10 + r.randrange(4), r.randrange(3))
        where = f"WHERE pk = {key[0]} AND ck = {key[1]}"
        choice = r.random()
        if key not in there or choice < .3:
            there.add(key)
            yield f"INSERT INTO {table} (pk, ck, v) VALUES ({key[0]}, {key[1]}, 'i{r.randrange(100)}') %T"
        elif choice < .7:
            yield f"UPDATE {table} %T SET v = 'u{r.randrange(100)}' {where}"
        elif choice < .85:
            yield f"UPDATE {table} %T SET v = null {where}"
        else:
            there.discard(key)
            yield f"DELETE FROM {table} %T {where}"


def tablets():
    for table in ("tb.plain", "tb.images"):
        for pk in range(6):
            yield f"INSERT INTO {table} (pk, ck, v) VALUES ({pk}, 1, 'one') %T"
            yield f"UPDATE {table} %T SET v = 'two' WHERE pk = {pk} AND ck = 1"
    yield "UPDATE tb.images %T SET m = {'a': 1} WHERE pk = 1 AND ck = 1"
    yield "UPDATE tb.images %T SET m = m + {'b': 2} WHERE pk = 1 AND ck = 1"
    yield "DELETE FROM tb.plain %T WHERE pk = 2 AND ck = 1"
    yield "DELETE FROM tb.images %T WHERE pk = 2 AND ck = 1"
    yield "DELETE FROM tb.plain %T WHERE pk = 3 AND ck >= 1"
    yield "DELETE FROM tb.plain %T WHERE pk = 4"


def writes():
    """The statements in order, each with its own microsecond."""
    images = ("UPDATE %TABLE %T SET d = 1.50 WHERE pk = 1 AND ck = 2", "UPDATE %TABLE %T SET d = 1E+3 WHERE pk = 1 AND ck = 2")
    every = [*types("vn.types_all"), *types("vn.types_images"), *typed_keys(),
             *rows("vn.plain", ("UPDATE %TABLE %T SET v = 'made by update' WHERE pk = 7 AND ck = 7",
                                "DELETE FROM %TABLE %T WHERE pk = 8 AND ck = 8")),
             *rows("vn.images", images), *rows("vn.before_only", ()), *rows("vn.after_only", ()),
             *collections("vn.collections"), *collections("vn.collections_images"), *statics(), *solo(), *gaps(), *expiry(),
             *drawn("vn.images", SEED), *drawn("vn.plain", SEED + 1), *tablets()]
    for number, text in enumerate(every):
        yield text.replace("%T", f"USING TIMESTAMP {WRITES_US + number * 10_007}")


def moved(table, begin_us):
    """Before new streams begin at that time, and after, of the same rows: the old streams' last microsecond, the new ones' first."""
    def at(us, statements):
        return [text.replace("%T", f"USING TIMESTAMP {begin_us + us + number * 11}") for number, text in enumerate(statements)]
    before, last, after = [], [], []
    for pk in range(8):
        one, two = f"WHERE pk = {pk} AND ck = 1", f"WHERE pk = {pk} AND ck = 2"
        before += at(-70_000_000 + pk * 1000, (
            f"INSERT INTO {table} (pk, ck, v) VALUES ({pk}, 1, 'old') %T", f"UPDATE {table} %T SET v = 'older' {one}",
            f"INSERT INTO {table} (pk, ck, v) VALUES ({pk}, 2, 'goes with the new') %T"))
        last += at(-1, (f"UPDATE {table} %T SET v = 'the last of the old' {one}",))
        after += at(0, (f"UPDATE {table} %T SET v = 'the first of the new' {one}",)) + at(1000 + pk, (
            f"DELETE FROM {table} %T {two}", f"INSERT INTO {table} (pk, ck, v) VALUES ({pk}, 3, 'new') %T",
            f"UPDATE {table} %T SET v = null {one}"))
    return before, last + after


SWITCHES = {  # order, and where the time is found that it has set
    "vn.moved": (f"generation new in {SWITCH_MS}",
                 "SELECT time FROM system_distributed.cdc_generation_timestamps WHERE key = 'timestamps' LIMIT 1"),
    "tb.moved": (f"tablets split tb.moved in {SWITCH_MS}",
                 "SELECT timestamp FROM system.cdc_timestamps WHERE keyspace_name = 'tb' AND table_name = 'moved' LIMIT 1"),
}
