# SPDX-License-Identifier: Apache-2.0
"""Kafka's JsonConverter, AvroData and Avro's Java library judge our converters: the same text, the same bytes."""
import json
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "registry"))

import schema_pairs  # noqa: E402


def jars(cache):
    folder = cache / "converters"
    if not any(folder.glob("apicurio-*.jar")):
        subprocess.run(["mvn", "-B", "-q", "-ntp", f"-Dmaven.repo.local={cache}/m2",
                        "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
                        f"-DoutputDirectory={folder}", "-DincludeScope=runtime"], cwd=HERE, check=True, timeout=600)
    return folder


@pytest.fixture(scope="module")
def judge(cache, tmp_path_factory):
    """Run Converters.java with arguments; its last line of numbers, and all of it for the message."""
    folder = jars(cache)
    classes = tmp_path_factory.mktemp("classes")
    subprocess.run(["javac", "-cp", f"{folder}/*", "-d", classes, HERE / "Converters.java"], check=True, timeout=120)

    def run(*arguments, given=None):
        judged = subprocess.run(["java", "-cp", f"{classes}:{folder}/*", "Converters", *arguments], input=given, check=True,
                                timeout=300, stdout=subprocess.PIPE).stdout.decode()
        return [int(number) for number in re.findall(r"\d+", judged.splitlines()[-1])], judged
    return run


OPTIONS = [[], ["enhanced.avro.schema.support"], ["connect.meta.data=false"]]


@pytest.mark.parametrize("options", OPTIONS, ids=["usual", "enhanced", "bare"])
def test_generated_schemas_and_values_come_out_the_same(build, judge, options):
    ours = subprocess.run([build / "tests/unit/codec/converter-dump", "99", "3000", *options], check=True, timeout=60,
                          stdout=subprocess.PIPE)
    (schemas, values, differences), judged = judge(*options, given=ours.stdout)
    assert schemas == 3000 and values > 1000
    assert differences == 0, judged


@pytest.mark.parametrize("options", OPTIONS, ids=["usual", "enhanced", "bare"])
def test_avro_schemas_of_others_are_read_the_same(build, judge, tmp_path, options):
    """Apicurio's AvroData is older than Confluent's: it flattens no unions and overlooks parameters of fields, and
    defaults of any but a union's first branch."""
    asked, answered = tmp_path / "schemas", tmp_path / "answers"
    asked.write_text("".join(f"{reader}\n" for reader, _ in schema_pairs.pairs(51, 3000)
                             if not schema_pairs.has_odd_default(json.loads(reader))).replace(
        ', "connect.parameters": {"scale": "2"}', ""))
    with asked.open() as questions, answered.open("w") as answers:
        subprocess.run([build / "tests/unit/codec/converter-dump", "read", *options, "flatten.singleton.unions=false"],
                       stdin=questions, stdout=answers, check=True, timeout=60)
    (read, refused, differences), judged = judge("read", asked, answered, *options)
    assert read > 2500 and refused < 1000
    assert differences == 0, judged
