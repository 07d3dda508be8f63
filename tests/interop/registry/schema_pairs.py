# SPDX-License-Identifier: Apache-2.0
"""Pairs of Avro schemas for the judges: a random schema, and what a few random changes make of it."""
import copy
import json
import random

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
SYMBOLS = ["RED", "GREEN", "BLUE", "BLACK", "WHITE"]
DEFAULTS = {"null": None, "boolean": True, "int": 7, "long": 8, "float": 1.5, "double": 2.5, "bytes": "\u00ff", "string": "x"}


class Maker:
    """One schema: names are drawn from a small pool, so that two schemas often use the same ones."""

    def __init__(self, rng):
        self.rng = rng
        self.defined = []  # full names, in the order of the text
        self.open = []     # records that are still being written

    def name(self):
        for _ in range(50):
            full = self.rng.choice(["", "a.", "a.b."]) + self.rng.choice("RSTUVW") + self.rng.choice("123")
            if full not in self.defined:
                return full
        return f"X{len(self.defined)}"

    def named(self, kind):
        full = self.name()
        self.defined.append(full)
        space, _, name = full.rpartition(".")
        made = {"type": kind, "name": name, "namespace": space}
        if self.rng.random() < 0.2:
            made["aliases"] = self.rng.sample(["R1", "a.R1", "a.b.S2", "T3", "a.U1", "V2"], self.rng.randint(1, 2))
        if self.rng.random() < 0.1:
            made["doc"] = "what it is"
        return made

    def record(self, depth):
        made = self.named("record")
        self.open.append(self.defined[-1])
        names = self.rng.sample("pqrstuvw", self.rng.randint(0, 4))
        made["fields"] = [self.field(name, depth) for name in names]
        self.open.pop()
        return made

    def field(self, name, depth):
        field = {"name": name, "type": self.any(depth - 1)}
        kind = field["type"][0] if isinstance(field["type"], list) and field["type"] else field["type"]
        if isinstance(kind, str) and kind in DEFAULTS and self.rng.random() < 0.5:
            field["default"] = DEFAULTS[kind]
        if self.rng.random() < 0.15:
            field["aliases"] = self.rng.sample("pqrstuvw", self.rng.randint(1, 2))
        if self.rng.random() < 0.1:
            field["connect.parameters"] = {"scale": "2"}
        return field

    def enum(self):
        made = self.named("enum")
        made["symbols"] = self.rng.sample(SYMBOLS, self.rng.randint(1, 4))
        if self.rng.random() < 0.3:
            made["default"] = self.rng.choice(made["symbols"])
        return made

    def fixed(self):
        return self.named("fixed") | {"size": self.rng.choice([4, 8, 16])}

    def union(self, depth):
        branches = []
        seen = set()
        for _ in range(self.rng.randint(1, 4)):
            branch = self.any(depth - 1, union=False)
            key = branch if isinstance(branch, str) else branch["type"]
            if isinstance(branch, dict) and "name" in branch:
                key = (branch["namespace"] + "." + branch["name"]).lstrip(".")
            if key not in seen:
                seen.add(key)
                branches.append(branch)
        return branches

    def primitive(self):
        plain = self.rng.choice(PRIMITIVES)
        if plain == "bytes" and self.rng.random() < 0.5:
            return {"type": "bytes", "scale": self.rng.randint(0, 3), "precision": 10, "logicalType": "decimal"}
        if plain == "int" and self.rng.random() < 0.2:
            return {"type": "int", "connect.type": "int16"}
        return plain

    def any(self, depth, union=True):
        choice = self.rng.random()
        if depth <= 0 or choice < 0.45:
            if self.defined and choice < 0.15 and not (depth <= 0 and not self.open):
                full = self.rng.choice(self.open or self.defined)
                return full if "." in full else self.primitive()
            return self.primitive()
        if choice < 0.6:
            return self.record(depth)
        if choice < 0.68:
            return self.enum()
        if choice < 0.74:
            return self.fixed()
        if choice < 0.82:
            return {"type": "array", "items": self.any(depth - 1)}
        if choice < 0.88:
            return {"type": "map", "values": self.any(depth - 1)}
        return self.union(depth) if union else self.primitive()


def nodes(schema):
    """Every part of the schema that can be changed, with who holds it."""
    found = []

    def walk(holder, key):
        part = holder[key]
        found.append((holder, key))
        if isinstance(part, list):
            for i in range(len(part)):
                walk(part, i)
        elif isinstance(part, dict):
            for member in ("items", "values"):
                if member in part:
                    walk(part, member)
            for field in part.get("fields", []):
                walk(field, "type")
    walk(schema, "root")
    return found


def change(rng, holder, key):
    part = holder[key]
    if isinstance(part, str):
        holder[key] = rng.choice(PRIMITIVES + [["null", part]] if part != "null" else PRIMITIVES)
    elif isinstance(part, list):
        if rng.random() < 0.5 and len(part) > 1:
            part.pop(rng.randrange(len(part)))
        else:
            rng.shuffle(part)
    elif part["type"] == "enum":
        part["symbols"] = rng.sample(SYMBOLS, rng.randint(1, 5))
        part.pop("default", None)
    elif part["type"] == "fixed":
        part["size"] = rng.choice([4, 8])
    elif part["type"] == "record":
        change_record(rng, part)
    elif "items" in part:
        holder[key] = {"type": "map", "values": part["items"]}


def change_record(rng, record):
    fields = record["fields"]
    choice = rng.random()
    if choice < 0.25 and fields:
        fields.pop(rng.randrange(len(fields)))
    elif choice < 0.5:
        name = rng.choice("abcpqrs")
        if all(field["name"] != name for field in fields):
            added = {"name": name, "type": rng.choice(["int", "string", ["null", "long"]])}
            if rng.random() < 0.5:
                added["default"] = {"int": 1, "string": ""}.get(added["type"]) if isinstance(added["type"], str) else None
            fields.append(added)
    elif choice < 0.65 and fields:
        field = rng.choice(fields)
        if all(other["name"] != "renamed" for other in fields):
            field["aliases"] = [field["name"]]
            field["name"] = "renamed"
    elif choice < 0.8:
        rng.shuffle(fields)
    elif choice < 0.9:
        record["name"] = rng.choice(["Other", record["name"]])
    else:
        record["namespace"] = "elsewhere"


def named_late(schema, defined=None):
    """Is a type named before the text defines it? Avro's library takes that since 1.12, earlier ones and we do not."""
    defined = defined if defined is not None else set()
    if isinstance(schema, str):
        return "." in schema and schema not in defined
    if isinstance(schema, list):
        return any([named_late(branch, defined) for branch in schema])
    if "name" in schema:
        defined.add((schema["namespace"] + "." + schema["name"]).lstrip("."))
    parts = [schema[member] for member in ("items", "values") if member in schema]
    parts += [field["type"] for field in schema.get("fields", [])]
    return any([named_late(part, defined) for part in parts])


def has_odd_default(schema):
    """Is a field's default one of another branch of its union than the first?"""
    if isinstance(schema, list):
        return any(has_odd_default(branch) for branch in schema)
    if isinstance(schema, str):
        return False
    for field in schema.get("fields", []):
        kind = field["type"]
        if isinstance(kind, list) and "default" in field and (not kind or kind[0] != "null" or field["default"] is not None):
            return True
    parts = [schema[member] for member in ("items", "values") if member in schema]
    return any(has_odd_default(part) for part in parts + [field["type"] for field in schema.get("fields", [])])


def pairs(seed, count):
    """(reader, writer) texts. Some are no schemas (two types of one name): both judges have to say so."""
    rng = random.Random(seed)
    while count > 0:
        writer = Maker(rng).any(4)
        if rng.random() < 0.15:
            reader = Maker(rng).any(3)
        else:
            box = {"root": copy.deepcopy(writer)}
            for _ in range(rng.randint(1, 3)):
                change(rng, *rng.choice(nodes(box)))
            reader = box["root"]
        if rng.random() < 0.3:
            reader, writer = writer, reader
        if not named_late(reader) and not named_late(writer):
            count -= 1
            yield json.dumps(reader), json.dumps(writer)
