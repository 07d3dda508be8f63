# SPDX-License-Identifier: Apache-2.0
"""Seeded cases for Recorder.java and transform_judge.c: a transform's class, its configuration, records for it."""
import json
import random

KAFKA = "org.apache.kafka.connect.transforms."
DEBEZIUM = "io.debezium.transforms."
DATE = "org.apache.kafka.connect.data.Date"
TIME = "org.apache.kafka.connect.data.Time"
TIMESTAMP = "org.apache.kafka.connect.data.Timestamp"
DECIMAL = "org.apache.kafka.connect.data.Decimal"
NAMES = ["id", "name", "qty", "price", "at", "day", "flag", "data", "tags", "attrs", "inner", "a.b", "note"]
HEADERS = ["h1", "h2", "drop", "traceparent"]
TEXTS = ["", "a", "true", "TRUE", "12", "-7", "+5", "300", "70000", "3000000000", "1.5", ".5", "5.", "1e3", "NaN",
         "Infinity", "-Infinity", "0x1p3", "1f", "2D", " 12 ", "12 ", "null", "2024-02-29", "13:14:15.016Z",
         "2024-02-29T13:14:15.016Z", "2024-02-29 13:14:15", "01/02/99", "1999", "5 Mar 2001", "grüße", "日本", "😀",
         "x" * 40, "[1, 2]", "{\"a\":1}", "12345678901234567890", "1e400", "0.1", "1e-50", "srv.shop.dbo.things"]


def maybe(rng, share=0.5):
    return rng.random() < share


class Schemas:
    """Random schemas and values for them."""

    def __init__(self, rng):
        self.rng = rng

    def scalar(self):
        rng = self.rng
        kind = rng.choice(["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "bytes", "string",
                           "int32", "date", "time", "timestamp", "decimal", "micro"])
        named = {"date": ("int32", DATE), "time": ("int32", TIME), "timestamp": ("int64", TIMESTAMP)}
        if kind in named:
            return {"t": named[kind][0], "n": named[kind][1], "v": 1}
        if kind == "decimal":
            return {"t": "bytes", "n": DECIMAL, "v": 1, "p": {"scale": str(rng.choice([0, 0, 2, 2, 5]))}}
        if kind == "micro":
            return {"t": "int64", "n": "io.debezium.time.MicroTimestamp", "v": 1}
        return {"t": kind}

    def field(self, depth):
        rng = self.rng
        kind = rng.random()
        if kind < 0.75 or depth > 2:
            schema = self.scalar()
        elif kind < 0.85:
            schema = self.struct(depth + 1)
        elif kind < 0.93:
            schema = {"t": "array", "e": self.scalar()}
        else:
            schema = {"t": "map", "k": {"t": "string"}, "e": self.scalar()}
        if maybe(rng, 0.1) and "n" not in schema:
            schema["doc"] = "what it is"
        if maybe(rng, 0.6):
            schema["o"] = True
        if maybe(rng, 0.25) and schema["t"] not in ("struct", "array", "map"):
            schema["d"] = self.value({**schema, "o": False})
        return schema

    def struct(self, depth=0, name=None):
        rng = self.rng
        fields = rng.sample(NAMES, rng.randint(0 if depth else 1, 7))
        schema = {"t": "struct", "f": [[field, self.field(depth)] for field in fields]}
        if name or maybe(rng):
            schema["n"] = name or rng.choice(["srv.shop.dbo.things.Value", "row", "x.y"])
            if maybe(rng, 0.3):
                schema["v"] = rng.randint(1, 9)
        if maybe(rng, 0.1):
            schema["p"] = {"some": "thing", "a": "b"}
        if maybe(rng, 0.1):
            schema["doc"] = "a row"
        return schema

    def whole(self):
        """A schema for a whole key or value."""
        rng = self.rng
        schema = self.struct() if maybe(rng, 0.85) else self.field(3)
        if maybe(rng, 0.3):
            schema["o"] = True
        return schema

    def integer(self, bits):
        rng = self.rng
        edge = 1 << (bits - 1)
        return rng.choice([0, 1, -1, edge - 1, -edge, rng.randint(-edge, edge - 1), rng.randint(-100, 100)])

    def real(self):
        rng = self.rng
        return rng.choice(["0.0", "-0.0", "1.0", "-1.5", "0.1", "3.9999", "-3.9999", "127.5", "300.7", "70000.25", "1.0E10",
                           "-1.0E20", "3.0E38", "NaN", "Infinity", "-Infinity", "1.0E-5",
                           repr(round(rng.uniform(-1000, 1000), 3))])

    def value(self, schema):
        rng = self.rng
        if schema.get("o") and maybe(rng, 0.3):
            return None
        kind, name = schema["t"], schema.get("n")
        if name == DATE:
            return rng.choice([0, 1, -1, 19782, -200000, rng.randint(-30000, 60000)])
        if name == TIME:
            return rng.randrange(86400000)
        if name == TIMESTAMP:
            return rng.choice([0, 86400000, 1709164800000, rng.randint(-10 ** 13, 10 ** 13), rng.randint(0, 2 * 10 ** 12)])
        if name == DECIMAL:
            return str(rng.choice([0, 1, -1, 12345, -12345, 10 ** 25, rng.randint(-10 ** 12, 10 ** 12)]))
        if kind.startswith("int"):
            return self.integer(int(kind[3:]))
        if kind.startswith("float"):
            return self.real()
        if kind == "boolean":
            return maybe(rng)
        if kind == "string":
            return rng.choice(TEXTS)
        if kind == "bytes":
            return bytes(rng.randrange(256) for _ in range(rng.randrange(6))).hex()
        if kind == "array":
            return [self.value(schema["e"]) for _ in range(rng.randrange(4))]
        if kind == "map":
            return [[key, self.value(schema["e"])] for key in rng.sample(["k", "l", "m"], rng.randrange(3))]
        return [self.value(field[1]) for field in schema["f"]]

    def schemaless(self, depth=0):
        rng = self.rng
        kind = rng.choice(["int64", "float64", "boolean", "string", "null"] + (["map", "array"] if depth < 3 else []))
        if kind == "null":
            return None
        inner = {"int64": lambda: self.integer(64), "float64": self.real, "boolean": lambda: maybe(rng),
                 "string": lambda: rng.choice(TEXTS), "array": lambda: [self.schemaless(depth + 1) for _ in range(2)],
                 "map": lambda: self.map(depth + 1)}
        return [kind, inner[kind]()]

    def map(self, depth=0):
        return [[name, self.schemaless(depth)] for name in self.rng.sample(NAMES, self.rng.randint(0, 6))]

    def side(self):
        """Schema and value of a key or value."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.70:
            schema = self.whole()
            return schema, self.value(schema)
        if kind < 0.88:
            return None, ["map", self.map()]
        if kind < 0.94:
            return None, self.schemaless()
        return None, None

    def record(self, **more):
        rng = self.rng
        key_schema, key = self.side()
        value_schema, value = self.side()
        headers = []
        for name in rng.choices(HEADERS, k=rng.choice([0, 0, 1, 2, 3])):
            schema = self.scalar()
            headers.append([name, schema, self.value({**schema, "o": False})])
        record = {"topic": rng.choice(["srv.shop.dbo.things", "srv.shop.dbo.items", "t", "heartbeat.x", "${timestamp}"]),
                  "partition": rng.randrange(4), "offset": rng.randrange(1000),
                  "ts": rng.choice([None, 0, 1, -1, 1709164800000, rng.randint(-10 ** 12, 4 * 10 ** 12)]),
                  "ks": key_schema, "k": key, "vs": value_schema, "v": value, "headers": headers}
        record.update(more)
        return record


def optional_settings(rng, **choices):
    """Each with one of its values, or none (None)."""
    config = {key: rng.choice(values) for key, values in choices.items()}
    return {key: value for key, value in config.items() if value is not None}


def some(rng, names=NAMES, most=3):
    return ",".join(rng.sample(names, rng.randint(1, most)))


NULLS = [None, None, "true", "false"]
PATTERNS = ["yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "HH:mm:ss.SSS'Z'", "dd/MM/yy", "yyyyMMdd",
            "d MMM yyyy", "EEE, d MMMM yyyy h:mm a", "yyyyMMddHHmmssSSS", "y G", "kk:mm K a", "D yyyy", "yyyy-MM-dd Z", "u F W",
            "yyyy.MM.dd G 'at' HH:mm:ss z", "hh 'o''clock' a, zzzz", "XX XXX X", "YYYY-'W'ww-u", "S SS SSSSSS", "", "   ", "bogus",
            "'open", "XXXX"]


def cast(rng):
    types = ["int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "STRING", "bytes", "nope"]
    weights = [9] * 8 + [3, 1, 1]

    def one():
        return rng.choices(types, weights)[0]
    whole = maybe(rng, 0.3)
    spec = one() if whole else ",".join(f"{name}:{one()}" for name in rng.sample(NAMES, rng.randint(1, 4)))
    if maybe(rng, 0.03):
        spec = rng.choice(["a:b:c", "string,a:string", "", ":", "a:"])
    return {"spec": spec, **optional_settings(rng, **{"replace.null.with.default": NULLS})}


def timestamp_converter(rng):
    return optional_settings(rng, **{
        "field": [None, "", "at", "day", "id", "name", "inner", "note", "price"],
        "target.type": ["string", "unix", "Date", "Time", "Timestamp"] * 4 + [None, "x"],
        "format": [None] + PATTERNS,
        "unix.precision": [None, "seconds", "milliseconds", "microseconds", "nanoseconds"] * 3 + ["hours"],
        "replace.null.with.default": NULLS})


LITERALS = TEXTS + ["[]", "{}", "[1,2,300]", "[1,\"a\"]", "[1.5, 2]", "[true,false]", "{a:1}", "{\"a\":1,\"b\":200}",
                    "{\"a\":\"x\",\"b\":\"y\"}", "[null]", "[null,1]", "{\"a\":null}", "[1,2", "[,]", "[1,]", "{1:2}", "[[1],[2]]",
                    "[\"2024-02-29\"]", "true}", "truex", "1 2", "\"quoted\"", "a:b", "a,b", "10:20", "2024-02-30", "25:00:00.000Z",
                    "9999999999999999999999", "1.0", "1e2", "123456789.125", "0x10", "+7", "--1", "1E400", "-129", "32768",
                    "2147483648", "99999999999999999999.5", "[\"a\\\"b\"]", "[1,2]x", "x[1]", "[1,\"a\",2]", "[[1],[300]]", "{\"a\":1,\"a\":2}", "{1:1,300:2}", "{\"a\":\"10:20:30.000Z\"}", "[1.5,1e300]", "{a", "[ ]", "{ }", "[true,1]", "[12:13:14.000Z]", "1\\:2", "a\\,b", "10\\:20\\:30.000Z", "2024-2-3xx", "[12345678901234567890,1]", "{\"a\":[1,2]}", " true ", "[ 1 , 2 ]"]

MAKERS = {
    "Cast$": cast,
    "DropHeaders": lambda rng: {"headers": some(rng, HEADERS)} if maybe(rng, 0.95) else {},
    "ExtractField$": lambda rng: optional_settings(rng, **{
        "field": NAMES * 2 + ["inner.id", "inner.inner.name", "`a.b`", "inner.`a.b`", "`open", "nope", "a\\`b", "inner.", None],
        "field.syntax.version": [None, "V1", "V2", "V2", "v2", "V3"], "replace.null.with.default": NULLS}),
    "Filter": lambda rng: {},
    "Flatten$": lambda rng: optional_settings(rng, delimiter=[None, "_", ".", "", "--"]),
    "HeaderFrom$": lambda rng: optional_settings(rng, **{
        "fields": [some(rng, ["id", "name", "at", "inner"], 2), "id", "name", "id,name"] * 5 + [None],
        "headers": (["h1"] if maybe(rng) else ["h1,h2", "h1,h1"]) * 5 + [None],
        "operation": ["move", "copy"] * 8 + ["nope", None], "replace.null.with.default": NULLS}),
    "HoistField$": lambda rng: optional_settings(rng, field=["wrapped", "a.b", "id", "wrapped", None]),
    "InsertField$": lambda rng: optional_settings(rng, **{
        "topic.field": [None, None, "t", "t!", "id"], "partition.field": [None, "p", "p!", "p?"], "offset.field": [None, "o", "o!"],
        "timestamp.field": [None, "ts", "ts!", "ts?"], "static.field": [None, "s", "name"], "static.value": [None, "x", ""],
        "replace.null.with.default": NULLS}),
    "InsertHeader": lambda rng: optional_settings(rng, **{"header": ["h", "h1", "h", None] if maybe(rng, 0.1) else ["h"],
                                                          "value.literal": LITERALS + [None]}),
    "MaskField$": lambda rng: optional_settings(rng, **{
        "fields": [some(rng) for _ in range(8)] + [None],
        "replacement": [None, None, None, "x", "12", "-1.5", "1e3", "300", "9999999999999", "", ".5", "+7", "1e30", "0x1"],
        "replace.null.with.default": NULLS}),
    "RegexRouter": lambda rng: optional_settings(rng, **{
        "regex": ["srv\\.shop\\.dbo\\.(.*)", "(.*)\\.(.*)", "(t)", "(t)|tt", "(.*)", "(a)?.*", "heart(.*)", "[", None],
        "replacement": ["$1", "x-$1", "new", "$0", "\\$1", None]}),
    "ReplaceField$": lambda rng: optional_settings(rng, **{
        "exclude": [None, None, some(rng)], "include": [None, None, some(rng, most=6)],
        "renames": [None, None, "id:key", "id:key,at:when", "a.b:ab", "broken", "id:name2,name:id2"],
        "replace.null.with.default": NULLS}),
    "SetSchemaMetadata$": lambda rng: optional_settings(rng, **{
        "schema.name": [None, "n", "a.b.C"], "schema.version": [None, "1", "42", "-3", "x"], "replace.null.with.default": NULLS}),
    "TimestampConverter$": timestamp_converter,
    "TimestampRouter": lambda rng: optional_settings(rng, **{
        "topic.format": [None, "x-${timestamp}", "${topic}", "${topic}.${topic}-${timestamp}", "$topic"],
        "timestamp.format": [None] + [pattern for pattern in PATTERNS if pattern not in ("bogus", "'open", "XXXX", "   ")]}),
    "ValueToKey": lambda rng: optional_settings(rng, **{
        "fields": [some(rng) for _ in range(8)] + ["id", "id,name", None], "replace.null.with.default": NULLS}),
}

PREDICATES = {
    "TopicNameMatches": lambda rng: {"pattern": rng.choice(["srv\\..*", "t", "heartbeat", "heartbeat.*", ".*things"])},
    "HasHeaderKey": lambda rng: {"name": rng.choice(HEADERS)},
    "RecordIsTombstone": lambda rng: {},
}


def kafka_cases(seed, n):
    """Every class of Kafka's, n configurations each, some records for each."""
    rng = random.Random(seed)
    schemas = Schemas(rng)
    for name, make in MAKERS.items():
        for _ in range(n):
            side = rng.choice(["Key", "Value", "Value"]) if name.endswith("$") else ""
            yield {"class": KAFKA + name + side, "config": make(rng), "records": [schemas.record() for _ in range(4)]}
    for name, make in PREDICATES.items():
        for _ in range(n // 4):
            yield {"class": KAFKA + "predicates." + name, "config": make(rng), "negate": maybe(rng),
                   "records": [schemas.record() for _ in range(4)]}


# ---- Debezium's ----

OPTIONAL_LONG = {"t": "int64", "o": True}


class Events(Schemas):
    """Change events of random tables, and what travels with them."""

    def row(self):
        row = self.struct(depth=1, name="srv.shop.dbo.things.Value")
        if not row["f"]:
            row["f"] = [["id", {"t": "int32"}]]
        row.pop("v", None)
        row["o"] = True
        return row

    def envelope(self, row):
        source = {"t": "struct", "n": "io.debezium.connector.sqlserver.Source", "v": 1,
                  "f": [["table", {"t": "string"}], ["ts_ms", {"t": "int64"}], ["lsn", {"t": "string", "o": True}]]}
        transaction = {"t": "struct", "n": "event.block", "v": 1, "o": True,
                       "f": [["id", {"t": "string"}], ["total_order", {"t": "int64"}], ["data_collection_order", {"t": "int64"}]]}
        return {"t": "struct", "n": "srv.shop.dbo.things.Envelope", "v": 2,
                "f": [["before", row], ["after", row], ["source", source], ["transaction", transaction],
                      ["op", {"t": "string"}], ["ts_ms", OPTIONAL_LONG], ["ts_us", OPTIONAL_LONG], ["ts_ns", OPTIONAL_LONG]]}

    def event(self):
        rng = self.rng
        row = self.row()
        envelope = self.envelope(row)
        op = rng.choice("cuurddt")
        bare = {**row, "o": False}
        before = self.value(bare) if op in "ud" else None
        after = self.value(bare) if op in "cur" else None
        if op == "u":  # some columns stay as they were
            after = [rng.choice([old, new]) for old, new in zip(before, after)]
        value = [before, after, ["things", 99, rng.choice([None, "1:2"])], rng.choice([None, ["t1", 1, 2]]), op,
                 rng.choice([None, 1234]), None, 5]
        return envelope, value

    def key(self):
        schema = {"t": "struct", "n": "srv.shop.dbo.things.Key",
                  "f": [["id", {"t": "int32"}], ["name", {"t": "string", "o": True, "d": "dflt"}]]}
        return self.rng.choice([(schema, [self.integer(32), self.value({"t": "string", "o": True})])] * 6
                               + [(None, None), ({"t": "string"}, "k")])

    def change(self):
        rng = self.rng
        key_schema, key = self.key()
        kind = rng.random()
        if kind < 0.7:
            value_schema, value = self.event()
        elif kind < 0.8:
            value_schema, value = None, None
        else:
            value_schema = self.struct()
            value = self.value(value_schema)
        record = self.record(ks=key_schema, k=key, vs=value_schema, v=value)
        record["headers"].sort(key=lambda header: header[0])
        if maybe(rng, 0.4):
            names = rng.sample(NAMES + ["__op", "__table"], rng.randint(1, 4))
            record["headers"] = [["drop", {"t": "array", "e": {"t": "string"}}, names]]
        return record


def extract_new_record_state(rng, old):
    items = ["op", "table", "source.ts_ms", "ts_ms", "ts_ms:when", "transaction.id", "total_order", "nope", "lsn", "op:name"]
    config = optional_settings(rng, **{
        "add.fields": [None, None, some(rng, items)], "add.headers": [None, None, some(rng, items)],
        "add.fields.prefix": [None, None, "", "x_"], "add.headers.prefix": [None, None, "", "x_"],
        "route.by.field": [None, None, None, "name", "id", "note"], "drop.fields.header.name": [None, None, "drop"],
        "drop.fields.from.key": NULLS, "drop.fields.keep.schema.compatible": NULLS})
    if old:
        config.update(optional_settings(rng, **{"drop.tombstones": ["true", "false"],  # without: 3.x's spelling, and its defaults
                                                "delete.handling.mode": [None, "drop", "rewrite", "none", "bad"]}))
    else:
        config.update(optional_settings(rng, **{
            "delete.tombstone.handling.mode": [None, "drop", "tombstone", "rewrite", "rewrite-with-tombstone",
                                               "delete-to-tombstone"] * 2 + ["bad"],
            "replace.null.with.default": NULLS}))
    return config


DEBEZIUM_MAKERS = {
    "ExtractNewRecordState": lambda rng: extract_new_record_state(rng, False),
    "ByLogicalTableRouter": lambda rng: optional_settings(rng, **{
        "topic.regex": ["srv\\.shop\\.dbo\\.(.*)", "(.*)\\.(.*)", "(.*)", None], "topic.replacement": ["all", "$1", "x-$1.y", "ü$1", None],
        "key.enforce.uniqueness": NULLS, "key.field.name": [None, "table", "id"], "key.field.regex": [None, None, "", "srv.(.*)", "(x)"],
        "key.field.replacement": [None, "$1", "$1"], "schema.name.adjustment.mode": [None, None, "none", "avro", "avro_unicode"],
        "logical.table.cache.size": [None, "4"]}),
    "HeaderToValue": lambda rng: optional_settings(rng, **{
        "headers": ["h1", "traceparent"] if maybe(rng) else ["h1,traceparent"], "fields": ["trace", "x"] if maybe(rng) else ["x,y"],
        "operation": ["move", "copy"] * 4 + ["nope", None]}) | ({"headers": "h1", "fields": rng.choice(["after.x", "source.x"])}
                                                                if maybe(rng, 0.2) else {}),
    "ExtractChangedRecordState": lambda rng: optional_settings(rng, **{"header.changed.name": [None, "Changed", ""],
                                                                       "header.unchanged.name": [None, "Same"]}),
}


def debezium_cases(seed, n, old=False):
    """Debezium's classes; old: those of 2.5, as far as their options differ."""
    rng = random.Random(seed)
    events = Events(rng)
    makers = {"ExtractNewRecordState": lambda rng: extract_new_record_state(rng, True)} if old else DEBEZIUM_MAKERS
    for name, make in makers.items():
        for _ in range(n):
            yield {"class": DEBEZIUM + name, "config": make(rng), "records": [events.change() for _ in range(4)]}


def write(path, cases):
    with open(path, "w", encoding="utf-8") as file:
        for case in cases:
            file.write(json.dumps(case, ensure_ascii=False) + "\n")
