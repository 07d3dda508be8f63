#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
make_golden.py BUILD CLASSPATH [RUN ...]: record the golden data anew (see README.md). BUILD is a build folder of this tree,
CLASSPATH the released connector with its dependencies and connect-json.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent)]

import golden  # noqa: E402

IDLE_SECONDS = "25"  # connecting takes it some ten seconds, and every window up to today is asked for


def record(name, server, classes, folder):
    properties, out = folder / f"{name}.properties", folder / f"{name}.jsonl"
    properties.write_text("".join(f"{k}={v}\n" for k, v in golden.settings(name, server).items()))
    done = subprocess.run(["java", "-Duser.timezone=UTC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
                           f"{folder}:{classes}", "EventRecorder", properties, out, IDLE_SECONDS],
                          stdin=subprocess.DEVNULL, stderr=(folder / f"{name}.log").open("w"), timeout=900, check=False)
    events = [json.loads(line) for line in out.read_text().splitlines()]
    if done.returncode:
        raise SystemExit(f"{name}: exit {done.returncode}: {(folder / f'{name}.log').read_text()[-3000:]}")
    versions = {e["value"]["payload"]["source"]["version"] for e in events if e["value"]}
    if not versions <= {golden.VERSION}:
        raise SystemExit(f"{name}: this connector calls itself {versions}, wanted {golden.VERSION}")
    for event in events:
        golden.stop_clocks(event)
    # The order of events between streams is not fixed: kept by topic and stream, each in its own order.
    events.sort(key=lambda e: (e["topic"], e["sourceOffset"].get("change_id_stream_id", "")))
    return events


def main():
    build, classes, names = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:] or list(golden.RUNS)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="golden-"))
    subprocess.run(["javac", "-cp", classes, "-d", folder, HERE / "EventRecorder.java"], check=True)
    server = golden.cluster(folder / "scylla", build)
    try:
        for name in names:
            tables = golden.RUNS[name][0]
            events = record(name, server, classes, folder)
            head = {"connector": "scylla-cdc-source-connector", "version": golden.VERSION,
                    "log": golden.log_hash(server, tables)}
            golden.path(name).parent.mkdir(exist_ok=True)
            golden.path(name).write_bytes(golden.pack(events, head))
            print(f"{name}: {len(events)} events, {golden.path(name).stat().st_size} bytes", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
