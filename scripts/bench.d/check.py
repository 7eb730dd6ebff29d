"""Runs every measurement once with tiny numbers. It fails if a measurement breaks or a figure is missing; what the
figures are does not matter."""

import contextlib
import io
import json
import math
import pathlib
import tempfile

import results
from node import bench_error

# Command line, and figures that must be there and above zero.
measurements = {
    "node": (["--lines", "40000", "--agents", "4", "--mix-lines", "500"],
             ["events_per_s", "cpu_us", "cpu_user_us", "alerting_part", "peak_memory_bytes", "analysis_alone_us",
              "node_to_analysis_ratio"]),
    "latency": (["--lines", "8000", "--agents", "2", "--mix-lines", "500", "--seconds", "1.5", "--probes", "2",
                 "--rate", "500"],
                ["idle.p50_us", "idle.p99_us", "loaded.p50_us", "loaded.p99_us", "loaded.events_per_s"]),
    "memory": (["--connected", "5,20", "--keepalive", "1"],
               ["connected_5.node_own_bytes", "connected_20.node_own_bytes", "connected_20.per_agent_bytes"]),
    "engine": (["--lines", "4000", "--agents", "2", "--mix-lines", "500"],
               ["cpu_us", "stage.predecode_us", "stage.decode_us", "alerting_part"]),
    "hostile": (["--seconds", "1", "--probes", "2", "--attack", "wrong-key", "--attack", "slow-handshake"],
                ["wrong-key.p99_ratio", "slow-handshake.p99_ratio", "wrong-key.connections_per_s"]),
    "parts": (["--min-time", "0.001", "--filter", "open_record/aes/300|pool_batch|intake_batch|journal_append"],
              ["open_record/aes/300_ns", "pool_batch_ns", "intake_batch_ns"]),
}


def need(condition, what):
    if not condition:
        raise bench_error("check: " + what)


def run_measurement(name, given, arguments, measure, directory):
    words, wanted = measurements[name]
    out = directory / f"{name}.json"
    command = [name, *words, "--runs", "1", "--bin", str(given.bin), "--out", str(out), "--seed", str(given.seed)]
    if name != "parts":
        command += ["--ruleset", given.ruleset, "--data", str(given.data)]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            measure(arguments.parse_args(command))
    except Exception as fault:
        raise bench_error(f"check: {name}: {type(fault).__name__}: {fault}\n{said.getvalue()}") from fault
    figures = results.load(out)["figures"]
    for figure in wanted:
        need(figure in figures, f"{name}: no figure '{figure}' in {sorted(figures)}")
        value = figures[figure]["median"]
        need(math.isfinite(value) and value > 0, f"{name}: '{figure}' is {value}")
    print(f"  {name}: {len(figures)} figures", flush=True)
    return out


def check_compare(result, directory):
    """A file against itself differs in nothing; against one that is twice as slow it does."""
    document = json.loads(result.read_text())
    times = [name for name, one in document["figures"].items() if results.better(name) == "less" and one["median"] > 0]
    need(times, "compare: no figure of time to look at")
    for one in document["figures"].values():
        around = abs(one["median"]) * 0.01
        one |= {"min": one["median"] - around, "max": one["median"] + around, "runs": 5}
    old, slower = directory / "old.json", directory / "slower.json"
    old.write_text(json.dumps(document))
    for name in times:
        for value in ("median", "min", "max"):
            document["figures"][name][value] *= 2
    slower.write_text(json.dumps(document))
    with contextlib.redirect_stdout(io.StringIO()):
        same, different = results.compare(old, old), results.compare(old, slower)
    need(all(word == "" for _, word in same.values()), "compare: a file differs from itself")
    for name in times:
        ratio, word = different[name]
        need(abs(ratio - 2) < 0.01 and word == "worse", f"compare: '{name}' doubled is {ratio}, '{word}'")
    print("  compare: finds what was made slower", flush=True)


def run(given, arguments, measure):
    with tempfile.TemporaryDirectory(prefix="picket-bench-check.") as scratch:
        directory = pathlib.Path(scratch)
        for name in measurements:
            result = run_measurement(name, given, arguments, measure, directory)
            if name == "engine":
                check_compare(result, directory)
    print("the bench works")
