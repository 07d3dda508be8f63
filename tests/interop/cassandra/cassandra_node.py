# SPDX-License-Identifier: Apache-2.0
"""A real Apache Cassandra 5.0 of one node on this machine: fetched from Maven, started, stopped."""
import os
import pathlib
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time

from harness.java import JAVA

VERSION = "5.0.9"
HERE = pathlib.Path(__file__).resolve().parent

# What Cassandra's own start script gives Java 17.
OPENED = """java.base/java.lang.module java.base/java.net java.base/jdk.internal.loader java.base/jdk.internal.ref
java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module java.base/jdk.internal.util.jar
jdk.management/com.sun.management.internal java.base/sun.nio.ch java.base/java.io java.base/java.lang
java.base/java.lang.reflect java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic
java.base/java.nio java.rmi/sun.rmi.transport.tcp""".split()
EXPORTED = """java.base/jdk.internal.misc java.base/jdk.internal.ref java.base/sun.nio.ch
java.management.rmi/com.sun.jmx.remote.internal.rmi java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.sql/java.sql
java.rmi/sun.rmi.transport""".split()

LOGBACK = """<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level [%thread] %date{ISO8601} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="STDOUT"/></root>
</configuration>
"""


def libraries(cache):
    """The server's jars, downloaded once."""
    folder = cache / f"cassandra-{VERSION}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["mvn", "-B", "-q", "-ntp", f"-Dmaven.repo.local={cache}/m2", "-f", str(HERE / "pom.xml"),
                        "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
                        f"-DoutputDirectory={folder}/libs", "-DincludeScope=runtime"], check=True, timeout=600)
        (folder / "complete").touch()
    return folder / "libs"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cassandra:
    """One node. settings: extra lines of cassandra.yaml."""

    def __init__(self, libs, folder, settings="", client=None):
        """client: a folder with client.pem and client.key, where the server asks for a certificate."""
        self.libs, self.folder, self.client = libs, folder, client
        self.port, self.storage_port = free_port(), free_port()
        self.process = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "logback.xml").write_text(LOGBACK)
        (folder / "cassandra.yaml").write_text(self.configuration(settings))

    def configuration(self, settings):
        f = self.folder
        return f"""cluster_name: sluice
num_tokens: 4
allocate_tokens_for_local_replication_factor: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:{self.storage_port}"
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: {self.storage_port}
start_native_transport: true
native_transport_port: {self.port}
endpoint_snitch: SimpleSnitch
role_manager: CassandraRoleManager
data_file_directories: [{f}/data]
commitlog_directory: {f}/commitlog
saved_caches_directory: {f}/saved_caches
hints_directory: {f}/hints
cdc_enabled: false
cdc_raw_directory: {f}/cdc_raw
commitlog_sync: periodic
commitlog_sync_period: 10000ms
commitlog_segment_size: 4MiB
commitlog_total_space: 64MiB
disk_failure_policy: stop
commit_failure_policy: stop
auto_snapshot: false
auto_bootstrap: false
hinted_handoff_enabled: false
concurrent_reads: 8
concurrent_writes: 8
concurrent_counter_writes: 8
concurrent_compactors: 1
memtable_heap_space: 32MiB
memtable_offheap_space: 32MiB
memtable_flush_writers: 1
file_cache_size: 16MiB
networking_cache_size: 8MiB
key_cache_size: 0MiB
counter_cache_size: 0MiB
native_transport_max_threads: 16
dynamic_snitch: false
batch_size_fail_threshold: 640KiB
batch_size_warn_threshold: 64KiB
{settings}
"""

    def start(self):
        java = [*JAVA, "-Xms256m", "-Xmx512m", "-Xss512k", "-XX:-UsePerfData",
                f"-javaagent:{self.libs}/jamm-0.4.0.jar", "-Djdk.attach.allowAttachSelf=true"]
        for module in EXPORTED:
            java += ["--add-exports", f"{module}=ALL-UNNAMED"]
        for module in OPENED:
            java += ["--add-opens", f"{module}=ALL-UNNAMED"]
        java += [f"-Dcassandra.config=file://{self.folder}/cassandra.yaml", f"-Dcassandra.storagedir={self.folder}",
                 f"-Dlogback.configurationFile=file://{self.folder}/logback.xml", "-Dcassandra-foreground=yes",
                 "-Dcassandra.skip_wait_for_gossip_to_settle=0", "-Dcassandra.ring_delay_ms=0",
                 "-Dcassandra.superuser_setup_delay_ms=0", "-Dcassandra.unsafesystem=true",
                 "-Djava.net.preferIPv4Stack=true", "-Dio.netty.tryReflectionSetAccessible=true", "-Djna.nosys=true",
                 "-cp", f"{self.libs}/*", "org.apache.cassandra.service.CassandraDaemon"]
        with open(self.folder / "out.log", "ab") as log:
            self.process = subprocess.Popen(java, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait_ready()
        return self

    def answers(self):
        """OPTIONS is answered with SUPPORTED."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as plain:
                plain.settimeout(3)
                s = plain
                if self.client:
                    context = ssl._create_unverified_context()
                    context.load_cert_chain(self.client / "client.pem", self.client / "client.key")
                    s = context.wrap_socket(plain)
                s.sendall(struct.pack(">BBhBi", 4, 0, 0, 5, 0))
                head = b""
                while len(head) < 9:
                    more = s.recv(65536)
                    if not more:
                        return False
                    head += more
                return head[4] == 6
        except OSError:
            return False

    def wait_ready(self, limit=120):
        end = time.monotonic() + limit
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"Cassandra did not come up; see {self.folder}/out.log\n"
                                   + (self.folder / "out.log").read_text(errors="replace")[-2000:])
            time.sleep(0.1)

    def pause(self):
        os.kill(self.process.pid, signal.SIGSTOP)
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            while (task / "stat").read_text().rsplit(")", 1)[1].split()[0] != "T":
                time.sleep(0.01)

    def go_on(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def shut_down(self):
        self.process.terminate()
        self.process.wait(timeout=60)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.go_on()
            self.kill()  # its data is thrown away
