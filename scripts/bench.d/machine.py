"""What the machine is and does: its description, its load, processor time and memory of processes."""

import os
import pathlib
import platform
import re
import subprocess
import time

root = pathlib.Path(__file__).resolve().parents[2]
# Names of threads that the libraries gave, and what they do here.
thread_names = {"caf.multiplexer": "analysis", "caf.actor": "actors", "picketd": "http"}
tick_s = 1 / os.sysconf("SC_CLK_TCK")
page_bytes = os.sysconf("SC_PAGE_SIZE")


def describe():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "processors": os.cpu_count(),
        "memory_mib": int(memory.group(1)) // 1024,
        "kernel": platform.release(),
    }


def commit():
    """The commit of the tree, with `+changes` if files differ from it."""
    def git(*words):
        run = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
        return run.stdout.strip() if run.returncode == 0 else ""
    name = git("rev-parse", "--short=12", "HEAD")
    return (name or "unknown") + ("+changes" if git("status", "--porcelain", "--untracked-files=no") else "")


def busy_seconds():
    """Processor seconds that all processors together have been busy since the start of the machine."""
    ticks = [int(word) for word in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) * tick_s  # without idle and iowait


def load(sample_s=0.5):
    """Load averages, and how many processors are busy right now."""
    began, before = time.monotonic(), busy_seconds()
    time.sleep(sample_s)
    busy = (busy_seconds() - before) / (time.monotonic() - began)
    return {"average": [round(one, 2) for one in os.getloadavg()], "busy_processors": round(busy, 2)}


def stat_seconds(path):
    """User and system seconds of a /proc/…/stat file."""
    fields = pathlib.Path(path).read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) * tick_s, int(fields[12]) * tick_s


def process_seconds(pid):
    return sum(stat_seconds(f"/proc/{pid}/stat"))


def thread_seconds(pid):
    """{thread name: [user seconds, system seconds]}, threads of one name and a number added up."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = re.sub(r"-?\d+$", "", (task / "comm").read_text().strip())
            user, system = stat_seconds(task / "stat")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        sums = found.setdefault(thread_names.get(name, name), [0.0, 0.0])
        sums[0] += user
        sums[1] += system
    return found


def memory_bytes(pid):
    """Resident memory of a process: all of it, what is its own, and the greatest so far."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    kib = {name: int(value) for name, value in re.findall(r"(\w+):\s+(\d+) kB", text)}
    return {"all": kib["VmRSS"] * 1024, "own": kib["RssAnon"] * 1024, "peak": kib["VmHWM"] * 1024}


def kernel_socket_bytes():
    """Memory of the kernel for TCP sockets of the whole machine."""
    found = re.search(r"^TCP: .* mem (\d+)", pathlib.Path("/proc/net/sockstat").read_text(), re.M)
    return int(found.group(1)) * page_bytes if found else 0
