# SPDX-License-Identifier: Apache-2.0
"""
The same sequence of calls goes to a real Connect worker and to sluice; status, shape, the headers that clients read and
(where it is Connect's own sentence) the message have to be the same. What differs on purpose stands in DIFFERENCES with
its reason, and in docs/rest.md; a difference that is listed and does not appear any more fails too.
"""
import re

import pytest

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


def steps(side):
    """(name, method, path, keyword arguments) of the whole sequence; None waits for a state."""
    config, broken = side.config, {**side.config, "tasks.max": "0", "errors.tolerance": "some"}
    text = {"headers": {"Content-Type": "text/plain"}}
    yield "root", "GET", "/", {}
    yield "health", "GET", "/health", {}
    yield "head", "HEAD", "/connectors", {}
    yield "options", "OPTIONS", "/connectors", {}
    yield "not found", "GET", "/nothing", {}
    yield "empty segment", "GET", "/connectors//", {}
    yield "wrong verb", "DELETE", "/connectors", {}
    yield "not acceptable", "GET", "/connectors", {"headers": {"Accept": "text/html"}}
    yield "wrong type", "POST", "/connectors", {"text": "{}", **text}
    yield "none yet", "GET", "/connectors/", {}
    for number, body in enumerate(['{}', '{"name":"x"}', '', '{"name":"x"', '[1]', '{"name":"x","config":{"a":{"b":1}}}',
                                   '{"name":"x","config":{},"zork":1}', '{"name":"x","config":{"a":1},"initial_state":"z"}']):
        yield f"create with odd body {number}", "POST", "/connectors", {"text": body}
    yield "create without a class", "POST", "/connectors", {"body": {"name": "x", "config": {"a": "b"}}}
    yield "create with an unknown class", "POST", "/connectors", {"body": {"name": "x", "config": {"connector.class": "Nope"}}}
    yield "names differ", "POST", "/connectors", {"body": {"name": "x", "config": {**config, "name": "y"}}}
    yield "create invalid", "POST", "/connectors", {"body": {"name": "x", "config": broken}}
    yield "create with controls", "POST", "/connectors", {"body": {"name": "a\x01b", "config": config}}
    yield "create", "POST", "/connectors/", {"body": {"name": "  a/b c  ", "config": config}}
    yield "exists", "POST", "/connectors", {"body": {"name": "a/b c", "config": config}}
    yield "create stopped", "POST", "/connectors", {"body": {"name": "x", "initial_state": "stopped", "config": config}}
    yield "STOPPED", None, "x", 0
    yield "list", "GET", "/connectors", {}
    yield "info with a slash in the name", "GET", "/connectors/a%2Fb%20c", {}
    yield "delete with a slash", "DELETE", "/connectors/a%2Fb%20c", {}
    yield "info of a stopped one", "GET", "/connectors/x/", {}
    yield "tasks of a stopped one", "GET", "/connectors/x/tasks", {}
    yield "resume", "PUT", "/connectors/x/resume", {}
    yield "RUNNING", None, "x", 1
    yield "expand", "GET", "/connectors?expand=status&expand=info&expand=zork", {}
    yield "expand status", "GET", "/connectors?expand=status", {}
    yield "info", "GET", "/connectors/x", {}
    yield "config", "GET", "/connectors/x/config", {}
    yield "status", "GET", "/connectors/x/status", {}
    yield "tasks config", "GET", "/connectors/x/tasks-config", {}
    yield "topics", "GET", "/connectors/x/topics", {}
    yield "topics reset", "PUT", "/connectors/x/topics/reset", {}
    yield "task status", "GET", "/connectors/x/tasks/0/status", {}
    yield "task 7 status", "GET", "/connectors/x/tasks/7/status", {}
    yield "task zork status", "GET", "/connectors/x/tasks/zork/status", {}
    yield "task restart", "POST", "/connectors/x/tasks/0/restart", {}
    yield "task 7 restart", "POST", "/connectors/x/tasks/7/restart", {}
    yield "RUNNING", None, "x", 1
    yield "restart", "POST", "/connectors/x/restart", {}
    yield "restart with tasks", "POST", "/connectors/x/restart?includeTasks=true", {}
    yield "RUNNING", None, "x", 1
    yield "restart only failed", "POST", "/connectors/x/restart?includeTasks=true&onlyFailed=true", {}
    yield "restart with odd words", "POST", "/connectors/x/restart?includeTasks=zork", {}
    yield "pause", "PUT", "/connectors/x/pause", {}
    yield "PAUSED", None, "x", 1
    yield "put", "PUT", "/connectors/x/config", {"body": {**config, "zork": 1}}
    yield "put new", "PUT", "/connectors/new/config", {"body": config}
    yield "put with another name", "PUT", "/connectors/x/config", {"body": {**config, "name": "y"}}
    yield "put invalid", "PUT", "/connectors/x/config", {"body": broken}
    yield "put nothing", "PUT", "/connectors/x/config", {"text": ""}
    yield "put a list", "PUT", "/connectors/x/config", {"text": "[]"}
    yield "patch", "PATCH", "/connectors/x/config", {"body": {"zork": None, "k": "v"}}
    yield "patch unknown", "PATCH", "/connectors/nope/config", {"body": {"k": "v"}}
    yield "patch the class away", "PATCH", "/connectors/x/config", {"body": {"connector.class": None}}
    yield "two kinds of topics", "PUT", "/connectors/x/config", {"body": {**config, "topics.regex": "r"}}
    yield "delete new", "DELETE", "/connectors/new", {}
    for name, path in (("unknown", ""), ("unknown config", "/config"), ("unknown status", "/status"),
                       ("unknown tasks", "/tasks"), ("unknown tasks config", "/tasks-config"),
                       ("unknown topics", "/topics"), ("unknown task status", "/tasks/0/status"),
                       ("offsets unknown", "/offsets")):
        yield name, "GET", "/connectors/nope" + path, {}
    for name in ("pause", "resume", "stop"):
        yield f"unknown {name}", "PUT", f"/connectors/nope/{name}", {}
    yield "unknown topics reset", "PUT", "/connectors/nope/topics/reset", {}
    yield "unknown restart", "POST", "/connectors/nope/restart", {}
    yield "unknown task restart", "POST", "/connectors/nope/tasks/0/restart", {}
    yield "unknown delete", "DELETE", "/connectors/nope", {}
    yield "alter nothing", "PATCH", "/connectors/x/offsets", {"body": {}}
    yield "alter empty", "PATCH", "/connectors/x/offsets", {"body": {"offsets": []}}
    yield "alter odd", "PATCH", "/connectors/x/offsets", {"body": {"offsets": 5}}
    move = {"offsets": [{"partition": {"kafka_topic": "rows", "kafka_partition": 0}, "offset": {"kafka_offset": 0}}]}
    yield "alter running", "PATCH", "/connectors/x/offsets", {"body": move}
    yield "reset running", "DELETE", "/connectors/x/offsets", {}
    yield "alter unknown", "PATCH", "/connectors/nope/offsets", {"body": move}
    yield "reset unknown", "DELETE", "/connectors/nope/offsets", {}
    yield "stop", "PUT", "/connectors/x/stop", {}
    yield "STOPPED", None, "x", 0
    for number, item in enumerate([
            {"partition": {"kafka_partition": 0}, "offset": {"kafka_offset": 0}},
            {"partition": {"kafka_topic": None, "kafka_partition": 0}, "offset": {"kafka_offset": 0}},
            {"partition": {"kafka_topic": "rows", "kafka_partition": "z"}, "offset": {"kafka_offset": 0}},
            {"partition": {"kafka_topic": "rows", "kafka_partition": None}, "offset": {"kafka_offset": 0}},
            {"partition": {"kafka_topic": "rows", "kafka_partition": 0}, "offset": {"zork": 0}},
            {"partition": {"kafka_topic": "rows", "kafka_partition": 0}, "offset": {"kafka_offset": "z"}}]):
        yield f"alter with odd offsets {number}", "PATCH", "/connectors/x/offsets", {"body": {"offsets": [item]}}
    yield "offsets of a stopped one", "GET", "/connectors/x/offsets", {}
    yield "reset", "DELETE", "/connectors/x/offsets", {}
    yield "loggers", "GET", "/admin/loggers", {}
    yield "logger", "GET", "/admin/loggers/root", {}
    yield "logger unknown", "GET", "/admin/loggers/zork", {}
    yield "logger set", "PUT", "/admin/loggers/root", {"body": {"level": "WARN"}}
    yield "logger set everywhere", "PUT", "/admin/loggers/root?scope=cluster", {"body": {"level": "INFO"}}
    yield "logger set somewhere", "PUT", "/admin/loggers/root?scope=zork", {"body": {"level": "INFO"}}
    yield "logger bad level", "PUT", "/admin/loggers/root", {"body": {"level": "zork"}}
    yield "logger no level", "PUT", "/admin/loggers/root", {"body": {}}
    yield "logger no body", "PUT", "/admin/loggers/root", {"text": ""}
    yield "plugins", "GET", "/connector-plugins", {}
    yield "all plugins", "GET", "/connector-plugins?connectorsOnly=false", {}
    yield "plugin config", "GET", f"/connector-plugins/{side.plugin}/config", {}
    yield "plugin config of a transform", "GET", \
        "/connector-plugins/org.apache.kafka.connect.transforms.InsertField$Value/config", {}
    yield "plugin config of a converter", "GET", "/connector-plugins/org.apache.kafka.connect.json.JsonConverter/config", {}
    yield "plugin unknown", "GET", "/connector-plugins/Nope/config", {}
    check = f"/connector-plugins/{side.plugin}/config/validate"
    yield "validate", "PUT", check, {"body": {
        **config, "name": "v", "tasks.max": "z", "transforms": "a",
        "transforms.a.type": "org.apache.kafka.connect.transforms.RegexRouter", "transforms.a.regex": "a",
        "transforms.a.replacement": "b", "consumer.override.x": "y"}}
    yield "validate without a class", "PUT", check, {"body": {}}
    yield "validate an unknown class", "PUT", check, {"body": {"connector.class": "Nope"}}
    yield "validate nothing", "PUT", check, {"text": ""}
    yield "internal tasks", "POST", "/connectors/x/tasks", {"text": "[]"}
    yield "internal fence", "PUT", "/connectors/x/fence", {}
    yield "path with a NUL", "GET", "/connectors/%00", {}
    yield "path with half an escape", "GET", "/connectors/%", {}
    yield "path that is not UTF-8", "GET", "/connectors/%ff", {}
    yield "delete", "DELETE", "/connectors/x", {}


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
