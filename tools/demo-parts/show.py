# SPDX-License-Identifier: Apache-2.0
"""What the demo's parts share: lines on the terminal, and how far sluice has come."""
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KEEP = os.environ.get("KEEP", "") not in ("", "0")
SEED = int(os.environ.get("SEED", "1"))
PAUSE = 0.25 if sys.stdout.isatty() else 1.0


def say(text):
    print(f"\r\033[K{text}" if sys.stdout.isatty() else text, flush=True)


def show_line(line):
    """A line that the next one replaces, on a terminal."""
    print(f"\r\033[K{line}" if sys.stdout.isatty() else line, end="" if sys.stdout.isatty() else "\n", flush=True)


class Meter:
    """How many records the target has, from the positions that sluice keeps there."""

    def __init__(self, target, database):
        self.target, self.database = target, database
        self.connection = None
        self.samples = []

    def applied(self):
        try:
            self.connection = self.connection or self.target.connect(self.database)
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT to_regclass('sluice_offsets')")
                if cursor.fetchone()[0] is None:
                    return 0
                cursor.execute("SELECT coalesce(sum(greatest(next_offset, 0)), 0) FROM sluice_offsets")
                return int(cursor.fetchone()[0])
        except Exception:
            self.connection = None
            raise

    def rate(self, applied):
        now = time.monotonic()
        self.samples = [s for s in self.samples if now - s[0] < 2.0] + [(now, applied)]
        first = self.samples[0]
        return (applied - first[1]) / (now - first[0]) if now > first[0] else 0.0


def dead_letters(run):
    """How many records sluice could not bring over: a target that is equal without them would be luck."""
    topics = json.loads(run.command("topics", "list", "--worker", run.worker, "-o", "json").stdout)["topics"]
    return sum(topic["next_offset"] for topic in topics if topic["topic"].startswith("dlq-"))


def lag_of(run):
    """The sink's lag as `sluice status` tells it: log records that are not applied yet."""
    done = run.command("status", "--worker", run.worker, "-o", "json", check=False)
    try:
        tasks = json.loads(done.stdout)["tasks"]
        return f"{sum(t.get('lag_records', 0) for t in tasks if t.get('type') == 'sink'):,} records"
    except (ValueError, KeyError, TypeError):
        return "?"
