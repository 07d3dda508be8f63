# SPDX-License-Identifier: Apache-2.0
"""A damaged log stops the program with a clear error; nothing damaged is ever served."""
import sqlite3

from harness import wait, workload


def test_a_damaged_batch_is_never_served(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False)
    p.sluice.start()
    p.sluice.wait_for_log("streaming starts")  # else the snapshot brings rows whose changes source_idle() waits for
    p.change(500)
    p.wait_equal()
    assert p.sluice.stop() == 0
    # Records that no sink has read yet, one byte of them turned over.
    p.sluice.connectors = [c for c in p.sluice.connectors if c.name == "source.json"]
    p.sluice.start()
    p.change(500)
    wait.until(lambda: log_end(p) >= 500 and source_idle(p), "the log to hold the new records")
    assert p.sluice.stop() == 0
    before = [tuple(r) for r in p.query("SELECT topic, next_offset FROM sluice_offsets ORDER BY topic")]
    db = sqlite3.connect(p.sluice.state / "sluice.db")
    rows = db.execute("SELECT rowid, * FROM batches ORDER BY rowid DESC LIMIT 1")
    names = [d[0] for d in rows.description]
    row = rows.fetchone()
    at = max((i for i, v in enumerate(row) if isinstance(v, bytes)), key=lambda i: len(row[i]))
    blob = bytearray(row[at])
    blob[len(blob) // 2] ^= 0x40
    db.execute(f'UPDATE batches SET "{names[at]}" = ? WHERE rowid = ?', (bytes(blob), row[0]))
    db.commit()
    db.close()
    p.sluice.connector("sink", p._sink_config())
    p.sluice.start()
    p.sluice.wait_for_log("LOG_DAMAGED")
    damaged_rows = p.query("SELECT topic, next_offset FROM sluice_offsets ORDER BY topic")
    assert all(b[1] <= a[1] for b, a in zip(before, damaged_rows))
    ends = dict(topic_ends(p))
    assert any(next_offset < ends[topic] for topic, next_offset in damaged_rows), "something was jumped over"


def test_a_file_that_is_no_log_is_refused(make_pipeline, cluster):
    p = make_pipeline(cluster, ledger=False)
    p.sluice.state.mkdir(parents=True, exist_ok=True)
    (p.sluice.state / "sluice.db").write_bytes(b"this is not a database" * 1000)
    done = p.sluice.command("run", p.sluice.worker, *p.sluice.connectors, check=False)
    assert done.returncode == 1
    assert "sluice.db" in done.stderr and "HINT" in done.stderr


def topic_ends(p):
    db = sqlite3.connect(f"file:{p.sluice.state / 'sluice.db'}?mode=ro", uri=True)
    try:
        return db.execute("SELECT t.name, p.next_offset FROM partitions p JOIN topics t ON t.id = p.topic_id").fetchall()
    finally:
        db.close()


def log_end(p):
    return sum(end for _, end in topic_ends(p))


def source_idle(p):
    """The log holds every captured change: events, and a tombstone behind each delete."""
    wanted = sum(len(p.expected(t)) + len([e for e in p.expected(t) if e[2] == "d"]) for t in workload.TABLES)
    ends = {t: e for t, e in topic_ends(p) if t.startswith("sqlserver.warehouse_source.dbo.")}
    return sum(ends.values()) >= wanted
