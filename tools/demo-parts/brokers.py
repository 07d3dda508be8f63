# SPDX-License-Identifier: Apache-2.0
"""KAFKA=1: the demo's log is a real Kafka broker, one for all parts, gone at the end."""
import os
import pathlib
import shutil
import tempfile

from harness import kafka
from show import KEEP, say

ASKED = os.environ.get("KAFKA", "") not in ("", "0")
_running = {}


def start():
    if not ASKED:
        return
    if KEEP:
        raise SystemExit("KAFKA=1 and KEEP=1 do not go together: the broker ends with the demo")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "sluice"
    cache.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-demo-kafka-"))
    cluster = kafka.Cluster(folder, cache).start()
    _running.update(folder=folder, cluster=cluster)
    say(f"a Kafka broker {cluster.version} stands at {cluster.bootstrap}")


def stop():
    if _running:
        _running["cluster"].stop()
        shutil.rmtree(_running["folder"], ignore_errors=True)


def worker_lines(part):
    """What the worker's file says more than without Kafka; the connectors' files are the same."""
    if not _running:
        return ""
    return (f"bootstrap.servers={_running['cluster'].bootstrap}\ngroup.id=demo-{part}\n"
            f"config.storage.topic={part}-configs\noffset.storage.topic={part}-offsets\n"
            f"status.storage.topic={part}-status\n")
