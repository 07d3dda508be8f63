# SPDX-License-Identifier: Apache-2.0
"""The program itself, run as a user runs it: a worker file, connector files, signals."""
import json
import pathlib
import subprocess

from . import postgres, process, rest, wait


def write_properties(path, settings):
    pathlib.Path(path).write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return path


def write_connector(path, name, config):
    pathlib.Path(path).write_text(json.dumps({"name": name, "config": config}, indent=2))
    return path


class Sluice:
    """rest=True: its REST API listens on a port of its own (self.url); otherwise on none."""

    def __init__(self, folder, build, worker=None, rest=False):
        self.folder = pathlib.Path(folder)
        self.build = pathlib.Path(build)
        self.program = self.build / "src/sluice"
        self.state = self.folder / "state"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.worker = self.folder / "worker.properties"
        self.connectors = []
        self.process = None
        self.runs = 0
        self.url = f"http://127.0.0.1:{postgres.free_port()}" if rest else None
        avro = "io.confluent.connect.avro.AvroConverter"
        write_properties(self.worker, {"sluice.state.dir": self.state, "key.converter": avro,
                                       "value.converter": avro, "listeners": self.url or "",
                                       "sluice.registry.listeners": "", "sluice.registry.aliases": "*",
                                       **(worker or {})})

    def connector(self, name, config):
        self.connectors.append(write_connector(self.folder / f"{name}.json", name, config))
        return self

    def start(self, detached=False, env=None):
        self.runs += 1
        self.process = process.Process([self.program, "run", self.worker, *self.connectors],
                                       self.folder / f"sluice-{self.runs}.log", detached=detached, env=env)
        return self

    def stop(self, seconds=20):
        # Before main() has begun nobody can take a signal in order: the exit status would be the signal's.
        wait.until(lambda: "sluice starts" in self.process.output() or not self.process.running(), "sluice to start")
        return self.process.stop(seconds)

    def kill(self):
        self.process.kill()

    def output(self):
        return "".join(p.read_text(errors="replace") for p in sorted(self.folder.glob("sluice-*.log")))

    def command(self, *arguments, check=True):
        done = subprocess.run([self.program, *[str(a) for a in arguments]], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=120)
        if check:
            assert done.returncode == 0, f"sluice {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def command_killed(self, *arguments, seconds):
        """Run a command and kill -9 it after a while; whether it was still running."""
        child = subprocess.Popen([self.program, *[str(a) for a in arguments]], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            child.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            return True

    def rest(self, method, path, body=None, headers=None, text=None):
        """A request to the REST API (rest.ask)."""
        return rest.ask(self.url, method, path, body, headers, text)

    def status(self):
        return json.loads(self.command("status", "--state", self.state, "-o", "json").stdout)

    def assert_running(self):
        """The process lives and, in this run of it, no task gave up."""
        assert self.process.running(), f"sluice ended:\n{self.output()[-4000:]}"
        failed = [line for line in self.process.output().splitlines() if "the task failed" in line]
        assert not failed, failed[0]

    def wait_for_log(self, text, seconds=90):
        wait.until(lambda: text in self.output(), f"sluice to say {text!r}", seconds)
