# SPDX-License-Identifier: Apache-2.0
"""The sequence of calls of test_same_answers.py; tests/unit/api/routes_have_tests.py holds it against the routes."""


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
