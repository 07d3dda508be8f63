# SPDX-License-Identifier: Apache-2.0
"""Child processes that end with us, with their output in files that a failing test can show."""
import atexit
import ctypes
import os
import pathlib
import signal
import subprocess

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program started with its standard output and error in one file."""

    def __init__(self, arguments, log, env=None, cwd=None, detached=False):
        self.arguments = [str(a) for a in arguments]
        self.log = pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=cwd,
                env={**os.environ, **(env or {})}, preexec_fn=None if detached else _die_with_parent,
                start_new_session=detached)
        if not detached:
            atexit.register(self.kill)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def signal(self, number):
        if self.running():
            self.child.send_signal(number)

    def stop(self, seconds=20):
        """SIGTERM, wait, and return the exit status; a program that does not stop is killed, and that is a fault."""
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.arguments[0]} did not stop within {seconds} s of SIGTERM")

    def kill(self):
        """SIGKILL, as a power cut would."""
        self.signal(signal.SIGKILL)
        self.child.wait()


def forget(process):
    """Leave a detached process running when we end."""
    atexit.unregister(process.kill)
