# SPDX-License-Identifier: Apache-2.0
"""KAFKA=1: the demo's log is a real Kafka broker, one for all parts; gone at the end, unless KEEP=1 keeps it."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import kafka
from show import KEEP, ROOT, say

ASKED = os.environ.get("KAFKA", "") not in ("", "0")
_running = {}


def start():
    if not ASKED:
        return
    if subprocess.run([ROOT / "tools/install-deps", "--kafka"], stdin=subprocess.DEVNULL, check=False).returncode:
        raise SystemExit("KAFKA=1 needs a Java runtime, Maven and kcat, and they could not be installed")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice"
    cache.mkdir(parents=True, exist_ok=True)
    say("a Kafka broker starts (the first time, some 110 jars are fetched before)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-demo-kafka-"))
    cluster = kafka.Cluster(folder, cache, detached=KEEP).start()
    _running.update(folder=folder, cluster=cluster)
    say(f"Kafka {cluster.version} stands at {cluster.bootstrap}")


def stop():
    if not _running:
        return
    cluster = _running["cluster"]
    if KEEP:
        say(f"left running: Kafka {cluster.bootstrap}, pid {cluster.brokers[0].process.pid}, files {_running['folder']}")
        say(f"look at it: kcat -b {cluster.bootstrap} -L; stop it last: kill {cluster.brokers[0].process.pid}")
        return
    cluster.stop()
    shutil.rmtree(_running["folder"], ignore_errors=True)


def worker_lines(part):
    """What the worker's file says more than without Kafka; the connectors' files are the same."""
    if not _running:
        return ""
    return (f"bootstrap.servers={_running['cluster'].bootstrap}\ngroup.id=demo-{part}\n"
            f"config.storage.topic={part}-configs\noffset.storage.topic={part}-offsets\n"
            f"status.storage.topic={part}-status\n")


def topics_of(part):
    """What KEEP=1 tells of a part more than without Kafka."""
    if not _running:
        return ""
    return f", over Kafka {_running['cluster'].bootstrap} (group demo-{part})"
