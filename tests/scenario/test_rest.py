# SPDX-License-Identifier: Apache-2.0
"""Connect's REST API, endpoint by endpoint, over connectors that move rows."""
import json
import socket
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest

from harness import sluice, wait

SINK = "io.confluent.connect.jdbc.JdbcSinkConnector"


@pytest.fixture(scope="module")
def worker(tmp_path_factory, build, cluster):
    """A worker without connectors, and a database that a sink may write to."""
    cluster.execute('CREATE DATABASE "rest"')
    program = sluice.Sluice(tmp_path_factory.mktemp("rest") / "sluice", build, rest=True).start()
    program.sink = {
        "connector.class": SINK, "tasks.max": "1", "topics": "none.yet",
        "connection.url": f"jdbc:postgresql://127.0.0.1:{cluster.port}/rest", "connection.user": cluster.user,
        "connection.password": "not-needed-but-secret", "insert.mode": "upsert", "pk.mode": "record_key",
    }
    wait.until(lambda: '"ready"' in program.output(), "sluice")
    yield program
    program.stop()


@pytest.fixture
def sink(worker, request):
    """A sink of the test's own name."""
    name = request.node.name
    status, body, _ = worker.rest("PUT", f"/connectors/{name}/config", worker.sink)
    assert status == 201, body
    wait_state(worker, name, "RUNNING", tasks=1)
    yield name
    worker.rest("DELETE", f"/connectors/{name}")


def wait_state(worker, name, state, tasks):
    def reached():
        status, body, _ = worker.rest("GET", f"/connectors/{name}/status")
        return status == 200 and body["connector"]["state"] == state and len(body["tasks"]) == tasks and \
            all(task["state"] == state for task in body["tasks"])
    wait.until(reached, f"{name} to be {state} with {tasks} tasks", 20)


def expect(answer, code, **members):
    assert answer[0] == code, answer
    for key, value in members.items():
        assert answer[1][key] == value, answer
    return answer[1]


def error(status, message):
    return {"error_code": status, "message": message}


def test_root_names_a_version_that_clients_know_and_the_log(worker):
    root = expect(worker.rest("GET", "/"), 200)
    assert root["version"].startswith("3.9.")
    assert root["kafka_cluster_id"] and set(root) == {"version", "commit", "kafka_cluster_id"}


def test_health_goes_through_the_herder(worker):
    expect(worker.rest("GET", "/health"), 200, status="healthy")


def test_unknown_urls_and_wrong_verbs_are_told_as_connect_tells_them(worker):
    assert worker.rest("GET", "/nothing")[:2] == (404, error(404, "HTTP 404 Not Found"))
    status, body, headers = worker.rest("DELETE", "/connectors")
    assert (status, body) == (405, error(405, "HTTP 405 Method Not Allowed")) and "POST" in headers["Allow"]
    assert worker.rest("POST", "/connectors", {}, {"Content-Type": "text/plain"})[0] == 415
    assert worker.rest("GET", "/connectors", headers={"Accept": "text/html"})[0] == 406


def test_a_connector_is_made_read_and_deleted(worker):
    status, body, headers = worker.rest("POST", "/connectors/", {"name": " a/b c ", "config": worker.sink})
    assert status == 201, body
    assert list(body) == ["name", "config", "tasks", "type"]
    assert body["name"] == "a/b c" and body["type"] == "sink" and body["config"]["name"] == "a/b c"
    assert headers["Location"] == f"{worker.url}/connectors/a%2Fb%20c"
    path = "/connectors/" + urllib.parse.quote("a/b c", safe="")
    assert "a/b c" in worker.rest("GET", "/connectors")[1]
    assert worker.rest("GET", path + "/config")[1] == {**worker.sink, "name": "a/b c"}
    wait_state(worker, urllib.parse.quote("a/b c", safe=""), "RUNNING", tasks=1)
    assert worker.rest("GET", path)[1]["tasks"] == [{"connector": "a/b c", "task": 0}]
    assert worker.rest("POST", "/connectors", {"name": "a/b c", "config": worker.sink})[:2] == \
        (409, error(409, "Connector a/b c already exists"))
    assert worker.rest("DELETE", path)[:2] == (204, None)
    assert worker.rest("GET", path)[:2] == (404, error(404, "Connector a/b c not found"))


def test_initial_state_is_taken_without_case(worker):
    expect(worker.rest("POST", "/connectors", {"name": "later", "initial_state": "stopped", "config": worker.sink}), 201)
    wait_state(worker, "later", "STOPPED", tasks=0)
    expect(worker.rest("DELETE", "/connectors/later"), 204)
    expect(worker.rest("POST", "/connectors", {"name": "later", "initial_state": "soon", "config": worker.sink}), 500)


def test_an_invalid_configuration_is_told_key_by_key(worker):
    bad = {**worker.sink, "tasks.max": "many", "insert.mode": "guess", "name": "bad"}
    body = expect(worker.rest("POST", "/connectors", {"name": "bad", "config": bad}), 400)
    assert body["message"].startswith("Connector configuration is invalid and contains the following ")
    assert "tasks.max" in body["message"] and "insert.mode" in body["message"]
    assert body["message"].endswith("/connector-plugins/{connectorType}/config/validate`")
    expect(worker.rest("GET", "/connectors/bad"), 404)


def test_a_name_in_the_body_is_the_name_in_the_url(worker):
    answer = worker.rest("PUT", "/connectors/x/config", {**worker.sink, "name": "y"})
    assert answer[:2] == (400, error(400, "Connector name configuration (y) doesn't match connector name in the URL (x)"))


@pytest.mark.parametrize("text", ["", "{", "[1]", "{\"name\":\"x\"}", "{\"config\":{\"a\":{\"b\":1}}}",
                                  "{\"name\":\"x\",\"config\":{},\"more\":1}"])
def test_a_body_of_another_shape_is_refused(worker, text):
    status, body, _ = worker.rest("POST", "/connectors", text=text)
    assert status == 500 and body["error_code"] == 500 and body["message"]


def test_put_replaces_and_patch_merges(worker, sink):
    changed = {**worker.sink, "batch.size": "17"}
    expect(worker.rest("PUT", f"/connectors/{sink}/config", changed), 200, name=sink, type="sink")
    body = expect(worker.rest("PATCH", f"/connectors/{sink}/config", {"batch.size": None, "tasks.max": 2}), 200)
    assert "batch.size" not in body["config"] and body["config"]["tasks.max"] == "2"
    expect(worker.rest("PATCH", "/connectors/nobody/config", {"a": "b"}), 404, message="Connector nobody not found")


def test_expand_adds_what_is_asked_for(worker, sink):
    both = worker.rest("GET", "/connectors?expand=status&expand=info&expand=more")[1][sink]
    assert set(both) == {"status", "info"}
    assert both["status"]["type"] == "sink" and both["info"]["config"]["name"] == sink
    assert set(worker.rest("GET", "/connectors?expand=info")[1][sink]) == {"info"}
    assert sink in worker.rest("GET", "/connectors")[1]


def test_pause_resume_and_stop(worker, sink):
    assert worker.rest("PUT", f"/connectors/{sink}/pause")[:2] == (202, None)
    wait_state(worker, sink, "PAUSED", tasks=1)
    assert worker.rest("PUT", f"/connectors/{sink}/resume")[:2] == (202, None)
    wait_state(worker, sink, "RUNNING", tasks=1)
    assert worker.rest("PUT", f"/connectors/{sink}/stop")[:2] == (204, None)
    wait_state(worker, sink, "STOPPED", tasks=0)
    assert worker.rest("GET", f"/connectors/{sink}/tasks")[:2] == (200, [])
    assert worker.rest("PUT", f"/connectors/{sink}/resume/")[0] == 202
    wait_state(worker, sink, "RUNNING", tasks=1)


def test_restart_answers_the_plan(worker, sink):
    assert worker.rest("POST", f"/connectors/{sink}/restart")[:2] == (204, None)
    plan = expect(worker.rest("POST", f"/connectors/{sink}/restart?includeTasks=true"), 202)
    assert plan["connector"]["state"] == "RESTARTING" and plan["tasks"][0]["state"] == "RESTARTING"
    # Nothing has failed: this plan changes nothing, and shows when the restart is over.
    wait.until(lambda: expect(worker.rest("POST", f"/connectors/{sink}/restart?includeTasks=true&onlyFailed=true"),
                              202)["tasks"][0]["state"] == "RUNNING", "the task to run again")
    assert worker.rest("POST", f"/connectors/{sink}/tasks/0/restart")[:2] == (204, None)
    assert worker.rest("POST", f"/connectors/{sink}/tasks/7/restart")[:2] == (404, error(404, f"Unknown task: {sink}-7"))


def test_tasks_and_their_states(worker, sink):
    wait_state(worker, sink, "RUNNING", tasks=1)
    tasks = worker.rest("GET", f"/connectors/{sink}/tasks")[1]
    assert tasks[0]["id"] == {"connector": sink, "task": 0} and "task.class" in tasks[0]["config"]
    assert set(worker.rest("GET", f"/connectors/{sink}/tasks-config")[1]) == {f"{sink}-0"}
    assert expect(worker.rest("GET", f"/connectors/{sink}/tasks/0/status"), 200)["state"] == "RUNNING"
    assert worker.rest("GET", f"/connectors/{sink}/tasks/9/status")[:2] == \
        (404, error(404, f"No status found for task {sink}-9"))
    assert worker.rest("GET", f"/connectors/{sink}/tasks/nine/status")[:2] == (404, error(404, "HTTP 404 Not Found"))


@pytest.mark.parametrize("method, path, message", [
    ("GET", "", "Connector nobody not found"), ("GET", "/config", "Connector nobody not found"),
    ("GET", "/status", "No status found for connector nobody"), ("GET", "/tasks", "Connector nobody not found"),
    ("GET", "/tasks/0/status", "No status found for task nobody-0"),
    ("PUT", "/pause", "Unknown connector nobody"), ("PUT", "/resume", "Unknown connector nobody"),
    ("PUT", "/stop", "Unknown connector nobody"), ("POST", "/restart", "Unknown connector: nobody"),
    ("POST", "/tasks/0/restart", "Unknown connector: nobody"), ("DELETE", "", "Connector nobody not found"),
])
def test_an_unknown_connector_is_told_in_connects_words(worker, method, path, message):
    assert worker.rest(method, "/connectors/nobody" + path)[:2] == (404, error(404, message))


def test_topics_of_nobody_are_none(worker):
    assert worker.rest("GET", "/connectors/nobody/topics")[:2] == (200, {"nobody": {"topics": []}})
    assert worker.rest("PUT", "/connectors/nobody/topics/reset")[:2] == (202, None)


@pytest.mark.parametrize("setting, reads", [
    ("topic.tracking.enable", (403, error(403, "Topic tracking is disabled."))),
    ("topic.tracking.allow.reset", (200, {"nobody": {"topics": []}})),
])
def test_active_topics_can_be_switched_off_and_kept_from_being_forgotten(tmp_path, build, setting, reads):
    program = run(tmp_path, build, {setting: "false"})
    assert program.rest("GET", "/connectors/nobody/topics")[:2] == reads
    assert program.rest("PUT", "/connectors/nobody/topics/reset")[:2] == (403, error(403, "Topic tracking reset is disabled."))
    program.stop()


def test_loggers_are_read_and_set(worker):
    assert set(worker.rest("GET", "/admin/loggers/root")[1]) == {"level", "last_modified"}
    assert expect(worker.rest("GET", "/admin/loggers/nothing"), 404)["message"] == "Logger nothing not found."
    changed = expect(worker.rest("PUT", "/admin/loggers/root?scope=worker", {"level": "WARN"}), 200)
    assert isinstance(changed, list) and changed
    assert worker.rest("GET", "/admin/loggers/root")[1]["level"] == "WARN"
    assert worker.rest("PUT", "/admin/loggers/root?scope=cluster", {"level": "INFO"})[:2] == (204, None)
    wait.until(lambda: worker.rest("GET", "/admin/loggers/root")[1]["level"] == "INFO", "the level of the cluster")
    assert worker.rest("PUT", "/admin/loggers/root", {"level": "LOUD"})[:2] == (404, error(404, "invalid log level 'LOUD'."))
    expect(worker.rest("PUT", "/admin/loggers/root", {}), 400,
           message="Desired 'level' parameter was not specified in request.")


def test_plugins_and_their_options(worker):
    connectors = worker.rest("GET", "/connector-plugins")[1]
    assert {p["type"] for p in connectors} == {"source", "sink"} and all("." in p["class"] for p in connectors)
    everything = worker.rest("GET", "/connector-plugins?connectorsOnly=false")[1]
    assert {p["type"] for p in everything} >= {"source", "sink", "transformation", "predicate", "converter",
                                               "header_converter"}
    for plugin in everything:
        options = worker.rest("GET", f"/connector-plugins/{urllib.parse.quote(plugin['class'])}/config")
        assert options[0] == 200, plugin
        for option in options[1]:
            assert set(option) == {"name", "type", "required", "default_value", "importance", "documentation", "group",
                                   "width", "display_name", "dependents", "order"}
            assert option["documentation"], option
    assert worker.rest("GET", "/connector-plugins/Nope/config")[:2] == (404, error(404, "Unknown plugin Nope."))


def validate(worker, config, plugin="JdbcSinkConnector"):
    body = expect(worker.rest("PUT", f"/connector-plugins/{plugin}/config/validate", config), 200)
    return body, {entry["value"]["name"]: entry for entry in body["configs"]}


def test_validate_tells_each_key(worker):
    config = {**worker.sink, "name": "v", "tasks.max": "many", "insert.mode": "guess", "transforms": "r",
              "transforms.r.type": "org.apache.kafka.connect.transforms.RegexRouter", "transforms.r.regex": "a",
              "consumer.override.max.poll.records": "5"}
    body, entries = validate(worker, config)
    assert body["name"] == SINK and body["groups"][:2] == ["Common", "Transforms"] and "Transforms: r" in body["groups"]
    assert body["error_count"] == sum(len(entry["value"]["errors"]) for entry in body["configs"]) > 1
    assert entries["tasks.max"]["value"]["errors"] and entries["tasks.max"]["value"]["value"] is None
    assert entries["connection.password"]["value"]["value"] == "[hidden]"
    assert "not-needed-but-secret" not in json.dumps(body)
    assert entries["insert.mode"]["value"]["errors"] and not entries["insert.mode"]["definition"]["required"]
    assert entries["transforms.r.regex"]["value"]["value"] == "a"
    assert "org.apache.kafka.connect.transforms.RegexRouter" in entries["transforms.r.type"]["value"]["recommended_values"]
    assert entries["consumer.override.max.poll.records"]["definition"] is None
    assert entries["topics"]["definition"]["display_name"] == "Topics"


def test_validate_asks_for_the_class_in_the_url(worker):
    assert validate(worker, {**worker.sink, "name": "v"}, SINK)[0]["error_count"] == 0
    status, body, _ = worker.rest("PUT", "/connector-plugins/SqlServerConnector/config/validate", worker.sink)
    assert (status, body) == (400, error(400, f"Included connector type {SINK} does not match request type SqlServerConnector"))
    expect(worker.rest("PUT", "/connector-plugins/SqlServerConnector/config/validate", {}), 400)


def test_offsets_are_read_altered_and_reset_while_stopped(worker, sink):
    move = {"offsets": [{"partition": {"kafka_topic": "none.yet", "kafka_partition": 0}, "offset": {"kafka_offset": 0}}]}
    path = f"/connectors/{sink}/offsets"
    assert set(expect(worker.rest("GET", path), 200)) == {"offsets"}
    for method, body in (("PATCH", move), ("DELETE", None)):
        expect(worker.rest(method, path, body), 400,
               message="Connectors must be in the STOPPED state before their offsets can be modified. This can be done for "
                       f"the specified connector by issuing a 'PUT' request to the '/connectors/{sink}/stop' endpoint")
    worker.rest("PUT", f"/connectors/{sink}/stop")
    wait_state(worker, sink, "STOPPED", tasks=0)
    for body in ({}, {"offsets": []}, {"offsets": None}):
        expect(worker.rest("PATCH", path, body), 400,
               message="Partitions / offsets need to be provided for an alter offsets request")
    expect(worker.rest("PATCH", path, {"offsets": 5}), 500)
    expect(worker.rest("DELETE", path), 200, message="The offsets for this connector have been reset successfully")
    assert worker.rest("GET", path)[1] == {"offsets": []}
    for method, body in (("GET", None), ("PATCH", move), ("DELETE", None)):
        assert worker.rest(method, "/connectors/nobody/offsets", body)[:2] == (404, error(404, "Connector nobody not found"))


def test_internal_requests_of_connect_workers_are_refused(worker):
    expect(worker.rest("POST", "/connectors/x/tasks", []), 400)
    expect(worker.rest("PUT", "/connectors/x/fence"), 400)


# ---- listeners, logins, pages ----


def run(tmp_path, build, settings):
    program = sluice.Sluice(tmp_path / "sluice", build, settings, rest=True).start()
    wait.until(lambda: '"ready"' in program.output() or not program.process.running(), "sluice")
    return program


def test_a_port_in_use_is_told_before_anything_starts(tmp_path, build):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        program = sluice.Sluice(tmp_path / "sluice", build,
                                {"listeners": f"http://127.0.0.1:{taken.getsockname()[1]}"})
        done = program.command("run", program.worker, check=False)
    assert done.returncode == 1 and "is in use by another process" in done.stderr
    assert "sluice starts" not in done.stderr


def test_an_empty_listeners_turns_it_off(tmp_path, build):
    program = sluice.Sluice(tmp_path / "sluice", build).start()
    wait.until(lambda: '"ready"' in program.output(), "sluice")
    assert "the REST API listens" not in program.output()
    assert program.stop() == 0


def test_a_listener_without_a_host_is_loopback(tmp_path, build):
    program = run(tmp_path, build, {"listeners": "http://:0"})
    line = next(json.loads(li) for li in program.output().splitlines() if "the REST API listens" in li)
    assert line["host"] == "127.0.0.1" and line["login"] == "none"
    program.stop()


def test_the_basic_auth_extension_asks_for_a_login_and_there_is_none(tmp_path, build):
    extension = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
    program = run(tmp_path, build, {"rest.extension.classes": extension})
    status, body, headers = program.rest("GET", "/connectors")
    assert status == 401 and body["error_code"] == 401 and headers["WWW-Authenticate"].startswith("Basic ")
    assert program.rest("GET", "/connectors", headers={"Authorization": "Basic YWRhOmFkYQ=="})[0] == 401
    program.stop()


def login(user, password):
    import base64
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_users_log_in_by_password_or_hash_and_the_file_is_read_again(tmp_path, build):
    users = tmp_path / "users.properties"
    users.write_text("ada=loves:colons\n")
    program = run(tmp_path, build, {"sluice.rest.users.file": users})
    assert program.rest("GET", "/connectors")[0] == 401
    assert program.rest("GET", "/connectors", headers=login("ada", "loves"))[0] == 401
    assert program.rest("GET", "/connectors", headers=login("ada", "loves:colons"))[0] == 200
    users.write_text("grace: changed\n")
    wait.until(lambda: program.rest("GET", "/connectors", headers=login("ada", "loves:colons"))[0] == 401, "the new file")
    assert program.rest("GET", "/connectors", headers=login("grace", "changed"))[0] == 200
    program.rest("PUT", "/connectors/nobody/pause", headers=login("grace", "changed"))
    wait.until(lambda: "/pause" in program.output(), "the request log")
    line = next(json.loads(li) for li in program.output().splitlines() if '"request"' in li and "/pause" in li)
    assert line["user"] == "grace" and line["method"] == "PUT" and line["status"] == 404 and line["peer"]
    assert "changed" not in program.output().replace("change the file", "")
    program.stop()


def test_another_extension_is_refused_by_name(tmp_path, build):
    program = sluice.Sluice(tmp_path / "sluice", build, {"rest.extension.classes": "com.example.Mine"}, rest=True)
    done = program.command("run", program.worker, check=False)
    assert done.returncode == 1 and "com.example.Mine" in done.stderr


def test_pages_of_other_sites_may_not_change_anything(tmp_path, build):
    program = run(tmp_path, build, {"access.control.allow.origin": "http://good.example",
                                    "access.control.allow.methods": "GET,PUT",
                                    "response.http.headers.config":
                                        'set X-Frame-Options: DENY, "add Cache-Control: no-cache, no-store"'})
    evil, good = {"Origin": "http://evil.example"}, {"Origin": "http://good.example"}
    assert program.rest("PUT", "/connectors/x/pause", headers=evil)[0] == 403
    status, _, headers = program.rest("PUT", "/connectors/x/pause", headers=good)
    assert status == 404 and headers["Access-Control-Allow-Origin"] == "http://good.example"
    assert headers["X-Frame-Options"] == "DENY" and headers["Cache-Control"] == "no-cache, no-store"
    assert "Access-Control-Allow-Origin" not in program.rest("GET", "/connectors", headers=evil)[2]
    _, _, headers = program.rest("OPTIONS", "/connectors", headers={**good, "Access-Control-Request-Method": "PUT"})
    assert headers["Access-Control-Allow-Methods"] == "GET,PUT"
    assert program.rest("GET", "/connectors", headers={"Host": "evil.example:8083"})[0] == 403
    program.stop()


def certificate(folder, name, signer=None):
    """A key and a certificate for loopback, signed by itself or by the signer."""
    key, made, request = folder / f"{name}.key", folder / f"{name}.crt", folder / f"{name}.csr"
    extension = folder / f"{name}.ext"
    extension.write_text("subjectAltName=IP:127.0.0.1\n" + ("" if signer else "basicConstraints=CA:TRUE\n"))
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
    sign = ["-CA", folder / f"{signer}.crt", "-CAkey", folder / f"{signer}.key", "-CAcreateserial"] if signer else \
        ["-signkey", key]
    openssl("x509", "-req", "-in", request, "-out", made, "-days", "2", "-extfile", extension, *sign)
    return key, made


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def get_over_tls(program, ca, client=None):
    context = ssl.create_default_context(cafile=ca)
    if client:
        context.load_cert_chain(client[1], client[0])
    try:
        with urllib.request.urlopen(program.url + "/connectors", timeout=10, context=context) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.parametrize("form", ["pem", "pkcs12", "texts"])
def test_https_takes_key_stores_in_connects_forms(tmp_path, build, form):
    key, made = certificate(tmp_path, "server")
    store = tmp_path / "store"
    if form == "pem":
        store.write_text(key.read_text() + made.read_text())
        settings = {"listeners.https.ssl.keystore.location": store}
    elif form == "pkcs12":
        openssl("pkcs12", "-export", "-inkey", key, "-in", made, "-out", store, "-passout", "pass:changeit")
        settings = {"ssl.keystore.location": store, "ssl.keystore.password": "changeit"}
    else:
        def escaped(path):
            return path.read_text().replace("\n", "\\n")
        settings = {"listeners.https.ssl.keystore.key": escaped(key),
                    "listeners.https.ssl.keystore.certificate.chain": escaped(made)}
    port = process_port()
    program = run(tmp_path, build, {**settings, "listeners": f"https://127.0.0.1:{port}"})
    program.url = f"https://127.0.0.1:{port}"
    assert get_over_tls(program, made) == 200, program.output()
    asked = program.command("get", "--url", program.url, "--ca", made, check=False)
    assert asked.returncode == 0, asked
    assert program.command("get", "--url", program.url, check=False).returncode == 3
    program.stop()


def test_https_takes_a_key_with_a_password_and_says_which_does_not_open(tmp_path, build):
    key, made = certificate(tmp_path, "server")
    openssl("pkcs8", "-topk8", "-in", key, "-out", tmp_path / "locked", "-passout", "pass:key-password")
    store = tmp_path / "store.pem"
    store.write_text((tmp_path / "locked").read_text() + made.read_text())
    port = process_port()
    given = {"listeners": f"https://127.0.0.1:{port}", "listeners.https.ssl.keystore.location": store}
    program = run(tmp_path, build, {**given, "listeners.https.ssl.key.password": "key-password"})
    program.url = f"https://127.0.0.1:{port}"
    assert get_over_tls(program, made) == 200, program.output()
    program.stop()
    for wrong in ({}, {"listeners.https.ssl.key.password": "wrong-password"}):
        program = sluice.Sluice(tmp_path / f"wrong{len(wrong)}", build, {**given, **wrong})
        done = program.command("run", program.worker, check=False)
        assert done.returncode == 1 and "ssl.key.password" in done.stderr and "does not open" in done.stderr, done.stderr
        assert "wrong-password" not in done.stderr


def test_a_client_certificate_is_asked_for_and_looked_at(tmp_path, build):
    certificate(tmp_path, "ca")
    key, made = certificate(tmp_path, "server", "ca")
    good, stranger = certificate(tmp_path, "good", "ca"), certificate(tmp_path, "stranger")
    (tmp_path / "store").write_text(key.read_text() + made.read_text())
    port = process_port()
    program = run(tmp_path, build, {
        "listeners": f"https://127.0.0.1:{port}", "listeners.https.ssl.keystore.location": tmp_path / "store",
        "listeners.https.ssl.truststore.location": tmp_path / "ca.crt", "listeners.https.ssl.client.auth": "required"})
    program.url = f"https://127.0.0.1:{port}"
    assert get_over_tls(program, tmp_path / "ca.crt", good) == 200
    assert get_over_tls(program, tmp_path / "ca.crt") == 403
    assert get_over_tls(program, tmp_path / "ca.crt", stranger) == 403
    program.stop()


def test_https_without_a_key_store_is_refused_at_the_start(tmp_path, build):
    program = sluice.Sluice(tmp_path / "sluice", build, {"listeners": "https://127.0.0.1:0"})
    done = program.command("run", program.worker, check=False)
    assert done.returncode == 1 and "listeners.https.ssl.keystore.location" in done.stderr


def test_admin_listeners_serve_admin_apart(tmp_path, build):
    port = process_port()
    program = run(tmp_path, build, {"admin.listeners": f"http://127.0.0.1:{port}"})
    assert program.rest("GET", "/admin/loggers")[0] == 404
    main, program.url = program.url, f"http://127.0.0.1:{port}"
    assert program.rest("GET", "/admin/loggers")[0] == 200
    assert program.rest("GET", "/connectors")[0] == 404
    program.url = main
    program.stop()


def process_port():
    from harness.postgres import free_port
    return free_port()
