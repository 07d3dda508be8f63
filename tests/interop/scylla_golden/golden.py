# SPDX-License-Identifier: Apache-2.0
"""
The runs of the golden data: which tables are read with which settings; the simulator that holds the workload; and
the form in which events are kept, with each schema once.
"""
import datetime
import gzip
import hashlib
import json
import pathlib

import statements
from harness import scylla

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = {"1.2": "1.2.2", "2": "2.0.3"}  # of each line of the connector, the release that was recorded
WINDOW_MS = 24 * 86400_000  # all that is written lies in the first one
EVERYWHERE = "kafka-key,payload-after,payload-before,payload-key,kafka-headers"
PLAIN = ("vn.types_all", "vn.typed_keys", "vn.plain", "vn.collections")
IMAGES = ("vn.types_images", "vn.images", "vn.solo", "vn.collections_images", "vn.statics", "vn.gaps")
ADVANCED = {"cdc.output.format": "advanced", "cdc.include.primary-key.placement": "kafka-key,payload-after,payload-before"}
FULL = {**ADVANCED, "cdc.include.before": "full", "cdc.include.after": "full"}

RUNS = {
    "legacy": (PLAIN + IMAGES, {"cdc.output.format": "legacy"}),
    "legacy-preimages": (IMAGES + ("vn.before_only",),
                         {"cdc.output.format": "legacy", "experimental.preimages.enabled": "true"}),
    "legacy-tablets": (("tb.plain", "tb.images"), {"cdc.output.format": "legacy"}),
    "legacy-expiry": (("vn.expiry", "vn.expiry_solo"), {"cdc.output.format": "legacy"}),
    "advanced": (PLAIN + IMAGES, ADVANCED),
    "advanced-full": (IMAGES, FULL),
    "advanced-everywhere": (("vn.images", "vn.types_images", "vn.solo", "vn.statics"), {
        **FULL, "cdc.include.primary-key.placement": EVERYWHERE, "cdc.include.primary-key.payload-key-name": "row_key"}),
    "advanced-key-only": (("vn.images", "vn.solo"), {**FULL, "cdc.include.primary-key.placement": "kafka-key"}),
    "advanced-updated": (IMAGES, {**ADVANCED, "cdc.include.before": "only-updated", "cdc.include.after": "only-updated"}),
    "advanced-after": (("vn.after_only",), {**ADVANCED, "cdc.include.after": "full"}),
    "advanced-after-updated": (("vn.after_only",), {**ADVANCED, "cdc.include.after": "only-updated"}),
    "advanced-before": (("vn.before_only",), {**ADVANCED, "cdc.include.before": "full"}),
    "advanced-no-tombstones": (("vn.solo", "vn.images"), {**FULL, "tombstones.on.delete": "false"}),
    "advanced-skipping": (("vn.solo", "vn.images"), {**FULL, "skipped.operations": "u"}),
    "advanced-tablets": (("tb.images",), FULL),
    "advanced-expiry": (("vn.expiry", "vn.expiry_solo"), FULL),
    # Streams end and others begin: a heartbeat of each window tells the connector which ones are read to their end.
    "legacy-switch": (("vn.moved",), {"cdc.output.format": "legacy", "heartbeat.interval.ms": "1"}),
    "advanced-switch": (("vn.moved",), {**FULL, "heartbeat.interval.ms": "1"}),
    "advanced-tablets-switch": (("tb.moved",), {**FULL, "heartbeat.interval.ms": "1"}),
    # The line of scylla.name; it knows no tablets and one shape.
    "1.2": (PLAIN + IMAGES, {}),
    "1.2-preimages": (("vn.solo", "vn.before_only", "vn.types_images"), {"experimental.preimages.enabled": "true"}),
    "1.2-no-tombstones": (("vn.plain", "vn.solo"), {"tombstones.on.delete": "false"}),
    "1.2-switch": (("vn.moved",), {"heartbeat.interval.ms": "1"}),
}


def line(name):
    return "1.2" if name.startswith("1.2") else "2"


def settings(name, server):
    """The connector's configuration of a run, the same for both. Both names are given: each line has topics by its own."""
    tables, more = RUNS[name]
    names = {"topic.prefix": "golden", "scylla.name": "other"}
    if line(name) == "1.2":
        names = {"topic.prefix": "other", "scylla.name": "golden", "sluice.compat.scylla": "1.2"}
    return {**names, "name": "golden", "connector.class": "com.scylladb.cdc.debezium.connector.ScyllaConnector", "tasks.max": "1",
            "scylla.cluster.ip.addresses": f"{server.host}:{server.port}", "scylla.table.names": ",".join(tables),
            "scylla.query.time.window.size": str(WINDOW_MS),
            "scylla.confidence.window.size": "1000", **more}


def cluster(folder, build):
    """A simulator that holds the workload, its clock so late that all of it is settled."""
    server = scylla.Scylla(folder, build, shards=2, arguments=[
        "--seed", statements.SEED, "--vnodes", 4, "--clock-start", statements.START_MS]).start()
    server.script(statements.SCHEMA)
    server.ctl(f"advance {statements.AFTER_MS}")
    session = server.session()
    for statement in statements.writes():
        session.execute(statement)
    for order in statements.ORDERS:
        server.ctl(order)
    switch(server, session)
    server.ctl(f"advance {statements.CLOSED_MS}")
    return server


def switch(server, session):
    """New streams for the tables of statements.SWITCHES, with writes on both sides of it."""
    after = []
    for table, (order, when) in statements.SWITCHES.items():
        server.ctl(order)
        begin = session.execute(when).one()[0].replace(tzinfo=datetime.timezone.utc)
        old, new = statements.moved(table, round(begin.timestamp() * 1000) * 1000)
        for statement in old:
            session.execute(statement)
        after += new
    server.ctl(f"advance {statements.SWITCH_MS + statements.AMID_MS}")
    for statement in after:
        session.execute(statement)


def log_hash(server, tables):
    """One hash of the log rows of these tables."""
    lines = "".join(f"{table} {server.ctl(f'hash {table}_scylla_cdc_log')}\n" for table in sorted(tables))
    return hashlib.sha256(lines.encode()).hexdigest()


def stop_clocks(event):
    """What the reader's own clock said is 0; null stays null."""
    payload = (event["value"] or {}).get("payload") or {}
    for clock in ("ts_ms", "ts_us", "ts_ns"):
        if payload.get(clock) is not None:
            payload[clock] = 0


def sort(events):
    """By topic, generation and stream, each in its own order: between streams the connector has none."""
    events.sort(key=lambda e: (e["topic"], int(e["sourcePartition"]["generation_start"]),
                               e["sourceOffset"].get("change_id_stream_id", "")))


def pack(events, head):
    """Events as they are kept: one of each schema, then the events that point to it."""
    schemas = []

    def number(schema):
        if schema not in schemas:
            schemas.append(schema)
        return schemas.index(schema)
    lines = []
    for event in events:
        kept = {**event}
        for part in ("key", "value"):
            if event[part] is not None:
                kept[part] = {"schema": number(event[part]["schema"]), "payload": event[part]["payload"]}
        lines.append(json.dumps(kept, ensure_ascii=False))
    text = "\n".join([json.dumps(head), json.dumps(schemas, ensure_ascii=False), *lines]) + "\n"
    return gzip.compress(text.encode(), mtime=0)


def unpack(data):
    """(head, events)"""
    lines = gzip.decompress(data).decode().splitlines()
    head, schemas, events = json.loads(lines[0]), json.loads(lines[1]), [json.loads(line) for line in lines[2:]]
    for event in events:
        for part in ("key", "value"):
            if event[part] is not None:
                event[part]["schema"] = schemas[event[part]["schema"]]
    return head, events


def path(name):
    return HERE / "data" / f"{name}.jsonl.gz"
