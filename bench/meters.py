# SPDX-License-Identifier: Apache-2.0
"""What processes use, read from /proc."""
import os
import pathlib

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid, waited=False):
    """User and system time of a process; waited: with that of the children that it has buried."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(f) for f in fields[11:15 if waited else 13]) / TICK


def cluster_cpu_seconds(cluster):
    """PostgreSQL's, with all its servers, living and ended."""
    pid = int((cluster.data / "postmaster.pid").read_text().split()[0])
    total = cpu_seconds(pid, True)
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            total += cpu_seconds(child)
        except OSError:  # it ended meanwhile: its time is the parent's by now
            pass
    return total


def peak_rss_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
