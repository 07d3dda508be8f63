# SPDX-License-Identifier: Apache-2.0
"""Seeded expressions for Debezium's Filter and ContentBasedRouter: sensible ones, and ones that have to fail."""
import random

import generate

TEXTS = ["u", "d", "things", "things2", "", "1", "5", "open", "grüße", "a/b", "99", "1:2", "😀", "\uffee"]
LITERALS = ["0", "1", "5", "99", "-7", "99L", "3000000000", "1.5", "1.50", "0.1", "2.5d", "0.5f", "true", "false", "null", "12345.00"]
PATTERNS = ["/.*/", "/[a-z]+/", "'t.*s'", "/\\d+/", "/a\\/b/", "''"]
COLUMNS = ["id", "name", "price", "real", "small", "flag", "day", "at", "tags", "big", "dflt"]


def quoted(rng, text):
    quote = rng.choice("''\"")
    return quote + text + quote


def text(rng):
    return quoted(rng, rng.choice(TEXTS))


def literal(rng):
    return text(rng) if rng.random() < 0.5 else rng.choice(LITERALS)


def dotted(rng, base, name):
    return base + rng.choice([f".{name}"] * 5 + [f"?.{name}"] * 3 + [f"['{name}']", f".get('{name}')", f"?.get('{name}')"])


def path(rng):
    kind = rng.random()
    if kind < 0.55:
        row = dotted(rng, "value", rng.choice(["after", "before"]))
        return dotted(rng, row, rng.choice(COLUMNS + ["nope"] if rng.random() < 0.05 else COLUMNS))
    if kind < 0.75:
        return rng.choice(["value.op", "value.ts_ms", "value.source.table", "value.source.lsn", "value?.op", "value.ts_us"])
    if kind < 0.82:
        return rng.choice(["key.id", "key?.name", "key"])
    if kind < 0.88:
        return "topic"
    if kind < 0.95:
        header = rng.choice(["h1", "h2", "drop"])
        return rng.choice([f"header.{header}.value", f"header.{header}?.value", f"header['{header}']?.value"])
    return rng.choice(["valueSchema.name", "keySchema?.name", "value.before", "value.after", "header.h1"])


def words(rng):
    return "[" + ", ".join(literal(rng) for _ in range(rng.randint(0, 3))) + "]"


def comparison(rng):
    kind = rng.random()
    if kind < 0.4:
        return f"{path(rng)} {rng.choice(['==', '!='])} {literal(rng)}"
    if kind < 0.5:
        return f"{path(rng)} {rng.choice(['<', '<=', '>', '>='])} {rng.choice(LITERALS)}"
    if kind < 0.56:
        return f"{path(rng)} {rng.choice(['<', '<=', '>', '>='])} {literal(rng)}"
    if kind < 0.63:
        return f"{path(rng)} {rng.choice(['==', '!=', '<', '>='])} {path(rng)}"
    if kind < 0.71:
        return f"{path(rng)} {rng.choice(['in', '!in'])} {words(rng)}"
    if kind < 0.76:
        return f"{path(rng)} ==~ {rng.choice(PATTERNS)}"
    if kind < 0.90:
        method = rng.choice(["startsWith", "endsWith", "contains", "equals"])
        return f"{path(rng)}{rng.choice(['.', '?.'])}{method}({literal(rng) if method == 'equals' else text(rng)})"
    if kind < 0.93:
        return f"{words(rng)}.contains({path(rng)})"
    return rng.choice([f"{path(rng)}.matches({rng.choice(PATTERNS)})", f"{path(rng)}?.isEmpty()", "header.containsKey('h1')",
                       f"{path(rng)}.toString() == {text(rng)}"])


def condition(rng, depth=0):
    kind = rng.random()
    if kind < 0.55 or depth > 3:
        return comparison(rng)
    if kind < 0.68:
        return f"{condition(rng, depth + 1)} && {condition(rng, depth + 1)}"
    if kind < 0.80:
        return f"{condition(rng, depth + 1)} || {condition(rng, depth + 1)}"
    if kind < 0.88:
        return f"!({condition(rng, depth + 1)})"
    if kind < 0.92:
        return f"({condition(rng, depth + 1)})"
    if kind < 0.96:
        return f"!{path(rng)}"
    return f"({condition(rng, depth + 1)}) ? {condition(rng, depth + 1)} : {condition(rng, depth + 1)}"


def topic(rng, depth=0):
    kind = rng.random()
    if kind < 0.5 and depth < 2:
        return f"{comparison(rng)} ? {topic(rng, depth + 1)} : {topic(rng, depth + 1)}"
    if kind < 0.7:
        return rng.choice(["'updates'", "null", "topic", "value.source.table"])
    if kind < 0.8:
        return f"{path(rng)} ?: {quoted(rng, 'none')}"
    return f"'x-' + {path(rng)}" if rng.random() < 0.6 else f"{path(rng)} + '-y'"


class Events(generate.Events):
    """Change events of one table, with a column of each kind that expressions can ask about."""

    def row(self):
        optional = {"o": True}
        return {"t": "struct", "n": "srv.shop.dbo.things.Value", "o": True, "f": [
            ["id", {"t": "int32"}], ["name", {"t": "string", **optional}],
            ["price", {"t": "bytes", "n": generate.DECIMAL, "v": 1, "p": {"scale": "2"}, **optional}],
            ["real", {"t": "float64", **optional}], ["small", {"t": self.rng.choice(["int8", "int16", "float32"]), **optional}],
            ["flag", {"t": "boolean", **optional}], ["day", {"t": "int32", "n": generate.DATE, "v": 1, **optional}],
            ["at", {"t": "int64", "n": generate.TIMESTAMP, "v": 1, **optional}],
            ["tags", {"t": "array", "e": {"t": "string"}, **optional}], ["big", {"t": "int64", **optional}],
            ["dflt", {"t": "int32", **optional, "d": 5}]]}

    def value(self, schema):
        if schema["t"] == "string" and self.rng.random() < 0.6:
            return None if schema.get("o") and self.rng.random() < 0.2 else self.rng.choice(TEXTS)
        if schema["t"] in ("int32", "int64") and "n" not in schema and self.rng.random() < 0.6:
            return self.rng.choice([0, 1, 5, 99, -7, 53])
        if schema.get("n") == generate.DECIMAL and self.rng.random() < 0.6:
            return self.rng.choice(["150", "0", "-700", "1234500"])
        return super().value(schema)


def cases(seed, n):
    rng = random.Random(seed)
    events = Events(rng)
    for _ in range(n):
        for name, option, make in (("Filter", "condition", condition), ("ContentBasedRouter", "topic.expression", topic)):
            config = {"language": "jsr223.groovy", option: make(rng), **generate.optional_settings(rng, **{
                "topic.regex": [None] * 4 + ["srv\\..*", "srv", "(.*)things"],
                "null.handling.mode": [None, None, "keep", "drop", "evaluate"]})}
            yield {"class": generate.DEBEZIUM + name, "config": config, "records": [events.change() for _ in range(4)]}
