# SPDX-License-Identifier: Apache-2.0
"""
Random statements that both the simulator and a real Cassandra know, from a seed. Write times are given by USING TIMESTAMP
from a small range, so that equal and backward ones are common. Only lists keep to increasing times: ScyllaDB orders
appended elements by the write's time and Cassandra by arrival, which agree only then.
"""
import random

SCHEMA = [
    "CREATE TYPE address (street text, zip int)",
    "CREATE TABLE clustered (p int, c int, s text static, ss set<int> static, a int, b text, m map<text,int>, st set<text>, "
    "u address, f frozen<address>, t tuple<int,text>, PRIMARY KEY (p, c))",
    "CREATE TABLE composite (p1 int, p2 text, c1 int, c2 text, v int, w double, PRIMARY KEY ((p1, p2), c1, c2)) "
    "WITH CLUSTERING ORDER BY (c1 DESC, c2 ASC)",
    "CREATE TABLE single (k int PRIMARY KEY, a int, b text, d decimal, ts timestamp, m map<int,frozen<list<text>>>)",
    "CREATE TABLE lists (k int, c int, l list<int>, fl frozen<list<int>>, PRIMARY KEY (k, c))",
    "CREATE TABLE counters (k int, c text, n counter, m counter, PRIMARY KEY (k, c))",
    "CREATE TABLE conditional (k int, c int, s int static, v int, w text, PRIMARY KEY (k, c))",
]
TABLES = ["clustered", "composite", "single", "lists", "counters", "conditional"]
CELLS = {"clustered": ["s", "a", "b"], "composite": ["v", "w"], "single": ["a", "b", "d", "ts"]}
BASE_US = 1700000000000000


class History:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.clock = BASE_US

    def one_of(self, *choices):
        return self.random.choice(choices)

    def chance(self, p):
        return self.random.random() < p

    def number(self, top=4):
        return self.random.randrange(top)

    def text(self):
        return self.one_of("'a'", "'b'", "'c d'", "''", "'it''s'")

    def using(self, ttl=True):
        """USING TIMESTAMP of a narrow range, sometimes with a long TTL."""
        long_ttl = f" AND TTL {self.one_of(500000, 600000)}" if ttl and self.chance(0.15) else ""
        return f"USING TIMESTAMP {BASE_US + self.number(30)}{long_ttl}"

    def address(self):
        return self.one_of("{street: 'x'}", "{street: 'y', zip: 1}", "{zip: 2}", "null")

    def map(self):
        return "{" + ", ".join(f"'{k}': {self.number()}" for k in self.random.sample("xyz", self.number())) + "}"

    def set(self):
        return "{" + ", ".join(f"'{k}'" for k in self.random.sample("xyz", self.number())) + "}"

    def filled(self, make):
        while True:
            value = make()
            if value != "{}":
                return value

    def range(self, column, top=5):
        return self.one_of(f"{column} > {self.number(top)}", f"{column} >= {self.number(top)}", f"{column} < {self.number(top)}",
                           f"{column} <= {self.number(top)}",
                           f"{column} > {self.number(top)} AND {column} < {self.number(top)}",
                           f"{column} IN ({self.number(top)}, {self.number(top)})")

    # --- one table each ---

    def clustered_set(self):
        name = self.one_of("a", "b", "m", "st", "u", "f", "t", "m+", "m-", "m[]", "st+", "st-", "u.")
        return {
            "a": lambda: f"a = {self.one_of('null', 1, 2, 3)}", "b": lambda: f"b = {self.one_of('null', self.text())}",
            "m": lambda: f"m = {self.one_of('null', self.map())}", "st": lambda: f"st = {self.one_of('null', self.set())}",
            "u": lambda: f"u = {self.address()}", "f": lambda: f"f = {self.address()}",
            "t": lambda: f"t = {self.one_of('null', '(1, null)', '(2, ' + self.text() + ')')}",
            "m+": lambda: f"m = m + {self.filled(self.map)}", "m-": lambda: f"m = m - {self.filled(self.set)}",
            "m[]": lambda: f"m['{self.one_of('x', 'y')}'] = {self.one_of('null', 7)}",
            "st+": lambda: f"st = st + {self.filled(self.set)}", "st-": lambda: f"st = st - {self.filled(self.set)}",
            "u.": lambda: self.one_of("u.zip = 9", "u.street = null"),
        }[name]()

    def clustered(self):
        p, c = self.number(3), self.number(5)
        kind = self.number(12)
        if kind < 3:
            return (f"INSERT INTO clustered (p, c, a, b, m, st, u) VALUES ({p}, {c}, {self.one_of('null', 1, 2)}, {self.text()}, "
                    f"{self.map()}, {self.set()}, {self.address()}) {self.using()}")
        if kind == 3:
            return f"INSERT INTO clustered (p, c, a) VALUES ({p}, {c}, {self.number()}) {self.using()}"
        if kind == 4:
            what = self.one_of(f"s = {self.text()}", "s = null", "ss = ss + {1, 2}", "ss = {3}", "ss = ss - {1}")
            return f"UPDATE clustered {self.using()} SET {what} WHERE p = {p}"
        if kind < 8:
            sets = {s.split("[")[0].split(".")[0].split(" ")[0]: s for s in (self.clustered_set() for _ in range(2))}
            return f"UPDATE clustered {self.using()} SET {', '.join(sets.values())} WHERE p = {p} AND c IN ({c}, {self.number(5)})"
        using = self.using(ttl=False)
        if kind == 8:
            what = self.one_of("a", "m", "st, b", "m['x']", "st['y']", "u", "u.zip")
            return f"DELETE {what} FROM clustered {using} WHERE p = {p} AND c = {c}"
        if kind == 9:
            return f"DELETE FROM clustered {using} WHERE p = {p} AND c = {c}"
        if kind == 10:
            return f"DELETE FROM clustered {using} WHERE p = {p} AND {self.range('c')}"
        return f"DELETE {self.one_of('', 's', 'ss')} FROM clustered {using} WHERE p = {p}"

    def composite(self):
        where = f"p1 = {self.number(2)} AND p2 = {self.one_of(repr('x'), repr('y'))}"
        full = f"{where} AND c1 = {self.number(4)} AND c2 = '{self.one_of('a', 'b', 'c')}'"
        kind = self.number(8)
        if kind < 3:
            return (f"INSERT INTO composite (p1, p2, c1, c2, v, w) VALUES ({self.number(2)}, '{self.one_of('x', 'y')}', "
                    f"{self.number(4)}, '{self.one_of('a', 'b', 'c')}', {self.number()}, {self.one_of('NaN', 1.5, -0.0)}) "
                    f"{self.using()}")
        if kind < 5:
            return f"UPDATE composite {self.using()} SET v = {self.one_of('null', 1, -5)} WHERE {full}"
        using = self.using(ttl=False)
        if kind == 5:
            return f"DELETE FROM composite {using} WHERE {full}"
        if kind == 6:
            return f"DELETE FROM composite {using} WHERE {where} AND {self.range('c1')}"
        return self.one_of(
            f"DELETE FROM composite {using} WHERE {where} AND c1 = {self.number(4)} AND c2 > 'a'",
            f"DELETE FROM composite {using} WHERE {where} AND (c1, c2) = ({self.number(4)}, 'b')",
            f"DELETE FROM composite {using} WHERE {where} AND c1 = {self.number(4)}", f"DELETE v FROM composite {using} WHERE {full}")

    def single(self):
        k, kind = self.number(4), self.number(6)
        if kind < 2:
            return (f"INSERT INTO single (k, a, b, d, ts) VALUES ({k}, {self.number()}, {self.text()}, "
                    f"{self.one_of('1.0', '1.00', '-3e5', '0')}, '2024-01-0{1 + self.number(9)}') {self.using()}")
        if kind == 2:
            return f"INSERT INTO single (k, m) VALUES ({k}, {{1: ['a'], 2: []}}) {self.using()}"
        if kind < 5:
            what = self.one_of("a = 5", "a = null", f"b = {self.text()}", "m = m + {3: ['z']}", "m[1] = ['q', 'r']", "d = -0.10")
            return f"UPDATE single {self.using()} SET {what} WHERE k = {k}"
        what = self.one_of("", "a", "b, d", "m[1]", "m")
        return f"DELETE {what} FROM single {self.using(ttl=False)} WHERE k = {k}"

    def lists(self):
        self.clock += 10
        where, kind = f"k = {self.number(2)} AND c = {self.number(2)}", self.number(8)
        using = f"USING TIMESTAMP {self.clock}"
        values = "[" + ", ".join(str(self.number(5)) for _ in range(1 + self.number(3))) + "]"
        if kind == 7:
            return f"DELETE {self.one_of('', 'l', 'fl')} FROM lists {using} WHERE {where}"
        what = [f"l = {values}", f"l = l + {values}", f"l = l + {values}", f"l = {values} + l", f"l = l - {values}",
                f"l = {values}, fl = {values}", "l = null"][kind]
        return f"UPDATE lists {using} SET {what} WHERE {where}"

    def counters(self):
        where = f"k = {self.number(2)} AND c = '{self.one_of('a', 'b')}'"
        return f"UPDATE counters SET n = n {self.one_of('+', '-')} {self.number(100)}, m = m + 1 WHERE {where}"

    def conditional(self):
        where = f"k = {self.number(2)} AND c = {self.number(3)}"
        test = self.one_of("EXISTS", "v = 1", "v != 2", "v > 0", "v = null", "v IN (1, 2)", "s = 1", "w = 'x' AND v = 1", "w < 'z'")
        return self.one_of(
            f"INSERT INTO conditional (k, c, v, w) VALUES ({self.number(2)}, {self.number(3)}, {self.number()}, 'x') IF NOT EXISTS",
            f"UPDATE conditional SET v = {self.number()}, w = {self.text()} WHERE {where} IF {test}",
            f"UPDATE conditional SET s = {self.number()} WHERE k = {self.number(2)} IF s != 3",
            f"DELETE FROM conditional WHERE {where} IF {test}", f"DELETE v FROM conditional WHERE {where} IF EXISTS")

    def definition(self):
        """A column that comes and goes: what was written before it went stays away when it comes back."""
        return self.one_of("ALTER TABLE single ADD e int", "ALTER TABLE single DROP e",
                           *[f"UPDATE single SET e = {self.number()} WHERE k = {self.number()}"] * 4)

    def statement(self):
        if self.chance(0.03):
            return self.definition()
        if self.chance(0.08):
            items = [getattr(self, self.one_of("clustered", "single", "composite"))() for _ in range(2 + self.number(3))]
            return f"BEGIN {self.one_of('', 'UNLOGGED ')}BATCH {'; '.join(items)}; APPLY BATCH"
        return getattr(self, self.one_of("clustered", "clustered", *TABLES))()
