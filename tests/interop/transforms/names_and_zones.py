# SPDX-License-Identifier: Apache-2.0
"""Seeded cases for Debezium's transforms of names, time zones and source schemas, in the form of generate.py."""
import random

import generate
from generate import maybe, optional_settings

JDBC = "io.debezium.connector.jdbc.transforms."
TOPICS = ["srv.shop.dbo.things", "srv.shop.dbo.OrderLines", "srv.shop.dbo.order_lines2", "T", "a1b2", "HTTPServer.IDs", "_x", "x_",
          "a..b", "__a"]
FIELDS = ["id", "orderLine", "order_line", "OrderLine2", "URL", "userID", "a1b", "_hidden", "x_", "a.b", "ALL_CAPS", "s3Key"]
STYLES = [None, "default", "snake_case", "camel_case", "UPPER_CASE", "lower_case"]
TIME = "io.debezium.time."
MOMENTS = [0, -1, 1, 86399, 1709164800, 1711846800, 1711850400, 1711854000, 1729990800, 1729994400, 1698543000, 4102444800, -86400]
ZONES = ["America/Los_Angeles", "Europe/Warsaw", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "+08:00", "-05:30", "Z", "GMT+2"] * 3 + [
    "nope", "", None]


# ---- names ----

class Named(generate.Events):
    """Rows and events whose fields are called as people call them."""

    def struct(self, depth=0, name=None):
        schema = super().struct(depth, name)
        names = self.rng.sample(FIELDS, len(schema["f"]))
        schema["f"] = [[new, field] for new, (_, field) in zip(names, schema["f"])]
        return schema

    def field(self, depth):
        schema = super().field(depth)
        if schema.get("o") and maybe(self.rng, 0.9):  # what theirs makes of a null with a default hides the rest
            schema.pop("d", None)
        return schema

    def key(self):
        schema, key = super().key()
        return (schema, [key[0], key[1] or "k"]) if isinstance(key, list) and maybe(self.rng, 0.8) else (schema, key)

    def named(self):
        record = self.change() if maybe(self.rng, 0.8) else self.record()
        return {**record, "topic": self.rng.choice(TOPICS)}


def names(rng, family):
    return optional_settings(rng, **{family + "prefix": [None, None, "", "pre_", "A."], family + "suffix": [None, None, "_s", "Z"],
                                     family + "style": STYLES * 2 + ["bogus"]})


def name_cases(seed, n):
    rng = random.Random(seed)
    events = Named(rng)
    for _ in range(n):
        for name, family in (("CollectionNameTransformation", "collection.naming."), ("FieldNameTransformation", "column.naming.")):
            yield {"class": JDBC + name, "config": names(rng, family), "records": [events.named() for _ in range(4)]}


# ---- time zones ----

def optional(rng, schema):
    return {**schema, "o": True} if maybe(rng, 0.6) else schema


class Timed(generate.Events):
    """Events of tables with each kind of time that Debezium writes."""

    COLUMNS = {
        "id": {"t": "int32"}, "seen": {"t": "int64", "n": TIME + "Timestamp", "v": 1},
        "made": {"t": "int64", "n": TIME + "MicroTimestamp", "v": 1}, "exact": {"t": "int64", "n": TIME + "NanoTimestamp", "v": 1},
        "at": {"t": "int64", "n": generate.TIMESTAMP, "v": 1}, "zoned": {"t": "string", "n": TIME + "ZonedTimestamp", "v": 1},
        "later": {"t": "string", "n": TIME + "ZonedTimestamp", "v": 1}, "clock": {"t": "string", "n": TIME + "ZonedTime", "v": 1},
        "day": {"t": "int32", "n": TIME + "Date", "v": 1}, "time": {"t": "int64", "n": TIME + "MicroTime", "v": 1},
        "note": {"t": "string"}}

    def row(self):
        names = self.rng.sample(list(self.COLUMNS), self.rng.randint(1, len(self.COLUMNS)))
        return {"t": "struct", "n": "srv.shop.dbo.things.Value", "o": True,
                "f": [[name, optional(self.rng, self.COLUMNS[name])] for name in names]}

    def envelope(self, row):
        envelope = super().envelope(row)
        envelope["f"][2][1] = {"t": "struct", "n": "io.debezium.connector.sqlserver.Source", "v": 1, "f": [
            ["table", {"t": "string"}], ["ts_ms", {"t": "int64"}], ["lsn", {"t": "string", "o": True}],
            ["ts_us", generate.OPTIONAL_LONG], ["ts_ns", generate.OPTIONAL_LONG]]}
        return envelope

    def event(self):
        envelope, value = super().event()
        s = self.rng.choice(MOMENTS)
        value[2] = [self.rng.choice(["things", "things", "items"]), s * 1000 + 7, None, self.rng.choice([None, s * 10 ** 6 + 7]),
                    self.rng.choice([None, s * 10 ** 9 + 7])]
        return envelope, value

    def value(self, schema):
        rng, name = self.rng, schema.get("n", "")
        if schema.get("o") and maybe(rng, 0.2):
            return None
        units = {TIME + "Timestamp": 1000, generate.TIMESTAMP: 1000, TIME + "MicroTimestamp": 10 ** 6, TIME + "NanoTimestamp": 10 ** 9}
        if name in units:
            return rng.choice(MOMENTS) * units[name] + rng.choice([0, 1, units[name] - 1])
        if name == TIME + "ZonedTimestamp":
            offset = rng.choice(["Z", "Z", "+01:00", "-08:00", "+05:45"])
            return rng.choice(["2024-02-29T13:14:15", "1969-12-31T23:59:59", "2024-03-10T02:30:00", "2024-10-27T01:30:00",
                               "2024-01-01T00:00:00"]) + rng.choice(["", ".1", ".123456", ".123456789", ".120"]) + offset
        if name == TIME + "ZonedTime":
            return rng.choice(["00:00:00", "13:14:15", "23:59:59.5"]) + rng.choice(["Z", "+01:00"])
        return super().value(schema)


def lists(rng):
    """Entries of one kind, whose word stands before the first; some as theirs does not take them."""
    topic, table = "srv.shop.dbo.things", "things"
    fields = ["zoned", "seen", "before.zoned", "after.made", "source.ts_ms", "source.ts_us", "nope", "id", "later", "at"]
    kind = rng.choice(["topic:", "source:", ""])
    names = {"topic:": [topic], "source:": [table], "": [topic, table]}[kind]

    def entry(likely):
        return rng.choice(names) + (f":{rng.choice(fields)}" if maybe(rng, likely) else "")
    entries = [kind + entry(0.7 if kind else 1), *(entry(0.8) for _ in range(rng.randint(0, 2)))]
    if maybe(rng, 0.03):
        entries.append(rng.choice(["", "topic:t:id", "a:b:c:d"]))
    return ",".join(entries)


def zone_cases(seed, n):
    rng = random.Random(seed)
    events = Timed(rng)
    for _ in range(n):
        config = optional_settings(rng, **{"converted.timezone": ZONES})
        kind = rng.random()
        if kind < 0.35:
            config["include.list"] = lists(rng)
        elif kind < 0.7:
            config["exclude.list"] = lists(rng)
        elif kind < 0.75:
            config |= {"include.list": lists(rng), "exclude.list": lists(rng)}
        yield {"class": generate.DEBEZIUM + "TimezoneConverter", "config": config, "records": [events.change() for _ in range(4)]}


# ---- the columns in the source ----

class Told(generate.Events):
    """Events whose columns tell what they are in the source, most of them."""

    def field(self, depth):
        schema = super().field(depth)
        if depth == 1 and schema["t"] not in ("struct", "array", "map"):
            told = {"type": self.rng.choice(["INT", "NVARCHAR", "DECIMAL"]), "name": self.rng.choice(["Id", "Name", "Größe"])}
            told |= optional_settings(self.rng, length=[None, "10", "2147483647"], scale=[None, "0", "5"], comment=[None, "why"])
            if maybe(self.rng, 0.01):
                told["length"] = "long"
            if maybe(self.rng, 0.01):
                told.pop("name")
            schema["p"] = {**schema.get("p", {}), **{f"__debezium.source.column.{key}": text for key, text in told.items()}}
        return schema

    def row(self):
        row = super().row()
        row["f"] = [(name, field) for name, field in row["f"] if "p" in field or maybe(self.rng, 0.02)] or row["f"]
        return row


def source_schema_cases(seed, n):
    rng = random.Random(seed)
    events = Told(rng)
    for _ in range(n):
        yield {"class": generate.DEBEZIUM + "ExtractSchemaToNewRecord", "config": {}, "records": [events.change() for _ in range(4)]}
