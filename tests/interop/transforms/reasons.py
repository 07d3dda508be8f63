# SPDX-License-Identifier: Apache-2.0
"""Where ours may differ from the originals, each with its reason; docs/transforms.md tells users the same."""


def of(case, record, theirs, ours):
    """Why this record came out differently; None: there is no reason."""
    name = case["class"].split(".")[-1].split("$")[0]
    config = case["config"]
    if "cannot be made text" in ours or ("cannot be compared" in ours and "language" in config):
        return "expressions: structs, lists, maps and bytes are not made text and have no order here"
    if name == "SetSchemaMetadata" and "Cannot list fields on non-struct type" in theirs:
        return "SetSchemaMetadata: theirs fails on every schema that is no struct"
    if name == "Cast" and "Invalid default value" in theirs and ":" not in config["spec"]:
        return "Cast of a whole date or decimal whose schema has a default: theirs keeps the name and then finds it wrong"
    if name in ("RegexRouter", "TimestampRouter") and theirs.startswith('""'):
        return "an empty topic name is refused where it is made, not by the broker"
    if ours.startswith("refused") and "is required and empty" in ours:
        return "an option that must be given may not be empty"
    if name == "InsertHeader" and "12345678901234567890,1" in config.get("value.literal", ""):
        return "InsertHeader: a list of decimals and other numbers has no schema to say the decimal's scale"
    if "Kafka Connect Time type should not have any date fields" in theirs and "connect.data.Time" in ours:
        return "a time of day beyond 24 hours, as theirs read it, is one that no converter would write"
    if name == "TimestampConverter" and config.get("target.type") in ("Date", "Time") and not whole_schema(case, record):
        return "TimestampConverter without a schema: theirs leaves a Java date that no converter writes, ours its number"
    if name == "ExtractNewRecordState" and "drop.fields.header.name" in config and '"schema" is null' in theirs:
        return "delete-to-tombstone with a header of fields to drop: theirs fails on the tombstone that it made itself"
    if name == "ExtractNewRecordState" and "drop.fields.header.name" in config and config.get("replace.null.with.default") == "false":
        return "replace.null.with.default=false holds where fields are dropped, too; theirs forgets it there"
    if name == "ExtractNewRecordState" and "cannot be cast to class java.util.List" in theirs:
        return "a header that lists fields to drop may be text: headers in the log are, and theirs are lists only"
    if name == "ExtractNewRecordState" and "add.headers" in config and "NullPointerException" in theirs and not is_event(record):
        return "2.5 fails with add.headers on records that are no change events; 3.5 and ours pass them"
    if name == "HeaderToValue" and "field name duplication" in theirs:
        return "HeaderToValue: of two headers of one name the last becomes the field; theirs fails"
    if name == "HeaderToValue" and "." in config.get("fields", "") and without_optional(theirs) == without_optional(ours):
        return "HeaderToValue: a struct that gets a field stays optional, or a delete (after is null) could not be written"
    if name == "TimezoneConverter" and "list format" in theirs:
        return "TimezoneConverter: each entry of a list may begin with source: or topic:"
    if name == "FieldNameTransformation" and (record["v"] is None) and same_but(theirs, ours, KEY_SCHEMA):
        return "FieldNameTransformation: theirs leaves the keys of tombstones with the names that they had"
    if name == "FieldNameTransformation" and record["v"] is None and "NullPointerException" in theirs:
        return "FieldNameTransformation: theirs fails on a null value that has a schema"
    if name == "FieldNameTransformation" and has_null_with_default(record) and same_but(theirs, ours, KEY, VALUE):
        return "FieldNameTransformation: theirs reads a null as the default of its field, ours moves no value"
    return None


TOPIC, PARTITION, TIMESTAMP, KEY_SCHEMA, KEY, VALUE_SCHEMA, VALUE = range(7)  # parts of a line


def same_but(theirs, ours, *parts):
    theirs, ours = theirs.split("\t"), ours.split("\t")
    return len(theirs) == len(ours) and all(a == b for i, (a, b) in enumerate(zip(theirs, ours)) if i not in parts)


def has_null_with_default(record):
    def within(schema, value):
        if schema is None or schema["t"] != "struct" or value is None:
            return bool(schema) and value is None and "d" in schema
        return any(within(field[1], item) for field, item in zip(schema["f"], value))
    return within(record["ks"], record["k"]) or within(record["vs"], record["v"])


def is_event(record):
    return (record["vs"] or {}).get("n", "").endswith(".Envelope")


def whole_schema(case, record):
    return record["ks" if case["class"].endswith("$Key") else "vs"]


def without_optional(line):
    return line.replace("?", "")
