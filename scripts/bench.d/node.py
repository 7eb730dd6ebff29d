"""A picketd of its own, and the simulated agents that speak to it."""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

import machine


class bench_error(Exception):
    """Something that the bench needs is not there or did not work; the text is for the user."""


def wait_for(condition, limit_s, what, every_s=0.05):
    until = time.monotonic() + limit_s
    while not (found := condition()):
        if time.monotonic() > until:
            raise bench_error(f"{what} within {limit_s:.0f} s")
        time.sleep(every_s)
    return found


def allow_many_files():
    """For children: as many descriptors as the system lets them have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class node:
    """A picketd in a scratch directory, on ports that the system chooses. Use it in a `with`."""

    def __init__(self, bin_dir, ruleset=None, settings=None, data_from=None):
        self.bin_dir = pathlib.Path(bin_dir)
        self.scratch = tempfile.TemporaryDirectory(prefix="picket-bench.")
        self.directory = pathlib.Path(self.scratch.name)
        if data_from:
            shutil.copytree(data_from, self.directory / "data")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PICKET_")}
        for key in ("INGEST", "ENROLLMENT", "API", "HEALTH"):
            environment[f"PICKET_{key}__LISTEN"] = "127.0.0.1:0"
        if ruleset:
            environment["PICKET_RULESET__DIR"] = str(pathlib.Path(ruleset).resolve())
        for key, value in (settings or {}).items():
            environment["PICKET_" + key.replace(".", "__").upper()] = str(value)
        self.log = self.directory / "picketd.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([self.bin_dir / "picketd"], cwd=self.directory, env=environment,
                                            stdout=log, stderr=log, preexec_fn=allow_many_files)
        try:
            started = wait_for(self._started, 60, "picketd does not serve")
        except bench_error:
            self.close()
            raise
        self.address = dict(re.findall(r"(\w+)=(127\S+)", started))

    def _started(self):
        text = self.log.read_text(errors="replace")
        if self.process.poll() is not None:
            raise bench_error("picketd has ended:\n" + text)
        found = re.search(r"event=node-started .*\n", text)
        return found.group(0) if found else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stop()
        self.scratch.cleanup()

    def stop(self):
        if self.process.poll() is not None:
            return self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    @property
    def alerts_file(self):
        return self.directory / "data/logs/alerts/alerts.json"

    def page(self):
        with urllib.request.urlopen(f"http://{self.address['health']}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def metric(self, series, page=None):
        """Value of a series, written as on the page but without `picket_`; 0 if it is not there."""
        found = re.search(rf"^picket_{re.escape(series)} (\S+)$", page or self.page(), re.M)
        return float(found.group(1)) if found else 0.0

    def stage_seconds(self):
        """{stage: seconds} as the node itself counts them; empty if it does not."""
        found = re.findall(r'^picket_stage_seconds_total\{stage="(\w+)"\} (\S+)$', self.page(), re.M)
        return {stage: float(value) for stage, value in found if float(value) > 0}


class program:
    """A child process that prints one JSON object; ended when the `with` is left."""

    def __init__(self, *command):
        self.name = pathlib.Path(command[0]).name
        self.out = tempfile.TemporaryFile("w+")
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(word) for word in command], stdout=self.out, stderr=self.errors,
                                        text=True, preexec_fn=allow_many_files)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        self.out.close()
        self.errors.close()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def ended(self):
        code = self.process.poll()
        if code not in (None, 0):
            raise bench_error(f"{self.name} ended with {code}:\n{self.text(self.errors)}{self.text(self.out)}")
        return code is not None

    @staticmethod
    def text(file):
        file.seek(0)
        return file.read()

    def report(self, limit_s):
        """What it printed, once it has ended by itself."""
        try:
            self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise bench_error(f"{self.name} did not end within {limit_s:.0f} s") from None
        self.ended()
        return json.loads(self.text(self.out))


def agents(one, number, keys, *more):
    """The command of simulated agents against a node."""
    return [one.bin_dir / "picket-agentsim", "--agents", number, "--enroll", one.address["enrollment"], "--server",
            one.address["agents"], "--keys", keys, "--json", *more]


def enroll(one, number, keys, limit_s=300):
    """Gives `number` agents their keys, once in their life; they connect, send one line each and leave."""
    with program(*agents(one, number, keys, "--lines", 1, "--timeout", limit_s)) as run:
        run.report(limit_s + 30)
    wait_for(lambda: one.metric("sessions") == 0, 30, "the agents did not leave")
    wait_for(lambda: one.metric("ingest_oldest_unprocessed_seconds") < 1, 30, "their lines were not analysed")


class interval:
    """Processor time of a node, thread by thread, and of all other processes, between two moments."""

    def __init__(self, pid, *ours):
        self.pid, self.ours = pid, ours
        self.began = self.now()

    def now(self):
        ours = sum(machine.process_seconds(pid) for pid in (self.pid, *self.ours) if alive(pid))
        return time.monotonic(), machine.thread_seconds(self.pid), machine.busy_seconds(), ours

    def end(self):
        at, threads, busy, ours = self.now()
        began, before, busy_before, ours_before = self.began
        self.seconds = at - began
        self.threads = {name: [now - then for now, then in zip(times, before.get(name, (0, 0)))]
                        for name, times in threads.items()}
        self.threads = {name: times for name, times in self.threads.items() if sum(times) > 0}
        self.user = sum(times[0] for times in self.threads.values())
        self.system = sum(times[1] for times in self.threads.values())
        self.others = max(0.0, (busy - busy_before) - (ours - ours_before)) / self.seconds
        return self


def alive(pid):
    return pathlib.Path(f"/proc/{pid}/stat").exists()
