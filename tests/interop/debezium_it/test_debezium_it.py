# SPDX-License-Identifier: Apache-2.0
"""Debezium's own SQL Server integration tests, from its published test jar, run against the simulator."""
import csv
import os
import pathlib
import shutil
import subprocess

import pytest

from harness import sqlserver
from harness.java import QUICKLY

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def runner(build, cache):
    """Our small runner, built beside Debezium's jars."""
    folder = build.parent / "interop/debezium-it"
    shutil.rmtree(folder / "src", ignore_errors=True)
    shutil.copytree(HERE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    if not (folder / "target/dependency").is_dir():
        subprocess.run(["mvn", "-B", "-q", f"-Dmaven.repo.local={cache}/m2", "package"], cwd=folder, check=True,
                       stdin=subprocess.DEVNULL, timeout=900)
    return folder


def run_tests(runner, tmp_path, build, selection, seconds, options=()):
    server = sqlserver.SqlServer(tmp_path / "sqlserver", build, capture_interval_ms=100)
    server.password = "Password!"
    server.start()
    try:
        done = subprocess.run(
            ["./run-it.sh", server.host, str(server.port), server.user, server.password, selection], cwd=runner,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds,
            check=False, env={**os.environ, "IT_WORK": str(tmp_path / "work"), "IT_TIMEOUT": "120",
                                     "IT_JAVA_OPTS": " ".join([*QUICKLY, *options])})
    finally:
        server.stop()
    results = list(csv.reader((tmp_path / "work/results.tsv").open(), delimiter="\t", quoting=csv.QUOTE_NONE))
    return done, results


def passed(results):
    return {f"{r[0].rsplit('.', 1)[-1]}#{r[1]}" for r in results if r[2] == "PASS"}


def test_the_starter_list_passes(runner, tmp_path, build):
    done, results = run_tests(runner, tmp_path, build, "@starter.txt", 1500)
    wanted = {line.strip() for line in (HERE / "starter.txt").read_text().splitlines() if line.strip()}
    missing = wanted - passed(results)
    if missing:  # they wait two seconds for a record, which a busy machine may not keep: once more, with ten
        again = tmp_path / "again"
        again.mkdir()
        done, results = run_tests(runner, again, build, ",".join(sorted(missing)), 900, ["-Ddebezium.test.records.waittime=10"])
        missing -= passed(results)
    assert not missing, f"{len(missing)} of {len(wanted)} did not pass: {sorted(missing)}\n{done.stdout[-6000:]}"


@pytest.mark.full
def test_the_whole_suite_is_run_and_its_table_kept(runner, tmp_path, build, out):
    done, results = run_tests(runner, tmp_path, build, "*", 4 * 3600)
    (out / "debezium-it.txt").write_text(done.stdout)
    assert len(results) >= 218, f"only {len(results)} tests ran\n{done.stdout[-3000:]}"
