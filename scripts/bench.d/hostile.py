"""How much longer good agents wait while others attack the node."""

import subprocess

import machine
import measurements
import mix
import node
from node import bench_error
from results import recorder


def attacks(given):
    """Names of the attacks that were asked for, all by default."""
    run = subprocess.run([given.bin / "picket-hostile", "--list"], capture_output=True, text=True, check=True)
    known = [line.split()[0] for line in run.stdout.splitlines()]
    for name in given.attack or []:
        if name not in known:
            raise bench_error(f"there is no attack '{name}'; there are: {' '.join(known)}")
    return given.attack or known


def probes(one, given, probe_file, run):
    """Delays of the good agents' lines; none of them may be lost, and none may have to connect again."""
    with measurements.probe(one, given, probe_file, run, given.seconds, given.probe_rate) as probing:
        report = probing.report(measurements.limit_s)
    figures = measurements.delays(report, run)
    if report["lost_connections"] or report["refusals"] or report["connects"] != given.probes:
        raise bench_error(f"{run}: good agents were disturbed: {report}")
    return figures


def attacked(place, given, probe_file, name):
    with place.node() as one:
        keys = place.directory / f"keys-{one.pid}"
        node.enroll(one, 2, keys)  # the attacker's own agent, and the victim
        probes(one, given, probe_file, "first")  # enrols the probes and warms up what they use
        quiet = probes(one, given, probe_file, "quiet")
        before = machine.memory_bytes(one.pid)["own"]
        ports = [word for port in ("agents", "enrollment", "api", "health") for word in (f"--{port}", one.address[port])]
        command = [given.bin / "picket-hostile", name, *ports, "--keys", keys, "--seconds", given.seconds + 30]
        meter = node.interval(one.pid)
        with node.program(*command) as attack:
            under = probes(one, given, probe_file, "attacked")
            meter.end()
            grown = machine.memory_bytes(one.pid)["own"] - before
            attack.end()
            did = attack.report(30)
    return {
        f"{name}.p99_ratio": under["attacked.p99_us"] / quiet["quiet.p99_us"],
        f"{name}.p50_ratio": under["attacked.p50_us"] / quiet["quiet.p50_us"],
        f"{name}.p99_us": under["attacked.p99_us"],
        f"{name}.quiet_p99_us": quiet["quiet.p99_us"],
        f"{name}.node_processors": (meter.user + meter.system) / meter.seconds,
        f"{name}.grown_bytes": max(0, grown),
        f"{name}.connections_per_s": did["connections"] / meter.seconds,
    }


def run(given):
    with measurements.workplace(given) as place:
        probe_file = mix.probe_file(given, place.directory)
        names = attacks(given)
        record = recorder("hostile", given, place.settings(seconds=given.seconds, probes_per_s=given.probe_rate))
        for _ in range(given.runs):
            figures = {}
            for name in names:
                figures |= attacked(place, given, probe_file, name)
            record.add(figures, say=False)
            worst = max(names, key=lambda name: figures[f"{name}.p99_ratio"])
            print(f"  run {len(record.runs)}: worst {worst}, {figures[f'{worst}.p99_ratio']:.2f} times the quiet p99",
                  flush=True)
        return record.finish()
