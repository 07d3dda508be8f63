# SPDX-License-Identifier: Apache-2.0
"""
What the real scylla-cdc-source-connector emitted over a fixed workload (data/, see README.md), held against what sluice's
source emits over the same: keys, values, schemas, headers, order per key, positions. Whatever differs must be one of
REASONS, each of which stands in docs/scylla-source.md.
"""
import collections
import json
import subprocess

import pytest

import golden
from harness.events import differ

RESUMED = ("legacy", "legacy-preimages", "advanced", "legacy-tablets", "advanced-tablets", "1.2")
SWITCHED = ("legacy-switch", "advanced-switch", "advanced-tablets-switch", "1.2-switch")
ALONE = {"sluice.scylla.early.reads": "false", "sluice.scylla.read.again": "false", "sluice.scylla.sweep.ms": "0"}


@pytest.fixture(scope="module")
def server(tmp_path_factory, build):
    server = golden.cluster(tmp_path_factory.mktemp("golden"), build)
    yield server
    server.stop()


def ours(name, server, build, folder, offsets=None):
    """(events, stored positions) of sluice's source alone."""
    config, out, stored = folder / "source.json", folder / "out.jsonl", folder / "offsets"
    config.write_text(json.dumps({"name": "golden", "config": {**golden.settings(name, server), **ALONE}}))
    stored.write_text("".join(f"{partition}\t{offset}\n" for partition, offset in (offsets or {}).items()))
    subprocess.run([build / "tests/unit/sluice-source-events", config, out, stored, "1"], check=True, timeout=120,
                   stdin=subprocess.DEVNULL)
    events = [json.loads(line) for line in out.read_text().splitlines()]
    for event in events:
        golden.stop_clocks(event)
    return ([e for e in events if not e["topic"].startswith("__debezium-heartbeat")],
            dict(line.split("\t") for line in stored.read_text().splitlines()))


# ---- differences with a reason, in the words of docs/scylla-source.md ----

def payload(event):
    return (event["value"] or {}).get("payload")


def has_clustering(event):
    return event["topic"].split(".", 1)[1] not in ("vn.types_all", "vn.types_images", "vn.solo", "vn.expiry_solo")


def is_extra(event):
    """The reason why the connector has no such event; None: it should."""
    value = payload(event)
    if "__sluice.range" in event["headers"]:
        return "range and partition deletes"
    if "vn.expiry" in event["topic"] and (value is None or value["op"] == "d" or
                                          event["key"]["payload"]["pk"] == 0):  # behind one, never reached
        return "the server's own expiry"
    return None


def waits_in_vain(event, settings):
    """A change that the connector holds back until its pre-image comes, and the log has none."""
    value = payload(event)
    return (settings.get("cdc.include.before", "none") != "none" and value is not None and value["op"] in "ud" and
            value["before"] is None and has_clustering(event))


def field_reason(path, theirs, mine):
    if ".before." in path and theirs is None and mine == {"value": None}:
        return "null before, in legacy"
    if path.endswith(".a.tags") and theirs == [] and mine is None:
        return "a null collection in a UDT"
    return None


def is_mispaired(line, key, path):
    """Line 1.2 gives the pre-images of a batch's rows to whichever of the task's rows comes next: those of this one batch."""
    return line == "1.2" and ".before." in path and key[0] == "golden.vn.before_only" and json.loads(key[1])["pk"] == 2


def real_date(fields):
    """Key days before 1582-10-15 as the cluster has them: the connector counts those as in the Julian calendar."""
    if (fields or {}).get("day") == DAY_ONE_JULIAN:
        fields["day"] = DAY_ONE
        return True
    return False


DAY_ONE, DAY_ONE_JULIAN = -719162, -719164  # 0001-01-01


def by_key(events):
    """Events of each key in their order; the key as text."""
    keys = collections.defaultdict(list)
    for event in events:
        headers = {k: v["payload"] if isinstance(v, dict) else v for k, v in event["headers"].items()
                   if not k.startswith("__sluice.")}
        keys[event["topic"], json.dumps(event["key"]["payload"], ensure_ascii=False)].append(
            {"key": event["key"], "value": event["value"], "headers": headers})
    return keys


class Comparison:
    def __init__(self, name):
        self.settings, self.line = golden.RUNS[name][1], golden.line(name)
        self.faults, self.known = [], collections.Counter()

    def events(self, theirs, mine):
        kept = []
        for event in mine:
            reason = is_extra(event)
            if reason:
                self.known[reason] += 1
            else:
                kept.append(event)
        for event in theirs:
            value = payload(event) or {}
            for fields in (event["key"]["payload"], value.get("before"), value.get("after")):
                self.known["dates before 1582-10-15"] += real_date(fields)
        left, right = by_key(theirs), by_key(kept)
        for key in sorted(set(left) | set(right)):
            self.key(key, left.get(key, []), right.get(key, []))

    def key(self, key, left, right):
        if any(waits_in_vain({**e, "topic": key[0]}, self.settings) for e in right):
            left, right = self.paired(key, left, right)
        if len(left) != len(right):
            self.faults.append(f"{key}: {len(left)} events against ours {len(right)}: "
                               f"{[shown(e) for e in left]} against {[shown(e) for e in right]}")
        for number, (a, b) in enumerate(zip(left, right)):
            for path, x, y in differ(a, b):
                reason = field_reason(path, x, y)
                if is_mispaired(self.line, key, path):
                    reason = "images paired by the task, in line 1.2"
                if reason:
                    self.known[reason] += 1
                else:
                    self.faults.append(f"{key}[{number}]{path}: {x!r} against ours {y!r}")

    def paired(self, key, left, right):
        """
        Where a pre-image is missing the connector drops the change, or sends it later, with the pre-image and the time
        of the next one. What it sends must be ours all the same, in our order, but for these.
        """
        reason, kept, at = "a change whose image is missing", [], 0
        for event in right:
            if at == len(left) or identity(left[at]) != identity(event):
                self.known[reason] += 1
                continue
            for field in ("before", "source") if payload(event) else ():
                if payload(event)[field] != payload(left[at])[field]:
                    self.known[reason] += 1
                    payload(left[at])[field] = payload(event)[field]
            kept.append(event)
            at += 1
        return left, kept


def identity(event):
    value = payload(event)
    return (value["op"], json.dumps(value["after"])) if value else None


def shown(event):
    value = payload(event)
    return (value["op"], value["before"], value["after"]) if value else None


def text(fields):
    return json.dumps(fields, separators=(",", ":"))


@pytest.mark.parametrize("name", golden.RUNS)
def test_the_connector_and_sluice_say_the_same(server, build, tmp_path, name):
    head, theirs = golden.unpack(golden.path(name).read_bytes())
    assert golden.log_hash(server, golden.RUNS[name][0]) == head["log"], \
        "the simulator's log is not the one that the golden data was recorded over; record it anew (README.md)"
    mine, stored = ours(name, server, build, tmp_path)
    comparison = Comparison(name)
    comparison.events(theirs, mine)
    for event in theirs:
        partition = text(event["sourcePartition"])
        if partition not in stored:
            comparison.faults.append(f"no position of {partition}")
    print(f"\n{name}: {len(theirs)} events; differences with a reason: {sum(comparison.known.values())} "
          f"{dict(+comparison.known)}")
    assert theirs and not comparison.faults, \
        f"{len(comparison.faults)} differences:\n" + "\n".join(comparison.faults[:40])


def order(event):
    """Where an event stands in its partition: streams by their bytes as signed ones, as the connector goes through them."""
    stream = bytes.fromhex(event["sourceOffset"]["change_id_stream_id"].removeprefix("0x"))
    return [b - 256 if b > 127 else b for b in stream]


def partitions_of(theirs):
    """The connector's events by their source partition, in the order in which it goes through them."""
    partitions = collections.defaultdict(list)
    for event in theirs:  # in a stream's order already
        partitions[text(event["sourcePartition"])].append(event)
    for events in partitions.values():
        events.sort(key=order)
    return partitions


def go_on(server, build, folder, name, cuts):
    """Start sluice where each partition was read up to its cut: it must say the rest, and store what the connector can read."""
    _, theirs = golden.unpack(golden.path(name).read_bytes())
    offsets, left = {}, []
    for partition, events in partitions_of(theirs).items():
        cut = cuts(json.loads(partition), len(events))
        while 0 < cut < len(events) and events[cut]["sourceOffset"] == events[cut - 1]["sourceOffset"]:
            cut += 1  # a position covers all rows of one write
        if cut:
            offsets[partition] = text(events[cut - 1]["sourceOffset"])
        left += events[cut:]
    golden.sort(left)
    mine, stored = ours(name, server, build, folder, offsets)
    comparison = Comparison(name)
    comparison.events(left, mine)
    assert 0 < len(left) < len(theirs) and not comparison.faults, \
        f"{len(comparison.faults)} differences:\n" + "\n".join(comparison.faults[:40])
    known = {"window_start", "window_end", "change_id_stream_id", "change_id_time"}
    for partition, offset in stored.items():  # and the connector could take them over again
        if "scylla" not in json.loads(partition):
            assert list(json.loads(partition)) == list(theirs[0]["sourcePartition"]) and set(json.loads(offset)) <= known


@pytest.mark.parametrize("name", RESUMED)
def test_sluice_goes_on_from_the_connectors_positions(server, build, tmp_path, name):
    go_on(server, build, tmp_path, name, lambda partition, n: n // 2)


@pytest.mark.parametrize("name", SWITCHED)
@pytest.mark.parametrize("where", ["before the switch", "behind the switch"])
def test_sluice_goes_on_from_the_connectors_positions_on_either_side_of_a_switch(server, build, tmp_path, name, where):
    _, theirs = golden.unpack(golden.path(name).read_bytes())
    old, new = sorted({e["sourcePartition"]["generation_start"] for e in theirs}, key=int)[-2:]

    def cut(partition, n):
        if where == "before the switch":
            return n // 2 if partition["generation_start"] == old else 0
        return n // 2 if partition["generation_start"] == new else n
    go_on(server, build, tmp_path, name, cut)
