# SPDX-License-Identifier: Apache-2.0
"""
The same sequence of calls goes to a real Connect worker and to sluice; status, shape, the headers that clients read and
(where it is Connect's own sentence) the message have to be the same. What differs on purpose stands in DIFFERENCES with
its reason, and in docs/rest.md; a difference that is listed and does not appear any more fails too.
"""
import re

import pytest

from calls import steps

# step -> (what differs, why)
DIFFERENCES = {
    "create with an unknown class": ("status", "a class that does not exist is the client's mistake: 400, not 500"),
    "validate without a class": ("status", "the client's mistake: 400 (Connect wraps its own 400 in a 500)"),
    "options": ("body", "no text beside Allow; nobody reads it"),
    "path with a NUL": ("body", "the refusal is JSON as every other one (Jetty: HTML)"),
    "path with half an escape": ("body", "the refusal is JSON as every other one (Jetty: HTML)"),
    "path that is not UTF-8": ("status", "a path that is no text is refused: 400 (Connect looks for a connector)"),
}
SAME_MESSAGES = {
    "not found", "wrong verb", "not acceptable", "wrong type", "create without a class key", "names differ", "exists",
    "put with another name", "patch unknown", "unknown", "unknown config", "unknown status", "unknown tasks",
    "unknown task status", "unknown pause", "unknown resume", "unknown stop", "unknown restart", "unknown task restart",
    "unknown delete", "task 7 status", "task 7 restart", "task zork status", "logger unknown", "logger bad level",
    "logger no level", "plugin unknown", "alter nothing", "alter empty", "alter running", "reset running",
    "offsets unknown", "alter unknown", "reset unknown", "internal tasks", "internal fence",
}


MAPS = {"loggers", "config", "tasks config"}  # whose keys are the user's or the program's own
LISTS_OF_OPTIONS = {"plugin config", "plugin config of a converter"}  # of which each has its own nulls


def shape(value):
    if isinstance(value, dict):
        return {key: texts(value[key]) if key == "config" else shape(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def texts(config):
    """A configuration: whatever its keys are, its values are texts."""
    return {type(value).__name__ for value in config.values()}


def shape_of(name, body):
    if name in MAPS and isinstance(body, dict):
        shapes = [texts(each) if name == "tasks config" else shape(each) for each in body.values()]
        return [each for number, each in enumerate(shapes) if each not in shapes[:number]]
    if name in LISTS_OF_OPTIONS and isinstance(body, list):
        return {tuple(sorted(each)) for each in body}
    return shape(body)


def record(side):
    answers = {}
    for name, method, path, how in steps(side):
        if method is None:
            side.wait_state(path, name, how)
        else:
            answers[name] = side.ask(method, path, **how)
    return answers


def differences(name, theirs, mine):
    """What is not the same: "status", "location", "allow", "body", "message"."""
    found = set()
    if theirs[0] != mine[0]:
        found.add("status")
    if bool(theirs[2].get("Location")) != bool(mine[2].get("Location")):
        found.add("location")
    if set(re.findall("[A-Z]+", theirs[2].get("Allow", ""))) - set(re.findall("[A-Z]+", mine[2].get("Allow", ""))):
        found.add("allow")
    if shape_of(name, theirs[1]) != shape_of(name, mine[1]):
        found.add("body")
    if name in SAME_MESSAGES and theirs[1] != mine[1]:
        found.add("message")
    return found


@pytest.fixture(scope="module")
def answers(connect, ours):
    return record(connect), record(ours)


def test_each_call_is_answered_alike(answers, out):
    theirs, mine = answers
    wrong, lines = [], []
    for name in theirs:
        found = differences(name, theirs[name], mine[name])
        allowed = {DIFFERENCES[name][0]} if name in DIFFERENCES else set()
        lines.append(f"{theirs[name][0]} {mine[name][0]}  {name}: {', '.join(sorted(found)) or 'same'}")
        if found != allowed:
            wrong.append(f"{name}: {found or 'no difference any more'}\n  Connect {theirs[name][:2]!s:.600}\n"
                         f"  sluice  {mine[name][:2]!s:.600}")
    (out / "rest-answers.txt").write_text("\n".join(lines) + "\n")
    assert not wrong, "\n".join(wrong)


def test_the_framework_keys_are_described_alike(answers):
    """Every key of Connect's own is there with its group, order, width and label; type and default where we have them."""
    theirs, mine = ({each["name"]: each for each in side["plugin config"][1] if each["group"]} for side in answers)
    other = {"errors.retry.timeout": "default_value"}  # -1: lost databases are waited for, docs/rest.md
    for name, theirs_is in theirs.items():
        for part in ("group", "order", "width", "display_name", "required", "importance", "default_value", "dependents"):
            if other.get(name) != part:
                assert mine[name][part] == theirs_is[part], (name, part)


def test_validate_answers_in_the_same_order(answers):
    theirs, mine = ([each["value"]["name"] for each in side["validate"][1]["configs"]] for side in answers)
    common = [name for name in theirs if name in mine]
    assert [name for name in mine if name in common] == common
    assert {"name", "tasks.max", "topics", "transforms.a.type", "transforms.a.regex", "consumer.override.x"} <= set(common)
    for side in answers:
        body = side["validate"][1]
        assert body["error_count"] == sum(len(each["value"]["errors"]) for each in body["configs"])
        assert re.search("Transforms: a", " ".join(body["groups"]))
