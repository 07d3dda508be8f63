# SPDX-License-Identifier: Apache-2.0
"""Avro's Java library judges which schemas read which: the same answers, with the same places and words."""
import pathlib
import re
import subprocess

from harness import fetch
from schema_pairs import pairs

HERE = pathlib.Path(__file__).resolve().parent


def avro(cache):
    """The class path of Avro's Java library."""
    pom = HERE / "avro"
    return fetch.once(cache / "registry-avro", (pom / "pom.xml").read_text(), lambda made: fetch.jars(pom, made, cache)) / "libs"


def test_generated_pairs_are_judged_the_same(build, cache, tmp_path):
    folder = avro(cache)
    asked = tmp_path / "pairs"
    answered = tmp_path / "answers"
    asked.write_text("".join(f"{reader}\t{writer}\n" for reader, writer in pairs(41, 5000)))
    with asked.open() as questions, answered.open("w") as answers:
        subprocess.run([build / "tests/unit/registry/compatibility-dump"], stdin=questions, stdout=answers, check=True,
                       timeout=60)
    subprocess.run(["javac", "-cp", f"{folder}/*", "-d", tmp_path, HERE / "Compatibility.java"], check=True, timeout=120)
    judged = subprocess.run(["java", "-cp", f"{tmp_path}:{folder}/*", "Compatibility", asked, answered], check=True,
                            timeout=300, stdout=subprocess.PIPE).stdout.decode()
    last = re.fullmatch(r"(\d+) pairs, (\d+) compatible, (\d+) refused, (\d+) differences", judged.splitlines()[-1])
    assert last, judged
    assert int(last[1]) == 5000 and int(last[2]) > 1000
    assert int(last[4]) == 0, judged
