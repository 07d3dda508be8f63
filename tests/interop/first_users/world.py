# SPDX-License-Identifier: Apache-2.0
"""
What the first users' files name, at the addresses that they name: a Kafka broker, PostgreSQL, OpenBao, files with secrets,
and a worker of sluice that is started with the users' own worker file and is told of the rest behind it.

Runs within own_machine.py.
"""
import base64
import collections
import json
import pathlib
import subprocess
import urllib.request

from harness import kafka, openbao, postgres, sluice, wait

NAMES = ("kafka", "schema-registry", "kafka-connect", "postgres", "scylla", "sqlserver", "vault")
SECRETS = pathlib.Path("/vault/secrets")
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"operator:word-of-the-operator").decode()}
CONTEXT = tuple("__connect.errors." + name for name in (
    "topic", "partition", "offset", "connector.name", "task.id", "stage", "class.name", "exception.class.name",
    "exception.message", "exception.stacktrace"))

Letter = collections.namedtuple("Letter", "topic key stage why")


class World:
    def __init__(self, folder, build, cache, fixtures):
        self.folder, self.build = folder, build
        self.files = pathlib.Path(fixtures) / "connectors"
        self.broker = kafka.Cluster(folder / "kafka", cache, settings={
            "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
            "advertised.listeners": "PLAINTEXT://kafka:9092"})
        self.broker.brokers[0].port, self.broker.brokers[0].controller_port = 9092, 9093
        self.target = postgres.Postgres(folder / "postgres", {"fsync": "off"})
        self.target.port, self.target.password = 5432, "postgres"  # as one of the files has it, in the open
        self.vault = openbao.OpenBao(folder / "openbao", openbao.program(cache))
        self.vault.port = 8200
        self.worker = None
        self.workers = 0

    def start(self):
        self.target.create().start()
        self.vault.start()
        self.broker.start()
        return self

    def close(self):
        self.end_worker()
        self.broker.kill()
        self.vault.process and self.vault.process.kill()
        self.target.close()

    # What the users have of their own

    def role(self, name, password, database, script):
        """A database and a login that owns what the script makes in it, and is nobody beyond."""
        if not self.target.execute("SELECT 1 FROM pg_database WHERE datname = %s", database):
            self.target.execute(f"CREATE DATABASE {database}")
        if not self.target.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", name):
            self.target.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        self.target.execute(f"GRANT CREATE ON DATABASE {database} TO {name}")
        self.target.execute(f"GRANT CREATE ON SCHEMA public TO {name}; SET ROLE {name}; {script}", database=database)

    def drop_schema(self, database, schema):
        """Make room for the next pair's tables; and stop what still writes there from doing so."""
        if self.target.execute("SELECT 1 FROM pg_database WHERE datname = %s", database):
            self.target.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE", database=database)

    def secret_file(self, name, **values):
        SECRETS.mkdir(parents=True, exist_ok=True)
        path = SECRETS / name
        path.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
        path.chmod(0o600)

    # The worker

    def start_worker(self, **more):
        """The users' own worker file, unchanged, and behind it what was never in it."""
        role, secret = self.vault.approle("sluice", 'path "secret/data/database" { capabilities = ["read"] }')
        self.workers += 1
        self.worker = sluice.Sluice(self.folder / f"sluice{self.workers}", self.build)
        self.worker.url = "http://kafka-connect:8083"
        users = self.worker.folder / "users"
        users.write_text("operator=word-of-the-operator\n")
        users.chmod(0o600)
        own = {
            "sluice.rest.users.file": users, "sluice.state.dir": self.worker.state,
            "sluice.registry.listeners": "http://127.0.0.1:8081", "sluice.registry.aliases": "http://schema-registry:8081",
            "config.providers": "vault,file",
            "config.providers.vault.class": "com.github.jcustenborder.kafka.config.vault.VaultConfigProvider",
            "config.providers.vault.param.vault.address": "http://vault:8200",
            "config.providers.vault.param.vault.auth.method": "approle",
            "config.providers.vault.param.vault.role.id": role, "config.providers.vault.param.vault.secret.id": secret,
            "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider", **more}
        self.worker.worker.write_text((self.files / "connect-distributed.properties").read_text() + "\n" +
                                      "".join(f"{key}={value}\n" for key, value in own.items()))
        self.worker.start()
        wait.until(lambda: self.ask("GET", "/connectors")[0] == 200, "the worker to answer", 60)
        return self.worker

    def restart_worker(self):
        self.worker.kill()
        self.worker.start()

    def end_worker(self):
        """Whatever became of it."""
        if self.worker and self.worker.process:
            self.worker.kill()

    def stop_worker(self):
        """An end in order, for whoever comes next."""
        for name in self.ask("GET", "/connectors")[1]:
            assert self.ask("DELETE", f"/connectors/{name}")[0] == 204
        assert self.worker.stop(30) == 0

    def ask(self, method, path, text=None, headers=LOGIN):
        return self.worker.rest(method, path, text=text, headers=headers)

    def post(self, file):
        """The file's own bytes, as curl -d @file sends them."""
        text = (self.files / file).read_bytes()
        status, answer, _ = wait.until(lambda: self._unless_busy("POST", "/connectors", text), "a worker to lead", 60, 0.2)
        assert status == 201, (file, status, answer)
        name = json.loads(text)["name"]
        wait.until(lambda: self.running(name), f"{name} to run", 60)
        return name

    def _unless_busy(self, *request):
        """409 is what a group says whose members are just coming; clients try again."""
        answer = self.ask(*request)
        return answer if answer[0] != 409 else None

    def running(self, name):
        self.alive()
        status = self.ask("GET", f"/connectors/{name}/status")[1]
        tasks = status["tasks"]
        failed = [task for task in tasks if task["state"] == "FAILED"]
        assert not failed, failed
        return status["connector"]["state"] == "RUNNING" and tasks and all(task["state"] == "RUNNING" for task in tasks)

    def alive(self):
        self.worker.assert_running()

    # What happened

    def rows(self, database, sql):
        self.alive()
        return self.target.execute(sql, database=database)

    def letters(self, topic, connector):
        """
        The letters of a connector in a dead letter topic. Each place once: a crash may write a letter again. And of a row that a
        ScyllaDB source read again, because it could not order its changes, only what no letter has told before.
        """
        places, again = {}, set()
        for message in self.messages(topic):
            names, values = message["headers"][::2], message["headers"][1::2]
            headers = dict(zip(names, values))
            if headers["__connect.errors.connector.name"] != connector:
                continue
            assert tuple(n for n in names if n.startswith("__connect.")) == CONTEXT
            why = json.loads(headers["__sluice.letter"])
            origin = tuple(headers[name] for name in CONTEXT[:3])
            letter = Letter(origin[0], key_of(message["key"]), headers["__connect.errors.stage"], why["native"] or why["code"])
            if "__sluice.read" in headers:
                again.add(letter)
            else:
                places[origin] = letter
        return sorted([*places.values(), *(again - set(places.values()))])

    def produce(self, topic, key, value):
        self.broker.kcat("-P", "-t", topic, "-K", ":", given=f"{key}:{value}\n", at="kafka:9092")

    def headers(self, topic):
        """Those of each record of a topic."""
        return [dict(zip(message["headers"][::2], message["headers"][1::2])) for message in self.messages(topic)]

    def messages(self, topic):
        """All of a topic, as kcat shows them; bytes that are no text are lost."""
        raw = subprocess.run(["kcat", "-b", "kafka:9092", "-C", "-e", "-q", "-J", "-t", topic], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, check=True, timeout=60).stdout.decode(errors="replace")
        # splitlines() ends a line at U+0085 and the like as well, which Avro's bytes may look like.
        return [json.loads(line, strict=False) for line in raw.split("\n") if line]

    def partitions(self, topic):
        told = json.loads(self.broker.kcat("-L", "-J", "-t", topic, at="kafka:9092"))
        return len(told["topics"][0]["partitions"])

    def subjects(self):
        """The registry's, as its REST API at its own address says."""
        with urllib.request.urlopen("http://schema-registry:8081/subjects", timeout=10) as answer:
            return set(json.load(answer))


def key_of(text):
    """A small whole number, or texts one behind the other, out of an Avro key behind its five bytes; else what it is."""
    if not text or text[0] != "\0":
        return text
    rest = text[5:]
    if len(rest) == 1:
        return ord(rest) >> 1
    return "/".join(word for word in rest.split("\x02H")[1:])
