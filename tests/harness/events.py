# SPDX-License-Identifier: Apache-2.0
"""Events as JSON, beside each other."""


def differ(a, b, path=""):
    """(path, one, other) of each place where two of them are not the same; 1, 1.0 and true are three things."""
    if isinstance(a, dict) and isinstance(b, dict):
        if list(a) != list(b):
            yield path + " keys", list(a), list(b)
        for key in a:
            if key in b:
                yield from differ(a[key], b[key], f"{path}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for number, (x, y) in enumerate(zip(a, b)):
            yield from differ(x, y, f"{path}[{number}]")
    elif a != b or type(a) is not type(b):
        yield path, a, b
