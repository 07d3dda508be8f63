# SPDX-License-Identifier: Apache-2.0
"""Two workers of a group: whichever is asked, the leader writes; at most two hops, over HTTP and HTTPS."""
import base64
import json
import ssl
import urllib.error
import urllib.request

import pytest

from harness import certificates, postgres, sluice, wait

STORE = "store-password"


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """An authority, and a certificate of it for each of two workers: a PKCS#12 store, the authority in a JKS one."""
    authority = certificates.Authority(tmp_path_factory.mktemp("stores")).sign("one", "two")
    for who in ("one", "two"):
        authority.pkcs12(who, STORE)
    authority.trust("trust.jks", "JKS", STORE)
    return authority.folder


def group_of(broker, name):
    # A long session: on a busy machine no worker may seem gone, for then another leads.
    return {"bootstrap.servers": broker.bootstrap, "group.id": name, "session.timeout.ms": "30000",
            "config.storage.topic": f"{name}-configs", "offset.storage.topic": f"{name}-offsets",
            "status.storage.topic": f"{name}-status", "config.storage.replication.factor": "1",
            "offset.storage.replication.factor": "1", "status.storage.replication.factor": "1",
            "offset.storage.partitions": "1", "status.storage.partitions": "1"}


def serve(worker, port, settings):
    worker.url = f"https://127.0.0.1:{port}"
    sluice.write_properties(worker.worker, {
        **dict(line.split("=", 1) for line in worker.worker.read_text().splitlines()), "listeners": worker.url, **settings})


def formed(workers):
    """Each has half of the 64 slots and one leads: while a second worker joins, the leader may change."""
    held, leading = [], 0
    for worker in workers:
        lines = [json.loads(line) for line in worker.output().splitlines()]
        held.append(sum({"slots gained": 1, "slots asked back": -1}.get(line["msg"], 0) * line.get("slots", 0) for line in lines))
        leading += sum({"this worker leads the cluster": 1, "this worker leads no more": -1}.get(line["msg"], 0) for line in lines)
    return held == [32, 32] and leading == 1


@pytest.fixture
def start(broker, build, tmp_path):
    """Two workers; tls gives each its own ssl settings."""
    made = []

    def begin(name, tls=None):
        users = tmp_path / "users.properties"
        users.write_text("ada=secret\n")
        settings = {**group_of(broker, name), "sluice.rest.users.file": users, "sluice.rest.log": "all"}
        for number, folder in enumerate(("one", "two")):
            worker = sluice.Sluice(tmp_path / folder, build, settings, rest=True)
            if tls:
                serve(worker, postgres.free_port(), tls[number])
            made.append(worker.start())
        wait.until(lambda: formed(made), "the group to have formed", 90)
        return made

    yield begin
    for worker in made:
        worker.stop()


class Asker:
    """Asks as ada; over HTTPS with the authority, and with a certificate where one is given."""

    def __init__(self, ca=None, certificate=None):
        self.context = ssl.create_default_context(cafile=ca) if ca else None
        if certificate:
            self.context.load_cert_chain(*certificate)

    def __call__(self, worker, method, path, body=None):
        login = "Basic " + base64.b64encode(b"ada:secret").decode()
        request = urllib.request.Request(worker.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json", "Authorization": login})
        try:
            with urllib.request.urlopen(request, timeout=120, context=self.context) as answer:
                status, raw = answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            status, raw = refused.code, refused.read()
        return status, json.loads(raw) if raw else None


def requests(worker):
    return [json.loads(line) for line in worker.output().splitlines() if '"msg":"request"' in line]


def sink(target):
    return {"connector.class": "JdbcSink", "topics": "rows", "insert.mode": "upsert", "pk.mode": "record_key",
            "connection.url": f"jdbc:postgresql://127.0.0.1:{target.port}/postgres", "connection.user": target.user,
            "connection.password": target.password}


def make_two(ask, workers, config):
    """A connector by each worker; the leader's number."""
    for number, worker in enumerate(workers):
        wait.until(lambda worker=worker, number=number: ask(worker, "PUT", f"/connectors/c%2F{number}/config", config)[0]
                   in (200, 201), "a leader", 60)
    for worker in workers:
        wait.until(lambda worker=worker: ask(worker, "GET", "/connectors") == (200, ["c/0", "c/1"]), "both connectors")

    def passed_on():
        return [[r for r in requests(worker) if "forward=true" in r["path"] and r["status"] in (200, 201)]
                for worker in workers]
    wait.until(lambda: any(passed_on()), "the leader's log")
    forwarded = passed_on()
    leader = next(n for n, seen in enumerate(forwarded) if seen)
    assert not forwarded[1 - leader] and forwarded[leader][0]["user"] == "ada"
    return leader


def wait_for_state(ask, workers, connector, state, tasks):
    def reached(worker):
        status, body = ask(worker, "GET", f"/connectors/{connector}/status")
        return status == 200 and body["connector"]["state"] == state and \
            [task["state"] for task in body["tasks"]] == [state] * tasks
    for worker in workers:
        wait.until(lambda worker=worker: reached(worker), f"{connector} to be {state}", 60)


def test_a_write_reaches_the_leader_from_either_worker(start, target):
    workers, ask = start("forwarding"), Asker()
    config = sink(target)
    leader = make_two(ask, workers, config)
    follower = workers[1 - leader]
    # What was passed on is whole: with a password lost on the way no task would run.
    for connector in ("c%2F0", "c%2F1"):
        wait_for_state(ask, workers, connector, "RUNNING", 1)
    # Which is passed on, and which not any more
    status, body = ask(follower, "PUT", "/connectors/c%2F0/pause?forward=false")
    assert status == 409 and body["message"].startswith("Cannot complete request because of a conflicting operation")
    assert ask(follower, "PUT", "/connectors/c%2F0/pause?forward=true") == (202, None)
    wait.until(lambda: any("forward=false" in r["path"] and r["status"] == 202 for r in requests(workers[leader])),
               "the second hop in the leader's log")
    wait_for_state(ask, workers, "c%2F0", "PAUSED", 1)
    assert ask(follower, "POST", "/connectors", {"name": "c/1", "config": config})[0] == 409
    assert ask(follower, "PUT", "/connectors/c%2F1/config", {**config, "insert.mode": "guess"})[0] == 400
    assert ask(follower, "DELETE", "/connectors/nobody") == (404, {"error_code": 404, "message": "Connector nobody not found"})
    assert ask(follower, "DELETE", "/connectors/c%2F1") == (204, None)


def escaped(path):
    return path.read_text().replace("\n", "\\n")


@pytest.mark.parametrize("form", ["stores", "texts"])
def test_workers_that_speak_https_and_ask_for_certificates_pass_writes_on(start, stores, target, form):
    if form == "stores":
        # What is meant for the brokers (ssl.*) is not mixed in: it trusts one of the two alone.
        tls = [{"listeners.https.ssl.keystore.location": stores / f"{who}.p12", "listeners.https.ssl.keystore.password": STORE,
                "listeners.https.ssl.truststore.location": stores / "trust.jks",
                "listeners.https.ssl.truststore.password": STORE, "listeners.https.ssl.client.auth": "required",
                "ssl.truststore.type": "PEM", "ssl.truststore.location": stores / "one.pem"} for who in ("one", "two")]
    else:
        tls = [{"ssl.keystore.type": "PEM", "ssl.keystore.key": escaped(stores / f"{who}.key"),
                "ssl.keystore.certificate.chain": escaped(stores / f"{who}.pem"),
                "ssl.truststore.type": "PEM", "ssl.truststore.certificates": escaped(stores / "ca.pem"),
                "ssl.client.auth": "required"} for who in ("one", "two")]
    workers = start(f"https-{form}", tls)
    ask = Asker(stores / "ca.pem", (stores / "one.pem", stores / "one.key"))
    leader = make_two(ask, workers, sink(target))
    assert ask(workers[1 - leader], "DELETE", "/connectors/c%2F0") == (204, None)
    assert Asker(stores / "ca.pem")(workers[leader], "GET", "/connectors")[0] == 403


def test_a_leader_whose_certificate_nobody_vouches_for_is_not_told_anything(start, stores, target):
    tls = [{"listeners.https.ssl.keystore.location": stores / f"{who}.p12", "listeners.https.ssl.keystore.password": STORE}
           for who in ("one", "two")]
    workers, ask = start("untrusting", tls), Asker(stores / "ca.pem")
    config = sink(target)
    answers = []

    def both_answered():
        answers[:] = [ask(worker, "PUT", f"/connectors/c{n}/config", config) for n, worker in enumerate(workers)]
        return 409 not in [status for status, _ in answers]
    wait.until(both_answered, "a leader", 60)
    refused = [body["message"] for status, body in answers if status == 500]
    assert sorted(status for status, _ in answers)[0] in (200, 201) and len(refused) == 1
    assert "certificate" in refused[0] and "ssl.truststore" in refused[0]
    leader = next(n for n, (status, _) in enumerate(answers) if status in (200, 201))
    assert not [r for r in requests(workers[leader]) if "forward=" in r["path"]]


def test_of_two_workers_with_one_name_the_earlier_ends_and_says_why(broker, build, tmp_path):
    settings = {**group_of(broker, "namesakes"), "rest.advertised.host.name": "same", "rest.advertised.port": "8083"}
    one = sluice.Sluice(tmp_path / "one", build, settings).start()
    one.wait_for_log("this worker leads", 60)
    two = sluice.Sluice(tmp_path / "two", build, settings).start()
    assert one.process.child.wait(60) == 1
    assert "under this worker's name 'same:8083'. HINT: give each worker a name of its own" in one.output()
    two.wait_for_log("this worker leads", 60)
    assert two.stop() == 0
