"""The mix of lines that is sent: which lines there are, how many of them alert, how long they are in the mean.

From loghub and the stock test lines of the reference data, or where that is absent from config/samples. Each line is
asked of the engine once, on its own, whether it alerts; then lines are drawn with the seed, so that the wanted part of
them alerts in the order in which agents send them (correlation included) and their mean length is the wanted one, as
far as the lines allow it. What came out is part of the results.
"""

import json
import math
import pathlib
import random
import statistics
import subprocess

import machine
from node import bench_error

longest_bytes = 2000
location = "/var/log/mixed.log"
least_lines = 40  # that a draw must rest on in effect; a mean that needs fewer is not forced


def reference_data(given):
    data = pathlib.Path(given.data)
    return data if (data / "loghub").is_dir() else None


def candidates(given):
    """(lines, where they are from)"""
    data = reference_data(given)
    if not data:
        files = sorted((machine.root / "config/samples").glob("*.log"))
        return [line for file in files for line in read_lines(file)], "config/samples"
    lines = [line for file in sorted((data / "loghub").glob("*.log")) for line in read_lines(file)]
    with open(data / "expected/ruleset-cases.jsonl", encoding="utf-8") as cases:
        for case in cases:
            event = json.loads(case)["event"]
            if isinstance(event, str):
                lines.append(event)
    return [line for line in lines if usable(line)], "loghub and stock test lines"


def read_lines(file):
    return [line for line in file.read_text(errors="replace").split("\n") if usable(line)]


def usable(line):
    return line.strip() and "\n" not in line and "\r" not in line and len(line.encode()) <= longest_bytes


def engine(given, *words):
    command = [given.bin / "picket-engine-bench", *words]
    if given.ruleset_dir:
        command += ["--ruleset", given.ruleset_dir]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=600)
    if run.returncode != 0:
        raise bench_error(run.stderr)
    return run.stdout


def write(file, lines):
    file.write_text("".join(line + "\n" for line in lines))
    return f"{file}={location}"


def tilted(lengths, tilt):
    return [math.exp(tilt * (length - longest_bytes) / longest_bytes) for length in lengths]


def mean(lengths, weights):
    return sum(length * weight for length, weight in zip(lengths, weights)) / sum(weights)


def rests_on(weights):
    """How many lines of equal weight would be as various."""
    return sum(weights) ** 2 / sum(weight * weight for weight in weights)


def find_tilt(groups, wanted_mean):
    """Longer lines are preferred (or shorter ones) by so much that the mean of all groups together fits.
    `groups`: [(part, lengths)]"""
    def of(tilt):
        return sum(part * mean(lengths, tilted(lengths, tilt)) for part, lengths in groups)

    def various(tilt):
        return min(rests_on(tilted(lengths, tilt)) for _, lengths in groups) >= least_lines
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        if of(middle) < wanted_mean:
            low = middle
        else:
            high = middle
    tilt = (low + high) / 2
    while not various(tilt) and abs(tilt) > 0.01:
        tilt *= 0.9
    return tilt


def draw(alerting, quiet, part, given):
    rng = random.Random(given.seed)
    lengths = [[len(line.encode()) for line in lines] for lines in (alerting, quiet)]
    tilt = find_tilt([(part, lengths[0]), (1 - part, lengths[1])], given.mean_bytes)
    weights = [tilted(one, tilt) for one in lengths]
    count = given.mix_lines
    alerts = min(count - 1, max(1, round(count * part)))
    lines = rng.choices(alerting, weights[0], k=alerts) + rng.choices(quiet, weights[1], k=count - alerts)
    rng.shuffle(lines)
    return lines


def make(given, directory):
    """Writes the mix below `directory`; answers its `--file` words, one line that always alerts, and a description."""
    lines, origin = candidates(given)
    file = pathlib.Path(directory) / "mix.log"
    answers = engine(given, "--file", write(file, lines), "--classify", "--agents", 1).strip()
    if len(answers) != len(lines):
        raise bench_error(f"{len(lines)} lines were asked about and {len(answers)} answered")
    alerting = [line for line, answer in zip(lines, answers) if answer == "1"]
    quiet = [line for line, answer in zip(lines, answers) if answer == "0"]
    if not alerting or not quiet:
        raise bench_error("the lines do not serve: of some kind there is none (alerting, quiet)")
    part = wanted = given.alerting
    for _ in range(6):
        drawn = draw(alerting, quiet, part, given)
        argument = write(file, drawn)
        report = json.loads(engine(given, "--file", argument, "--lines", 4 * given.mix_lines, "--agents", 4))
        measured = report["alerts"] / report["events"]
        if abs(measured - wanted) <= max(0.01 * wanted, 1.5 / given.mix_lines) or measured == 0:
            break
        part = min(0.9, part * wanted / measured)
    about = {
        "from": origin,
        "lines": len(drawn),
        "different_lines": len(set(drawn)),
        "mean_bytes": round(statistics.mean(len(line.encode()) for line in drawn), 1),
        "alerting": round(measured, 4),
    }
    print(f"mix: {about['lines']} lines ({about['different_lines']} different) of {origin}, "
          f"{about['mean_bytes']} bytes in the mean, {100 * about['alerting']:.1f} % alert", flush=True)
    if origin == "config/samples":
        print(f"note: no reference data in {given.data}; config/samples serve instead", flush=True)
    return ["--file", argument], about


def probe_file(given, directory):
    """A file with one line that alerts each time it comes, also with a number behind it."""
    line = "Nov 24 08:00:31 web-01 sshd[701]: Accepted password for probe from 192.0.2.77 port 50022 ssh2"
    file = pathlib.Path(directory) / "probe.log"
    argument = write(file, [f"{line} picketsim=latency:001:{number}" for number in range(1, 101)])
    report = json.loads(engine(given, "--file", argument, "--lines", 400, "--agents", 1))
    if report["alerts"] != report["events"]:
        raise bench_error(f"only {report['alerts']} of {report['events']} probes alert with this rule set")
    return write(file, [line])
