# SPDX-License-Identifier: Apache-2.0
"""KAFKA=1: the demo's log is a real Kafka broker, one for each part (the parts' topics have
the same names); gone at the part's end, unless KEEP=1 keeps it."""
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness import kafka
from show import KEEP, ROOT, say

ASKED = os.environ.get("KAFKA", "") not in ("", "0")
_running = {}


def prepare():
    """What a broker needs, before the first part."""
    if ASKED and subprocess.run([ROOT / "tools/install-deps", "--kafka"], stdin=subprocess.DEVNULL, check=False).returncode:
        raise SystemExit("KAFKA=1 needs a Java runtime, Maven and kcat, and they could not be installed")


def start():
    if not ASKED:
        return
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice"
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "kafka-3.9.2").exists():
        say("fetching the Kafka broker's jars from Maven's registry, this once")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-demo-kafka-"))
    cluster = kafka.Cluster(folder, cache, detached=KEEP).start()
    _running.update(folder=folder, cluster=cluster)
    say(f"0. a Kafka broker {cluster.version}, at {cluster.bootstrap}")


def stop():
    if not _running:
        return
    cluster = _running["cluster"]
    if KEEP:
        pid = cluster.brokers[0].process.pid
        say(f"and Kafka at {cluster.bootstrap}: look at it with kcat -b {cluster.bootstrap} -L, stop it last with kill {pid}")
    else:
        cluster.stop()
        shutil.rmtree(_running["folder"], ignore_errors=True)
    _running.clear()


def worker_lines():
    """What the worker's file says more than without Kafka; the connectors' files are the same."""
    if not _running:
        return ""
    return (f"bootstrap.servers={_running['cluster'].bootstrap}\ngroup.id=demo\nconfig.storage.topic=connect-configs\n"
            f"offset.storage.topic=connect-offsets\nstatus.storage.topic=connect-status\n")
