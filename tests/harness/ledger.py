# SPDX-License-Identifier: Apache-2.0
"""What is asked of a ledger of changes: each once, none that never was, and each key's in their order."""


def repeated(items):
    seen, twice = set(), []
    for item in items:
        (twice.append if item in seen else seen.add)(item)
    return twice


def per_key(rows, key):
    order = {}
    for row in rows:
        order.setdefault(row[key], []).append(row)
    return order


def check(where, rows, wanted, key):
    """rows: what arrived, as tuples, in its order; wanted: what was changed; key: where the key stands in a tuple."""
    assert len(rows) == len(set(rows)), f"{where}: repeated: {repeated(rows)[:5]}"
    missing, extra = set(wanted) - set(rows), set(rows) - set(wanted)
    assert not missing, f"{where}: {len(missing)} changes are missing, e.g. {sorted(missing)[:5]}"
    assert not extra, f"{where}: {len(extra)} changes that never were, e.g. {sorted(extra)[:5]}"
    assert per_key(rows, key) == per_key(wanted, key), f"{where}: the order of a key's changes differs"
