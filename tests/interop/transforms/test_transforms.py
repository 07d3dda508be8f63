# SPDX-License-Identifier: Apache-2.0
"""Kafka's and Debezium's own transforms judge ours: the same records in, the same records out."""
import collections
import json
import pathlib
import subprocess

import pytest

import expressions
import generate
import names_and_zones
import reasons
from harness import fetch, java

HERE = pathlib.Path(__file__).resolve().parent
RELEASES = {"2.5": ("2.5.4.Final", "3.6.1"), "3.5": ("3.5.0.Final", "3.9.2")}  # Debezium, Kafka
JAVA = [*java.JAVA, "-Duser.timezone=UTC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"]


@pytest.fixture(scope="session")
def classes(cache, tmp_path_factory):
    """A function: the class path for a release, ours compiled against it."""
    made = {}

    def class_path(release):
        if release not in made:
            debezium, kafka = RELEASES[release]
            folder = cache / f"transforms-{debezium}-{kafka}"
            fetch.once(folder, (HERE / "pom.xml").read_text(), lambda folder: fetch.run(
                ["mvn", "-B", "-q", "-ntp", f"-Dmaven.repo.local={cache}/m2", f"-Ddebezium={debezium}", f"-Dkafka={kafka}",
                 "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
                 f"-DoutputDirectory={folder}", "-DincludeScope=runtime"], cwd=HERE))
            out = tmp_path_factory.mktemp(f"classes-{release}")
            subprocess.run(["javac", "-nowarn", "-cp", f"{folder}/*", "-d", out, HERE / "Transforms.java", HERE / "Recorder.java"],
                           check=True, timeout=120)
            made[release] = f"{out}:{folder}/*"
        return made[release]
    return class_path


def by_case(text):
    """The printed lines of each case, under its "# " line."""
    cases = {}
    for line in text.split("\n"):
        if line.startswith("# "):
            lines = cases.setdefault(line[2:], [])
        elif line:
            lines.append(line)
    return cases


def run(command, timeout):
    return by_case(subprocess.run(command, check=True, timeout=timeout, stdout=subprocess.PIPE).stdout.decode())


@pytest.mark.parametrize("release", RELEASES)
def test_the_original_transform_gives_the_same_records(build, classes, release):
    theirs = run([*JAVA, "-cp", classes(release), "Transforms", release, HERE / "cases.txt"], 120)
    assert len(theirs) > 5
    assert run([build / "tests/unit/transform/transform-dump", release, HERE / "cases.txt"], 60) == theirs


def outcome(line):
    """A line without what each side says about its failures."""
    return line.split("\t")[0] if line.startswith(("fail\t", "refused\t")) else line


def compare(build, class_path, path, cases):
    """Unexplained differences, and how often each reason explained one; what happened, by class."""
    generate.write(path, cases)
    theirs = run([*JAVA, "-cp", class_path, "Recorder", path], 300)
    ours = run([build / "tests/unit/transform/transform-judge", path], 120)
    differences, explained, seen = [], collections.Counter(), collections.Counter()
    assert len(theirs) == len(ours) == len(cases)
    for number, case in enumerate(cases):
        for record, a, b in zip(case["records"], theirs[str(number)], ours[str(number)], strict=True):
            seen[case["class"].split("$")[0], "record" if '"' in a[:1] else outcome(a)] += 1
            if outcome(a) == outcome(b):
                continue
            reason = reasons.of(case, record, a, b)
            if reason:
                explained[reason] += 1
            else:
                differences.append(f"{case['class']} {json.dumps(case['config'])}\n  theirs {a[:600]}\n  ours   {b[:600]}\n"
                                   f"  record {json.dumps(record)[:800]}")
    return differences, explained, seen


def judge(build, class_path, path, cases):
    differences, explained, seen = compare(build, class_path, path, cases)
    print(f"{path.stem}: of {sum(seen.values())} records differences with a reason: {sum(explained.values())}")
    print("\n".join(f"{n:6} {reason}" for reason, n in explained.most_common()))
    assert not differences, f"{len(differences)} of {sum(seen.values())}:\n" + "\n".join(differences[:10])
    for name in {case["class"].split("$")[0] for case in cases}:  # each class did its work, not only refuse
        if not name.endswith(".Filter"):
            assert any(seen[name, what] for what in ("record", "true", "false")), name


@pytest.mark.parametrize("seed", [1, 2])
def test_kafka_s_transforms_give_the_same_records(build, classes, tmp_path, seed):
    judge(build, classes("3.5"), tmp_path / "cases.jsonl", list(generate.kafka_cases(seed, 60)))


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("release", RELEASES)
def test_debezium_s_transforms_give_the_same_records(build, classes, tmp_path, release, seed):
    cases = list(generate.debezium_cases(seed, 120, old=release == "2.5"))
    judge(build, classes(release), tmp_path / "cases.jsonl", cases)


@pytest.mark.parametrize("seed", [1, 2])
def test_debezium_s_expressions_say_the_same(build, classes, tmp_path, seed):
    """Its Filter and its ContentBasedRouter run them as Groovy."""
    judge(build, classes("2.5"), tmp_path / "cases.jsonl", list(expressions.cases(seed, 250)))


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("release", RELEASES)
def test_debezium_s_zones_and_source_schemas_are_the_same(build, classes, tmp_path, release, seed):
    cases = list(names_and_zones.source_schema_cases(seed, 60))
    if release == "3.5":  # 2.5 did not yet move the times of the source block
        cases += names_and_zones.zone_cases(seed, 250)
    judge(build, classes(release), tmp_path / "cases.jsonl", cases)


@pytest.mark.parametrize("seed", [1, 2])
def test_names_are_those_that_debezium_s_jdbc_sink_makes(build, classes, tmp_path, seed):
    judge(build, classes("3.5"), tmp_path / "cases.jsonl", list(names_and_zones.name_cases(seed, 120)))
