#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""
make_golden.py BUILD LINE CLASSPATH [RUN ...]: record the golden data of a line of the connector, 1.2 or 2, anew (see README.md).
BUILD is a build folder of this tree, CLASSPATH the released connector with its dependencies and connect-json.
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
SWITCH_SECONDS = "100"  # it looks for new streams every half minute, and connects anew then


def record(name, server, classes, folder):
    properties, out = folder / f"{name}.properties", folder / f"{name}.jsonl"
    properties.write_text("".join(f"{k}={v}\n" for k, v in golden.settings(name, server).items()))
    done = subprocess.run(["java", "-Duser.timezone=UTC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
                           f"{folder}:{classes}", "EventRecorder", properties, out,
                           SWITCH_SECONDS if name.endswith("switch") else IDLE_SECONDS],
                          stdin=subprocess.DEVNULL, stderr=(folder / f"{name}.log").open("w"), timeout=900, check=False)
    events = [json.loads(line) for line in out.read_text().splitlines()]
    if done.returncode:
        raise SystemExit(f"{name}: exit {done.returncode}: {(folder / f'{name}.log').read_text()[-3000:]}")
    versions = {e["value"]["payload"]["source"]["version"] for e in events if e["value"]}
    version = golden.VERSIONS[golden.line(name)]
    if versions != {version}:
        raise SystemExit(f"{name}: this connector calls itself {versions}, wanted {version}")
    for event in events:
        golden.stop_clocks(event)
    golden.sort(events)
    return events


def main():
    build, line, classes = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    names = sys.argv[4:] or [name for name in golden.RUNS if golden.line(name) == line]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="golden-"))
    subprocess.run(["javac", "-cp", classes, "-d", folder, HERE / "EventRecorder.java"], check=True)
    server = golden.cluster(folder / "scylla", build)
    try:
        for name in names:
            tables = golden.RUNS[name][0]
            events = record(name, server, classes, folder)
            head = {"connector": "scylla-cdc-source-connector", "version": golden.VERSIONS[line],
                    "log": golden.log_hash(server, tables)}
            golden.path(name).parent.mkdir(exist_ok=True)
            golden.path(name).write_bytes(golden.pack(events, head))
            print(f"{name}: {len(events)} events, {golden.path(name).stat().st_size} bytes", flush=True)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
