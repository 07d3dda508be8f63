# SPDX-License-Identifier: Apache-2.0
"""Run by a Python that has confluent-kafka: its registry client and Avro serializers against the registry at argv[1].
Prints one JSON object with what it saw; every call is the client's own."""
import json
import sys

from confluent_kafka.schema_registry import (ConfigCompatibilityLevel, Schema, SchemaReference, SchemaRegistryClient,
                                             ServerConfig)
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import MessageField, SerializationContext

ONE = '{"type": "record", "name": "P", "fields": [{"name": "a", "type": "int"}]}'
TWO = '{"type":"record","name":"P","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null}]}'
BAD = '{"type":"record","name":"P","fields":[{"name":"a","type":"int"},{"name":"c","type":"string"}]}'
PART = '{"type":"record","name":"Part","namespace":"shop","fields":[{"name":"n","type":"long"}]}'
WHOLE = '{"type":"record","name":"Whole","namespace":"shop","fields":[{"name":"part","type":"shop.Part"}]}'


def refused(call, *arguments):
    try:
        call(*arguments)
    except SchemaRegistryError as error:
        return [error.http_status_code, error.error_code, error.error_message]
    return None


def main():
    client = SchemaRegistryClient({"url": sys.argv[1]})
    seen = {}
    value = SerializationContext("people", MessageField.VALUE)
    serialize = AvroSerializer(client, ONE)
    seen["bytes"] = serialize({"a": 7}, value).hex()
    seen["two bytes"] = AvroSerializer(client, TWO)({"a": 7, "b": "x"}, value).hex()
    seen["back"] = AvroDeserializer(SchemaRegistryClient({"url": sys.argv[1]}))(bytes.fromhex(seen["two bytes"]), value)
    seen["other subject"] = client.register_schema("other-value", Schema(ONE, "AVRO"))
    seen["versions"] = client.get_versions("people-value")
    seen["latest"] = client.get_latest_version("people-value").version
    seen["compatible"] = client.test_compatibility("people-value", Schema(TWO, "AVRO"))
    seen["incompatible"] = client.test_compatibility("people-value", Schema(BAD, "AVRO"))
    seen["refused"] = refused(client.register_schema, "people-value", Schema(BAD, "AVRO"))
    seen["lookup"] = client.lookup_schema("people-value", Schema(ONE, "AVRO")).version
    seen["no subject"] = refused(client.get_latest_version, "nobody")
    seen["no schema"] = refused(client.get_schema, 4711)
    seen["config"] = client.get_config().compatibility_level
    client.set_config("people-value", ServerConfig(compatibility=ConfigCompatibilityLevel.NONE))
    seen["own config"] = client.get_config("people-value").compatibility_level
    seen["now allowed"] = client.register_schema("people-value", Schema(BAD, "AVRO"))
    client.register_schema("parts", Schema(PART, "AVRO"))
    reference = SchemaReference("shop.Part", "parts", 1)
    whole = Schema(WHOLE, "AVRO", [reference])
    seen["with reference"] = client.register_schema("wholes-value", whole)
    context = SerializationContext("wholes", MessageField.VALUE)
    framed = AvroSerializer(client, whole)({"part": {"n": 5}}, context)
    seen["reference bytes"] = framed.hex()
    seen["reference back"] = AvroDeserializer(client)(framed, context)
    seen["referenced"] = refused(client.delete_version, "parts", 1)
    seen["deleted"] = client.delete_version("people-value", 1)
    seen["versions after"] = client.get_versions("people-value")
    seen["deleted for ever"] = client.delete_version("people-value", 1, True)
    seen["deleted subject"] = sorted(client.delete_subject("people-value"))
    seen["subjects"] = sorted(client.get_subjects())
    fresh = SchemaRegistryClient({"url": sys.argv[1]})
    seen["again"] = fresh.register_schema("people-value", Schema(TWO, "AVRO"))
    print(json.dumps(seen))


main()
