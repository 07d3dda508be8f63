# SPDX-License-Identifier: Apache-2.0
"""Run by a Python that has confluent-kafka: BOOTSTRAP REGISTRY TOPIC reads the topic to its end with AvroDeserializer,
then writes one record to TOPIC-python with AvroSerializer. Prints one JSON object."""
import json
import sys
import uuid

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

SCHEMA = '{"type":"record","name":"P","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null}]}'


def records(bootstrap, topic):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": str(uuid.uuid4()), "auto.offset.reset": "earliest",
                         "enable.partition.eof": True, "isolation.level": "read_committed"})
    consumer.subscribe([topic])
    while True:
        message = consumer.poll(20)
        if message is None:
            raise SystemExit(f"no end of {topic}")
        if message.error():
            if message.error().code() == KafkaError._PARTITION_EOF:
                break
            raise SystemExit(str(message.error()))
        yield message
    consumer.close()


def main(bootstrap, registry, topic):
    client = SchemaRegistryClient({"url": registry})
    read = AvroDeserializer(client)
    keys, values = [], []
    for message in records(bootstrap, topic):
        keys.append(read(message.key(), SerializationContext(topic, MessageField.KEY)))
        values.append(read(message.value(), SerializationContext(topic, MessageField.VALUE)))
    schemas = [(json.loads(m.key()), json.loads(m.value()) if m.value() else None) for m in records(bootstrap, "_schemas")]
    other = topic + "-python"
    framed = AvroSerializer(client, SCHEMA)({"a": 7, "b": "x"}, SerializationContext(other, MessageField.VALUE))
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(other, framed)
    producer.flush()
    print(json.dumps({"keys": keys, "values": values, "schemas": schemas, "framed": framed.hex()}, default=str))


main(*sys.argv[1:])
