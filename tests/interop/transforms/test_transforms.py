# SPDX-License-Identifier: Apache-2.0
"""Debezium's own ExtractNewRecordState, of both releases, judges ours: the same events in, the same records out."""
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
RELEASES = {"2.5": "2.5.4.Final", "3.5": "3.5.0.Final"}


def by_case(text):
    """The printed lines of each case, under its "# " line."""
    cases = {}
    for line in text.splitlines():
        if line.startswith("# "):
            lines = cases.setdefault(line[2:], [])
        else:
            lines.append(line)
    return cases


def jars(cache, version):
    folder = cache / f"transforms-{version}"
    if not any(folder.glob("debezium-*.jar")):
        subprocess.run(["mvn", "-B", "-q", "-ntp", f"-Dmaven.repo.local={cache}/m2", f"-Ddebezium={version}",
                        "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
                        f"-DoutputDirectory={folder}", "-DincludeScope=runtime"], cwd=HERE, check=True, timeout=600)
    return folder


def original(cache, tmp_path, release):
    folder = jars(cache, RELEASES[release])
    subprocess.run(["javac", "-cp", f"{folder}/*", "-d", tmp_path, HERE / "Transforms.java"], check=True, timeout=120)
    done = subprocess.run(["java", "-cp", f"{tmp_path}:{folder}/*", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                           "Transforms", release, HERE / "cases.txt"], check=True, timeout=120, text=True,
                          stdout=subprocess.PIPE)
    return by_case(done.stdout)


def ours(build, release):
    done = subprocess.run([build / "tests/unit/transform/transform-dump", release, HERE / "cases.txt"], check=True,
                          timeout=60, text=True, stdout=subprocess.PIPE)
    return by_case(done.stdout)


@pytest.mark.parametrize("release", RELEASES)
def test_the_original_transform_gives_the_same_records(build, cache, tmp_path, release):
    theirs = original(cache, tmp_path, release)
    assert len(theirs) > 5
    assert ours(build, release) == theirs
