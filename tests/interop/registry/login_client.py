# SPDX-License-Identifier: Apache-2.0
"""Confluent's Python client over HTTPS with a login: login_client.py URL CA USER:PASSWORD; prints what it got as JSON."""
import json
import sys

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

url, ca, login = sys.argv[1:]
SCHEMA = Schema('{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}', "AVRO")


def register(**settings):
    try:
        return SchemaRegistryClient({"url": url, "ssl.ca.location": ca, **settings}).register_schema("s-value", SCHEMA)
    except SchemaRegistryError as refused:
        return [refused.http_status_code, refused.error_code]


def untrusted():
    try:
        SchemaRegistryClient({"url": url, "basic.auth.user.info": login}).get_subjects()
    except Exception as refused:  # requests or httpx, as the release has it
        return "certificate" in str(refused).lower()
    return False


good = {"basic.auth.user.info": login}
print(json.dumps({"nobody": register(), "wrong": register(**{"basic.auth.user.info": login + "x"}), "id": register(**good),
                  "subjects": SchemaRegistryClient({"url": url, "ssl.ca.location": ca, **good}).get_subjects(),
                  "untrusted": untrusted()}))
