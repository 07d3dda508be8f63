# SPDX-License-Identifier: Apache-2.0
"""Where ours may differ from the originals, each with its reason; docs/transforms.md tells users the same."""


def of(case, record, theirs, ours):
    """Why this record came out differently; None: there is no reason."""
    name = case["class"].split(".")[-1].split("$")[0]
    config = case["config"]
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
    return None
