# SPDX-License-Identifier: Apache-2.0
"""Kafka's JsonConverter, AvroData and Avro's Java library judge our converters: the same text, the same bytes."""
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def jars(cache):
    folder = cache / "converters"
    if not any(folder.glob("apicurio-*.jar")):
        subprocess.run(["mvn", "-B", "-q", "-ntp", f"-Dmaven.repo.local={cache}/m2",
                        "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
                        f"-DoutputDirectory={folder}", "-DincludeScope=runtime"], cwd=HERE, check=True, timeout=600)
    return folder


def test_generated_schemas_and_values_come_out_the_same(build, cache, tmp_path):
    folder = jars(cache)
    subprocess.run(["javac", "-cp", f"{folder}/*", "-d", tmp_path, HERE / "Converters.java"], check=True, timeout=120)
    ours = subprocess.run([build / "tests/unit/codec/converter-dump", "99", "3000"], check=True, timeout=60,
                          stdout=subprocess.PIPE)
    judged = subprocess.run(["java", "-cp", f"{tmp_path}:{folder}/*", "Converters"], input=ours.stdout, check=True,
                            timeout=300, stdout=subprocess.PIPE).stdout.decode()
    last = re.fullmatch(r"(\d+) schemas, (\d+) values, (\d+) differences", judged.splitlines()[-1])
    assert last, judged
    assert int(last[1]) == 3000 and int(last[2]) > 1000
    assert int(last[3]) == 0, judged
