"""The measurements: each takes the options, makes its runs and records them."""

import json
import pathlib
import subprocess
import tempfile
import time

import machine
import mix
import node
from node import bench_error, wait_for
from results import recorder

limit_s = 300  # for one part of a run


class workplace:
    """Scratch directory, rule set and mix of one call; use it in a `with`."""

    def __init__(self, given):
        self.given = given
        self.scratch = tempfile.TemporaryDirectory(prefix="picket-bench.")
        self.directory = pathlib.Path(self.scratch.name)

    def __enter__(self):
        given = self.given
        data = mix.reference_data(given)
        if given.ruleset == "auto":
            given.ruleset = "stock" if data else "own"
        if given.ruleset == "stock":
            if not data:
                raise bench_error(f"the stock rule set needs the reference data; there is none in {given.data}")
            given.ruleset_dir = self.directory / "ruleset"
            subprocess.run([data / "make-test-ruleset", given.ruleset_dir], check=True, stdout=subprocess.DEVNULL)
        else:
            given.ruleset_dir = None if given.ruleset == "own" else pathlib.Path(given.ruleset)
        return self

    def __exit__(self, *_):
        self.scratch.cleanup()

    def mix(self):
        self.files, self.about = mix.make(self.given, self.directory)
        return self.files

    def settings(self, **more):
        """What the results are to say about how they came to be."""
        settings = {"ruleset": str(self.given.ruleset), "seed": self.given.seed, **more}
        if hasattr(self, "about"):
            settings["mix"] = self.about
        return settings

    def node(self, data_from=None, **settings):
        return node.node(self.given.bin, self.given.ruleset_dir, settings | dict(getattr(self.given, "set", [])), data_from)


# ---- node ----


def send_all(one, given, files, scratch):
    """Lets the agents send everything as fast as it is taken; the figures of the node meanwhile."""
    keys = scratch / f"keys-{one.pid}"
    node.enroll(one, given.agents, keys)
    before, stages_before = one.metric("engine_events_total"), one.stage_seconds()
    alerts_before = one.metric("engine_alerts_total")
    command = node.agents(one, given.agents, keys, *files, "--lines", given.lines // given.agents, "--prebuilt",
                          "--timeout", limit_s)
    first = last = None
    seen, wanted = 0.0, given.lines // given.agents * given.agents
    with node.program(*command) as sender:
        wait_for(lambda: one.metric("sessions") > 0 or sender.ended(), limit_s, "no agent connected")
        meter = node.interval(one.pid, sender.process.pid)
        until = time.monotonic() + limit_s
        while time.monotonic() < until and (seen < wanted or not sender.ended()):
            time.sleep(0.05)
            now, fresh = time.monotonic(), one.metric("engine_events_total") - before
            if fresh > seen:
                last, last_seen, seen = now, fresh, fresh
                if first is None:
                    first, first_seen = now, fresh
        meter.end()
        report = sender.report(30)
    if first is None or last - first < 0.2:
        raise bench_error("the run was too short to be measured; give more --lines")
    stages = {stage: value - stages_before.get(stage, 0) for stage, value in one.stage_seconds().items()}
    us = 1e6 / seen
    figures = {
        "events_per_s": (last_seen - first_seen) / (last - first),
        "cpu_us": (meter.user + meter.system) * us,
        "cpu_user_us": meter.user * us,
        "cpu_system_us": meter.system * us,
        "alerting_part": (one.metric("engine_alerts_total") - alerts_before) / seen,
        "peak_memory_bytes": machine.memory_bytes(one.pid)["peak"],
        "sender_cpu_us": report["cpu_seconds"] * 1e6 / max(1, report["sent"]),
        "other_processes": meter.others,
    }
    for name, (user, system) in sorted(meter.threads.items(), key=lambda item: -sum(item[1])):
        figures[f"thread.{name}.user_us"] = user * us
        figures[f"thread.{name}.system_us"] = system * us
    for stage, seconds in stages.items():
        figures[f"stage.{stage}_us"] = seconds * us
    return figures


def run_node(given):
    with workplace(given) as place:
        files = place.mix()
        record = recorder("node", given, place.settings(lines=given.lines, agents=given.agents, of_the_node=dict(given.set)))
        for _ in range(given.runs):
            alone = engine_figures(given, files)
            with place.node() as one:
                figures = send_all(one, given, files, place.directory)
            figures["analysis_alone_us"] = alone["cpu_us"]
            figures["node_to_analysis_ratio"] = figures["cpu_us"] / alone["cpu_us"]
            record.add(figures)
        return record.finish()


# ---- engine ----


def engine_figures(given, files):
    report = json.loads(mix.engine(given, *files, "--lines", given.lines, "--agents", given.agents))
    figures = {"cpu_us": report["cpu_seconds"] * 1e6 / report["events"],
               "events_per_cpu_s": report["events"] / report["cpu_seconds"],
               "alerting_part": report["alerts"] / report["events"]}
    for stage, value in report["stage_us"].items():
        figures[f"stage.{stage}_us"] = value
    return figures


def run_engine(given):
    with workplace(given) as place:
        files = place.mix()
        record = recorder("engine", given, place.settings(lines=given.lines, agents=given.agents))
        for _ in range(given.runs):
            record.add(engine_figures(given, files))
        return record.finish()


# ---- latency ----


def probe(one, given, probe_file, run, seconds, rate):
    """Agents that send one alerting line after the other; the delays up to alerts.json."""
    return node.program(one.bin_dir / "picket-latency", "--agents", given.probes, "--rate", rate, "--server",
                        one.address["agents"], "--enroll", one.address["enrollment"], "--keys",
                        one.directory / "probe-keys", "--file", probe_file, "--alerts", one.alerts_file, "--run", run,
                        "--duration", seconds, "--warm-up", min(2, seconds / 4))


def delays(report, prefix):
    if report["measured"] == 0 or report["seen"] < report["sent"]:
        raise bench_error(f"of {report['sent']} probes only {report['seen']} came out as alerts")
    return {f"{prefix}.{name}": report[name] for name in ("p50_us", "p90_us", "p99_us", "max_us")}


def run_latency(given):
    with workplace(given) as place:
        files = place.mix()
        probe_file = mix.probe_file(given, place.directory)
        rate = given.rate
        if not rate:
            print("measuring the throughput first", flush=True)
            with place.node() as one:
                rate = 0.5 * send_all(one, given, files, place.directory)["events_per_s"]
        record = recorder("latency", given, place.settings(load_events_per_s=round(rate), seconds=given.seconds,
                                                           probes_per_s=given.probe_rate, of_the_node=dict(given.set)))
        for _ in range(given.runs):
            with place.node() as one:
                keys = place.directory / f"keys-{one.pid}"
                node.enroll(one, given.agents, keys)
                with probe(one, given, probe_file, "idle", given.seconds, given.probe_rate) as idle:
                    figures = delays(idle.report(limit_s), "idle")
                figures |= loaded_delays(one, given, files, probe_file, keys, rate)
            record.add(figures)
        return record.finish()


def loaded_delays(one, given, files, probe_file, keys, rate):
    lines = int(rate * (given.seconds + 4) / given.agents) + 1
    command = node.agents(one, given.agents, keys, *files, "--rate", rate, "--lines", lines, "--prebuilt", "--timeout", limit_s)
    with node.program(*command) as sender:
        wait_for(lambda: one.metric("sessions") >= given.agents or sender.ended(), limit_s, "the agents did not connect")
        events = one.metric("engine_events_total")
        meter = node.interval(one.pid, sender.process.pid)
        with probe(one, given, probe_file, "loaded", given.seconds, given.probe_rate) as probes:
            figures = delays(probes.report(limit_s), "loaded")
        meter.end()
        figures["loaded.events_per_s"] = (one.metric("engine_events_total") - events) / meter.seconds
        figures["loaded.other_processes"] = meter.others
    return figures


# ---- memory ----


def run_memory(given):
    with workplace(given) as place:
        record = recorder("memory", given, place.settings(connected=given.connected, keepalive_s=given.keepalive))
        most = max(given.connected)
        keys, data = place.directory / "keys", place.directory / "data"
        print(f"registering {most} agents, once for all runs", flush=True)
        with place.node() as one:
            node.enroll(one, most, keys, limit_s=1800)
            one.stop()
            (one.directory / "data").rename(data)
        for _ in range(given.runs):
            figures = {}
            for number in given.connected:
                figures |= connected_memory(place, given, data, keys, number)
            record.add(figures)
        return record.finish()


def connected_memory(place, given, data, keys, number):
    with place.node(data_from=data) as one:
        before, kernel_before = machine.memory_bytes(one.pid), machine.kernel_socket_bytes()
        command = node.agents(one, number, keys, "--lines", 1, "--keepalive", given.keepalive, "--linger", limit_s,
                              "--timeout", limit_s * 2)
        with node.program(*command) as sender:
            # Each has sent two keep-alives: from then on a connection costs what it costs.
            wait_for(lambda: one.metric('session_control_messages_total{kind="keepalive"}') >= 2 * number
                     or sender.ended(), limit_s, "the agents did not keep alive", every_s=0.5)
            if one.metric("sessions") < number:
                raise bench_error(f"only {one.metric('sessions'):.0f} of {number} agents are connected")
            after, kernel = machine.memory_bytes(one.pid), machine.kernel_socket_bytes()
            sender.end()
        wait_for(lambda: one.metric("sessions") == 0, 60, "the agents did not leave")
        left = machine.memory_bytes(one.pid)
    return {
        f"connected_{number}.per_agent_bytes": (after["own"] - before["own"]) / number,
        f"connected_{number}.per_agent_kernel_bytes": max(0, kernel - kernel_before) / number,
        f"connected_{number}.node_own_bytes": after["own"],
        f"connected_{number}.node_all_bytes": after["all"],
        f"connected_{number}.kept_per_agent_bytes": max(0, left["own"] - before["own"]) / number,
    }


# ---- parts ----


def run_parts(given):
    record = recorder("parts", given, {"seed": given.seed, "filter": given.filter, "min_time_s": given.min_time})
    for _ in range(given.runs):
        command = [given.bin / "picket-parts-bench", f"--benchmark_filter={given.filter}", "--benchmark_format=json",
                   f"--benchmark_min_time={given.min_time}"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=1800)
        if run.returncode != 0:
            raise bench_error(run.stderr)
        figures = {}
        for one in json.loads(run.stdout)["benchmarks"]:
            if one.get("error_occurred"):
                raise bench_error(f"{one['name']}: {one['error_message']}")
            # With threads that wait for a disk the elapsed time is what counts.
            which = "real_time" if "strict:1" in one["name"] else "cpu_time"
            figures[f"{one['name']}_ns"] = one[which]
        if not figures:
            raise bench_error(f"no part fits the filter '{given.filter}'")
        record.add(figures, say=False)
        print(f"  run {len(record.runs)}: {len(figures)} parts", flush=True)
    return record.finish()
