"""Results: figures of several runs, their JSON file, and the comparison of two such files."""

import datetime
import json
import pathlib
import statistics

import machine

# What is better, by the last word of a figure's name; what is not here is shown and not judged.
better_by_ending = {"per_s": "more", "us": "less", "ns": "less", "ms": "less", "bytes": "less", "ratio": "less"}


def better(name):
    for ending, which in better_by_ending.items():
        if name == ending or name.endswith("_" + ending) or name.endswith("." + ending):
            return which
    return None


def summary(runs):
    """{figure: median, least, most} over runs, which are {figure: number}."""
    figures = {}
    for name in dict.fromkeys(name for run in runs for name in run):
        values = [run[name] for run in runs if name in run]
        figures[name] = {"median": statistics.median(values), "min": min(values), "max": max(values),
                         "runs": len(values)}
    return figures


def text_of(value):
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"


def show(figures):
    width = max((len(name) for name in figures), default=0)
    for name, one in figures.items():
        line = f"  {name:<{width}}  {text_of(one['median']):>12}"
        if one["runs"] > 1:
            line += f"   {text_of(one['min'])} … {text_of(one['max'])}"
        print(line)


class recorder:
    """Collects the runs of one measurement, then prints and stores them."""

    def __init__(self, bench, given, settings):
        self.bench, self.given = bench, given
        self.runs = []
        self.document = {
            "bench": bench,
            "commit": machine.commit(),
            "began": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "machine": machine.describe(),
            "settings": settings,
            "load_before": machine.load(),
        }
        about = self.document["machine"]
        print(f"bench {bench}: commit {self.document['commit']}, {about['processors']} x {about['cpu']}, "
              f"seed {given.seed}, {given.runs} runs")
        print(f"load before: {self._load('load_before')}", flush=True)

    def _load(self, which):
        load = self.document[which]
        return f"{' '.join(str(one) for one in load['average'])}; {load['busy_processors']} processors busy"

    def add(self, figures, say=True):
        self.runs.append({name: round(value, 6) for name, value in figures.items()})
        if say:
            first = ", ".join(f"{name} {text_of(value)}" for name, value in list(figures.items())[:4])
            print(f"  run {len(self.runs)}: {first}", flush=True)

    def finish(self):
        self.document["load_after"] = machine.load()
        self.document["runs"] = self.runs
        self.document["figures"] = summary(self.runs)
        print(f"load after:  {self._load('load_after')}")
        print("median (least … most):")
        show(self.document["figures"])
        file = pathlib.Path(self.given.out) if self.given.out else self.default_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(self.document, indent=1) + "\n")
        print(f"stored in {file}")
        return self.document

    def default_file(self):
        stamp = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        return machine.root / "build/bench" / f"{self.bench}-{stamp}.json"


def load(path):
    try:
        document = json.loads(pathlib.Path(path).read_text())
        document["figures"].items()
        return document
    except (OSError, ValueError, KeyError, AttributeError) as fault:
        raise SystemExit(f"bench: {path} is no result of this bench: {fault}") from None


def verdict(old, new, which):
    """What a change is beyond what the runs of each side differ among themselves; empty: nothing."""
    if min(old["runs"], new["runs"]) < 3:
        return ""  # too few to know their spread
    if new["min"] > old["max"]:
        return {"more": "better", "less": "worse"}.get(which, "changed")
    if new["max"] < old["min"]:
        return {"more": "worse", "less": "better"}.get(which, "changed")
    return ""


def compare(old_path, new_path):
    """Prints the two side by side; answers {figure: (ratio, verdict)}."""
    old, new = load(old_path), load(new_path)
    if old["bench"] != new["bench"]:
        raise SystemExit(f"bench: one file is of '{old['bench']}', the other of '{new['bench']}'")
    for name, one in (("old", old), ("new", new)):
        print(f"{name}: commit {one['commit']}, {one['began']}, {len(one['runs'])} runs, "
              f"busy processors before {one['load_before']['busy_processors']}, after {one['load_after']['busy_processors']}")
    for key in ("machine", "settings"):
        for name in sorted(set(old[key]) | set(new[key])):
            if old[key].get(name) != new[key].get(name):
                print(f"note: {key} '{name}' differs: {old[key].get(name)} and {new[key].get(name)}")
    names = [name for name in old["figures"] if name in new["figures"]]
    width = max((len(name) for name in names), default=0)
    print(f"{'':<{width}}  {'old':>12} {'spread':>12} {'new':>12} {'spread':>12}  ratio  beyond the spread")
    answers = {}
    for name in names:
        a, b = old["figures"][name], new["figures"][name]
        ratio = b["median"] / a["median"] if a["median"] else float("nan")
        word = verdict(a, b, better(name))
        answers[name] = (ratio, word)
        print(f"{name:<{width}}  {text_of(a['median']):>12} {text_of(a['max'] - a['min']):>12} "
              f"{text_of(b['median']):>12} {text_of(b['max'] - b['min']):>12}  {ratio:5.2f}  {word}")
    for name in sorted(set(old["figures"]) ^ set(new["figures"])):
        print(f"note: '{name}' is in one of them only")
    return answers
