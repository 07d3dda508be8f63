# SPDX-License-Identifier: Apache-2.0
"""
Each option of each transform and predicate, and each class with $Key and $Value, has a test that names it: a unit test
that opens the transform with it, or a case that the original judges. The options are those of docs/transforms.md, which
the test transform/docs holds against the code. options_have_tests.py SOURCE_ROOT
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tests/interop/transforms"))
sys.dont_write_bytecode = True

import expressions  # noqa: E402
import generate  # noqa: E402
import names_and_zones  # noqa: E402


def tables():
    """(class, option or None) of everything that there is."""
    classes = []
    for line in (ROOT / "docs/transforms.md").read_text().split("## Options\n")[1].splitlines():
        if line.startswith("`"):
            classes = re.findall("`([^`]+)`", line)
            yield from ((each, None) for each in classes)
        option = re.match(r"\| `([^`]+)` \|", line)
        if option:
            yield classes[0].split("$")[0], option[1]


def by_symbol():
    """The classes of each sl_transform_... symbol."""
    classes = {}
    for path in (ROOT / "src/transform").glob("*.c"):
        text = path.read_text()
        lists = {name: re.findall(r'"([^"]+)"', body) for name, body in
                 re.findall(r"static const char \*const (\w+)\[\] = \{(.*?)\};", text, re.S)}
        for symbol, body in re.findall(r"const struct sl_transform_ops (sl_transform_\w+) = \{(.*?)\};", text, re.S):
            classes[symbol] = lists[re.search(r"\.classes = (\w+)", body)[1]]
    return classes


def opened_by_unit_tests():
    """What bench_open and its kin are given (bench, the transform, then options): the class, and the options' names."""
    symbols = by_symbol()
    for path in (ROOT / "tests/unit/transform").glob("*_test.c"):
        text = path.read_text()
        short = dict(re.findall(r"sl_transform_ops \*const (\w+) = &(sl_transform_\w+);", text))
        for key, ops, rest in re.findall(r"\w+?(_key)?\((?:bench|\*state),\s*&?(\w+),(.*?)\);", text, re.S):
            symbol = short.get(ops, ops)
            if symbol not in symbols:
                continue
            name = symbols[symbol][1 if key else 0]
            yield name, None
            for option in re.findall(r'"([a-z.]+)"', rest):
                yield name.split("$")[0], option
        for predicate in re.findall(r'open_predicate\(bench, (?:PACKAGE )?"(\w+)"', text):
            yield generate.KAFKA + "predicates." + predicate, None


def judged_by_the_originals():
    cases = [*generate.kafka_cases(1, 60), *generate.debezium_cases(1, 120), *generate.debezium_cases(1, 120, old=True),
             *expressions.cases(1, 100), *names_and_zones.name_cases(1, 120), *names_and_zones.zone_cases(1, 400),
             *names_and_zones.source_schema_cases(1, 100)]
    for case in cases:
        yield case["class"], None
        for option in case["config"]:
            yield case["class"].split("$")[0], option


def main():
    wanted = list(tables())
    assert len({name for name, _ in wanted}) > 30, "docs/transforms.md lists no options?"
    unit, judged = set(opened_by_unit_tests()), set(judged_by_the_originals())
    missing = [(name, option) for name, option in wanted if (name, option) not in unit | judged]
    for name, option in missing:
        print(f"no test names {name}{': ' + option if option else ''}")
    print(f"{len(wanted)} classes and options; named by unit tests {len(unit & set(wanted))}, "
          f"by the originals' cases {len(judged & set(wanted))}")
    return 1 if missing else 0


sys.exit(main())
