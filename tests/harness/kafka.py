# SPDX-License-Identifier: Apache-2.0
"""
Real Kafka brokers and real Connect workers on loopback, in a scratch folder, ended with us.

    with kafka.Cluster(folder, cache) as cluster:                     # one KRaft broker, 3.9.2
        cluster.bootstrap                                             # "127.0.0.1:40001"
    kafka.Cluster(folder, cache, version="4.3.1")
    kafka.Cluster(folder, cache, brokers=3, settings={"broker.session.timeout.ms": "3000"})
    kafka.Cluster(folder, cache, zookeeper=True)                      # 3.9.2; 2.8.2 knows nothing else
    kafka.Cluster(folder, cache, secure=True)                         # .listeners["SSL"], ["SASL_SSL"], ["SASL_PLAINTEXT"]
    kafka.Connect(folder, cache, cluster.bootstrap).start().url       # Connect's REST API; distributed, or standalone=True

cluster.brokers[i].kill() is kill -9, .start() brings the same broker back on the same ports and data.
"""
import base64
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import urllib.request

from harness import fetch, wait
from harness.certificates import Authority
from harness.java import JAVA
from harness.postgres import free_port
from harness.process import Process

POMS = pathlib.Path(__file__).resolve().parent.parent / "interop/kafka"
LOGGING = """log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n
log4j.logger.org.reflections=ERROR
"""
COMMON = {
    "num.partitions": "1", "group.initial.rebalance.delay.ms": "0", "auto.create.topics.enable": "true",
    "num.network.threads": "2", "num.io.threads": "4", "log.cleaner.dedupe.buffer.size": "8388608",
    "offsets.topic.num.partitions": "3", "transaction.state.log.num.partitions": "3",
    "log.retention.hours": "24",
}
USERS = {"alice": "secret-of-alice", "admin": "secret-of-admin"}  # PLAIN, SCRAM-SHA-256, SCRAM-SHA-512


def jars(cache, version="3.9.2"):
    """The class path of Kafka with Connect; fetched once."""
    folder = cache / f"kafka-{version}"
    pom = POMS / version
    fetch.once(folder, (pom / "pom.xml").read_text(), lambda made: fetch.jars(pom, made, cache))
    (folder / "log4j.properties").write_text(LOGGING)
    return f"{folder}/libs/*"


def _java(cache, version, main, *arguments, heap="512m", flags=()):
    classes = jars(cache, version)
    logging = f"-Dlog4j.configuration=file:{cache}/kafka-{version}/log4j.properties"
    return [*JAVA, "-Xms64m", f"-Xmx{heap}", *flags, logging, "-cp", classes, main, *arguments]


def write_properties(path, settings):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return path


def _jaas(module, **words):
    return f"org.apache.kafka.common.security.{module} required " + \
        " ".join(f'{name}="{value}"' for name, value in words.items()) + ";"


class Broker:
    """One server process; its data and ports stay while it is started and killed."""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.folder = cluster.folder / f"broker{number}"
        self.port, self.controller_port = free_port(), free_port()
        self.secure_ports = {name: free_port() for name in ("SSL", "SASL_SSL", "SASL_PLAINTEXT")} if cluster.secure else {}
        self.process = None
        self.starts = 0

    def properties(self):
        cluster = self.cluster
        copies = str(min(3, len(cluster.brokers)))
        insync = "2" if copies == "3" else "1"
        plain = {"PLAINTEXT": self.port, **self.secure_ports}
        own = {
            **COMMON,
            "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in plain.items()),
            "advertised.listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in plain.items()),
            "inter.broker.listener.name": "PLAINTEXT", "log.dirs": self.folder / "data",
            "default.replication.factor": copies, "min.insync.replicas": insync,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies, "transaction.state.log.min.isr": insync,
        }
        if cluster.zookeeper:
            own |= {"broker.id": self.number, "zookeeper.connect": f"127.0.0.1:{cluster.zookeeper_port}/kafka",
                    "zookeeper.connection.timeout.ms": "18000"}
        else:
            own |= {"process.roles": "broker,controller", "node.id": self.number,
                    "controller.quorum.voters": ",".join(f"{b.number}@127.0.0.1:{b.controller_port}" for b in cluster.brokers),
                    "controller.listener.names": "CONTROLLER",
                    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,"
                                                      "SASL_PLAINTEXT:SASL_PLAINTEXT"}
            own["listeners"] += f",CONTROLLER://127.0.0.1:{self.controller_port}"
            if cluster.version.startswith("4"):
                own |= {"share.coordinator.state.topic.replication.factor": copies,
                        "share.coordinator.state.topic.min.isr": insync,
                        "share.coordinator.state.topic.num.partitions": "1"}
        if cluster.secure:
            own |= cluster.security()
        return {**own, **cluster.settings}

    def format(self):
        path = write_properties(self.folder / "server.properties", self.properties())
        if self.cluster.zookeeper:
            return
        scram = []
        if self.cluster.secure:
            for user, password in USERS.items():
                for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                    scram += ["--add-scram", f"{mechanism}=[name={user},password={password}]"]
        fetch.run(_java(self.cluster.cache, self.cluster.version, "kafka.tools.StorageTool", "format", "-t",
                        self.cluster.id, "-c", path, *scram, heap="128m"), timeout=120)

    def begin(self):
        """Start without waiting."""
        self.starts += 1
        self.process = Process(_java(self.cluster.cache, self.cluster.version, "kafka.Kafka",
                                     self.folder / "server.properties", heap=self.cluster.heap),
                               self.folder / f"log.{self.starts}", cwd=self.folder,
                               detached=self.cluster.detached)
        return self

    def ready(self):
        log = self.process.output()
        if not self.process.running():
            raise wait.Timeout(f"broker {self.number} ended:\n{log[-3000:]}")
        return "Kafka Server started" in log or "started (kafka.server.KafkaServer)" in log

    def start(self):
        self.begin()
        wait.until(self.ready, f"broker {self.number}", 120, 0.05)
        return self

    def kill(self):
        self.process.kill()

    def stop(self):
        if self.process and self.process.running():
            self.process.stop(60)


class Cluster:
    """
    heap is the brokers' -Xmx. settings go into each server.properties. secure adds three listeners: SSL (a client
    certificate is asked for), SASL_SSL and SASL_PLAINTEXT (PLAIN, SCRAM, OAUTHBEARER with unsecured tokens); .tls is then a
    folder with ca.pem, client.pem, client.key, client.p12, client.jks and truststore.jks (password "changeit"). detached
    brokers outlive us.
    """

    def __init__(self, folder, cache, version="3.9.2", brokers=1, zookeeper=False, secure=False, settings=None, heap="512m",
                 detached=False):
        self.folder, self.cache, self.version = pathlib.Path(folder).resolve(), cache, version
        self.zookeeper, self.secure, self.heap, self.detached = zookeeper, secure, heap, detached
        self.settings = settings or {}
        self.id = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "A")
        self.tls = self.folder / "tls"
        self.zookeeper_process, self.zookeeper_port = None, free_port() if zookeeper else None
        self.brokers = [Broker(self, number) for number in range(1, brokers + 1)]

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{broker.port}" for broker in self.brokers)

    @property
    def listeners(self):
        names = ("PLAINTEXT", *self.brokers[0].secure_ports)
        return {name: ",".join(f"127.0.0.1:{b.secure_ports.get(name, b.port)}" for b in self.brokers) for name in names}

    def security(self):
        plain = {f"user_{user}": password for user, password in USERS.items()}
        own = {"ssl.keystore.type": "PKCS12", "ssl.keystore.location": self.tls / "server.p12",
               "ssl.keystore.password": "changeit", "ssl.key.password": "changeit",
               "ssl.truststore.type": "PEM", "ssl.truststore.location": self.tls / "ca.pem",
               "listener.name.ssl.ssl.client.auth": "required"}
        for name in ("sasl_ssl", "sasl_plaintext"):
            prefix = f"listener.name.{name}"
            own |= {
                f"{prefix}.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
                f"{prefix}.plain.sasl.jaas.config": _jaas("plain.PlainLoginModule", **plain),
                f"{prefix}.scram-sha-256.sasl.jaas.config": _jaas("scram.ScramLoginModule"),
                f"{prefix}.scram-sha-512.sasl.jaas.config": _jaas("scram.ScramLoginModule"),
                f"{prefix}.oauthbearer.sasl.jaas.config":
                    _jaas("oauthbearer.OAuthBearerLoginModule", unsecuredLoginStringClaim_sub="server"),
            }
        return own

    def _certificates(self):
        """An authority, a server and a client, in every form that users keep them in."""
        authority = Authority(self.tls).sign("server", "client")
        for name in ("server", "client"):
            authority.pkcs12(name, "changeit")
        authority.jks("client", "changeit")
        authority.trust("truststore.jks", "JKS", "changeit")

    def _start_zookeeper(self):
        path = write_properties(self.folder / "zookeeper/zoo.cfg", {
            "dataDir": self.folder / "zookeeper/data", "clientPort": self.zookeeper_port,
            "clientPortAddress": "127.0.0.1", "admin.enableServer": "false", "maxClientCnxns": "0", "tickTime": "2000",
            "4lw.commands.whitelist": "ruok"})
        self.zookeeper_process = Process(
            _java(self.cache, self.version, "org.apache.zookeeper.server.quorum.QuorumPeerMain", path, heap="128m"),
            self.folder / "zookeeper/log")

        def imok():
            with socket.create_connection(("127.0.0.1", self.zookeeper_port), 1) as link:
                link.sendall(b"ruok")
                return link.recv(4) == b"imok"
        wait.until(imok, "ZooKeeper", 60, 0.05)

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        jars(self.cache, self.version)
        if self.secure:
            self._certificates()
        if self.zookeeper:
            self._start_zookeeper()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(Broker.format, self.brokers))
        for broker in self.brokers:  # one alone never becomes ready: there is no quorum
            broker.begin()
        for broker in self.brokers:
            wait.until(broker.ready, f"broker {broker.number}", 120, 0.05)
        for broker in self.brokers:
            wait.until(lambda: f" {len(self.brokers)} brokers:" in self.kcat("-L", "-m", "5", at=f"127.0.0.1:{broker.port}"),
                       "all brokers to know each other", 60)
        return self

    def kcat(self, *arguments, given=None, at=None):
        """Run kcat against the cluster; its output."""
        return subprocess.run(["kcat", "-b", at or self.bootstrap, *arguments], input=given, stdout=subprocess.PIPE, text=True,
                              check=True, timeout=60).stdout

    def coordinator(self, group):
        """Number of the broker that coordinates the group."""
        partitions = next(t["partitions"] for t in json.loads(self.kcat("-L", "-J"))["topics"] if t["topic"] == "__consumer_offsets")
        hashed = 0
        for letter in group:
            hashed = (31 * hashed + ord(letter)) & 0xffffffff  # Java's, of which Kafka leaves out the sign
        return next(p["leader"] for p in partitions if p["partition"] == (hashed & 0x7fffffff) % len(partitions))

    def controller(self):
        """Number of the broker that leads the controllers (KRaft): as the logs tell, for a client is told anyone."""
        logs = "".join(log.read_text(errors="replace") for b in self.brokers for log in b.folder.glob("log.*"))
        epochs = re.findall(r"In the new epoch (\d+), the leader is (\d+)", logs)
        return max((int(epoch), int(leader)) for epoch, leader in epochs)[1]

    def stop(self):
        """All at once: the last of a quorum would wait for the others."""
        running = [b for b in self.brokers if b.process and b.process.running()]
        for broker in running:
            broker.process.signal(signal.SIGCONT)
            broker.process.signal(signal.SIGTERM)
        for broker in running:
            try:
                broker.process.child.wait(15)
            except subprocess.TimeoutExpired:
                broker.process.kill()
        if self.zookeeper_process:
            self.zookeeper_process.kill()

    def kill(self):
        for broker in self.brokers:
            if broker.process:
                broker.process.kill()
        if self.zookeeper_process:
            self.zookeeper_process.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def run(self, main, *arguments):
        """Run a command-line tool by its class; its output."""
        return fetch.run(_java(self.cache, self.version, main, "--bootstrap-server", self.bootstrap, *arguments,
                               heap="128m"), timeout=120)

    def tool(self, name, *arguments):
        """The same for a class of org.apache.kafka.tools, e.g. tool("TopicCommand", "--list")."""
        return self.run(f"org.apache.kafka.tools.{name}", *arguments)


class Connect:
    """
    A worker of Kafka Connect. plugins: folders of jars that lie side by side under plugin.path. settings override the
    worker's properties; standalone takes connector files.
    """

    def __init__(self, folder, cache, bootstrap, version="3.9.2", group="connect-1", standalone=False, connectors=(),
                 plugin_path=None, settings=None, heap="512m"):
        self.folder, self.cache, self.version, self.heap = pathlib.Path(folder).resolve(), cache, version, heap
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.standalone, self.connectors = standalone, connectors
        self.starts = 0
        converter = "org.apache.kafka.connect.json.JsonConverter"
        self.properties = {
            "bootstrap.servers": bootstrap, "key.converter": converter, "value.converter": converter,
            "offset.flush.interval.ms": "500", "listeners": self.url, "rest.advertised.host.name": "127.0.0.1",
            "rest.advertised.port": self.port, "plugin.discovery": "service_load",
        }
        if plugin_path:
            self.properties["plugin.path"] = plugin_path
        if standalone:
            self.properties["offset.storage.file.filename"] = self.folder / "offsets"
        else:
            self.properties |= {"group.id": group, "scheduled.rebalance.max.delay.ms": "0"}
            for kind in ("config", "offset", "status"):
                plural = {"config": "configs", "offset": "offsets", "status": "status"}[kind]
                self.properties |= {f"{kind}.storage.topic": f"connect-{plural}", f"{kind}.storage.replication.factor": "-1"}
            self.properties |= {"offset.storage.partitions": "5", "status.storage.partitions": "3"}
        self.properties |= settings or {}
        self.process = None

    def start(self):
        self.starts += 1
        path = write_properties(self.folder / "worker.properties", self.properties)
        main = "ConnectStandalone" if self.standalone else "ConnectDistributed"
        self.process = Process(_java(self.cache, self.version, f"org.apache.kafka.connect.cli.{main}", path, *self.connectors,
                                     heap=self.heap), self.folder / f"log.{self.starts}", cwd=self.folder)

        def answers():
            if not self.process.running():
                raise AssertionError(f"Connect ended:\n{self.process.output()[-3000:]}")
            return self.call("GET", "/connectors") is not None
        wait.until(answers, "Connect", 120, 0.1)
        return self

    def call(self, method, path, body=None):
        """A request to the REST API; its JSON, or None when there is none."""
        request = urllib.request.Request(self.url + path, method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def stop(self):
        if self.process and self.process.running():
            self.process.stop(60)

    def kill(self):
        if self.process:
            self.process.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
