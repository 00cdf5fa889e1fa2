#!/usr/bin/env python3
"""What a fleet costs.

    scripts/fleet.py smoke target/release/dtu-sim       # a thousand devices for a few seconds: for CI
    scripts/fleet.py measure target/release/dtu-sim     # 5 minutes; writes docs/fleet.json
    scripts/fleet.py virtual target/release/dtu-sim     # some minutes; prints the table of fleets in virtual time
    scripts/fleet.py plot                               # docs/fleet.json to docs/images/fleet-*.svg, and the tables

CPU is /proc/PID/task/*/schedstat, memory is VmRSS of the fleet alone (its kernel sockets are nobody's) and PSS where
programs are compared. The server is `dtu-sim echo`.
"""

import json
import math
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs" / "fleet.json"
IMAGES = ROOT / "docs" / "images"
COUNTS = [1, 10, 100, 1000, 10_000]
SIZES = [16, 64, 256, 1024]
PERCENTILES = ["p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms"]


class Echo:
    """The server."""

    def __init__(self, program):
        command = [program, "echo", "--listen", "127.0.0.1:0", "--register", "DTU{id}", "--quiet", "--most", "12000"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip().removeprefix("ready listen=")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def cpu(pid):
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def kib(pid, file, key):
    return int(re.search(rf"^{key}:\s+(\d+)", Path(f"/proc/{pid}/{file}").read_text(), re.M)[1])


def fleet(program, steady, *options):
    """Runs one; its account, and what it cost in the seconds `steady` (from, to) of the run."""
    with Echo(program) as echo:
        command = [program, "fleet", "--target", f"tcp://{echo.address}", "--register", "DTU{id}", "--heartbeat", "HB{id}"]
        begun = time.monotonic()
        process = subprocess.Popen(
            command + ["--quiet", "--json"] + [str(option) for option in options], stdout=subprocess.PIPE, text=True
        )
        looks = []
        for moment in steady:
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            looks.append((time.monotonic(), cpu(process.pid), cpu(echo.process.pid)))
        memory = kib(process.pid, "status", "VmRSS")
        account = json.loads(process.communicate()[0])
        (from_, fleet_from, echo_from), (to, fleet_to, echo_to) = looks
        account["exit"] = process.returncode
        account["cpu"] = (fleet_to - fleet_from) / (to - from_)
        account["cpu_echo"] = (echo_to - echo_from) / (to - from_)
        account["rss_kib"] = memory
        return account


def in_virtual_time(program, *options):
    """Runs one without sockets and without a clock; its account, exit code and most memory."""
    command = [program, "fleet", "--virtual", "--register", "DTU{id}", "--heartbeat", "HB{id}", "--quiet", "--json"]
    process = subprocess.Popen(command + [str(option) for option in options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    account = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    account["exit"], account["rss_kib"] = os.waitstatus_to_exitcode(status), usage.ru_maxrss
    return account


# What a run is, and what it says of the devices beside their number and that of their frames.
VIRTUAL = {
    "57 bytes, TIME 0": ["--packing", 0, "--line-speed", 0, "--bytes", 57, "--period", 1],
    "64 bytes, TIME 100, 115200 Bd": ["--period", 10],
    "1024 bytes, TIME 100, 115200 Bd": ["--period", 10, "--bytes", 1024],
}


# Devices, frames of each, threads.
VIRTUAL_SIZES = [(1000, 1000, 1), (1000, 1000, 2), (100_000, 100, 2)]
ROUNDS = 5


def virtual(program):
    print("| frames | devices | of each | threads | frames/s: median, best | per CPU second: median, best | most memory, MiB | missing |")
    print("|---|---|---|---|---|---|---|---|")
    runs = [(name, size) for name in VIRTUAL for size in VIRTUAL_SIZES]
    found = {run: [] for run in runs}
    # In turns, so that a busy neighbour affects all of them alike.
    for _ in range(ROUNDS):
        for name, (count, frames, threads) in runs:
            account = in_virtual_time(program, "--count", count, "--frames", frames, "--threads", threads, *VIRTUAL[name])
            if account["exit"] != 0:
                return 1
            found[name, (count, frames, threads)].append(account)
    for (name, (count, frames, threads)), accounts in found.items():
        rates = [
            f"{statistics.median(all):,.0f}, {max(all):,.0f}"
            for key in ("frames_per_second", "frames_per_cpu_second")
            for all in [[account["speed"][key] for account in accounts]]
        ]
        memory = max(account["rss_kib"] for account in accounts) / 1024
        missing = sum(account["missing"] for account in accounts)
        print(f"| {name} | {count:,} | {frames:,} | {threads} | {' | '.join(rates)} | {memory:.1f} | {missing} |")
    print(f"\nload {os.getloadavg()[0]:.1f}")
    return 0


def smoke(program):
    account = in_virtual_time(program, "--count", 1000, "--frames", 50)
    print({key: account[key] for key in ("registered", "sent", "answered", "missing", "speed", "rss_kib")})
    if account["exit"] != 0 or account["answered"] != 50_000:
        return 1
    account = in_virtual_time(program, "--count", 1000, "--frames", 50, "--swallow", 1000)
    if account["exit"] != 1 or account["missing"] != account["server"]["swallowed"]:
        return 1
    account = fleet(program, (2, 4), "--count", 1000, "--ramp", 1000, "--period", 1, "--duration", 5)
    print({key: account[key] for key in ("registered", "sent", "answered", "missing", "cpu", "rss_kib")})
    wrong = account["exit"] != 0 or account["registered"] != 1000 or account["sent"] < 3000
    return 1 if wrong or account["answered"] != account["sent"] or account["missing"] else 0


def scale(program, count):
    ramp_time = count / 1000
    steady = (ramp_time + 2, ramp_time + 14)
    options = ["--count", count, "--ramp", 1000, "--period", 1, "--packing", 0, "--line-speed", 0]
    account = fleet(program, steady, *options, "--duration", ramp_time + 15)
    print(count, account["rss_kib"], account["cpu"], account["round_trip"], account["missing"], flush=True)
    return {"count": count} | {key: account[key] for key in ("cpu", "cpu_echo", "rss_kib", "round_trip", "registration", "sent", "missing", "exit")}


def throughput(program, size):
    # More than it can: what comes back is what it does.
    options = ["--count", 200, "--ramp", 10_000, "--period", 0.001, "--packing", 0, "--line-speed", 0, "--bytes", size]
    account = fleet(program, (2, 7), *options, "--duration", 8)
    rate = account["answered"] / account["seconds"]
    print(size, rate, account["missing"], flush=True)
    return {"bytes": size, "frames_per_second": rate, "missing": account["missing"], "cpu": account["cpu"], "cpu_echo": account["cpu_echo"]}


def others(program):
    """Memory of a hundred lines in programs that people use today: PSS, so what processes share counts once."""
    ports = 100
    found = {}
    with Echo(program) as echo, tempfile.TemporaryDirectory() as folder:
        host, port = echo.address.split(":")
        processes = [
            subprocess.Popen(["socat", f"PTY,link={folder}/s{number},raw,echo=0", f"TCP:{host}:{port},nodelay"])
            for number in range(ports)
        ]
        wait_for(lambda: all(Path(f"{folder}/s{number}").exists() for number in range(ports)))
        time.sleep(1)
        found["socat"] = sum(kib(process.pid, "smaps_rollup", "Pss") for process in processes)
        for process in processes:
            process.terminate()
            process.wait()

        # ser2net serves ptys, and calls the server back.
        ptys = [os.openpty() for _ in range(ports)]
        config = Path(folder, "ser2net.yaml")
        config.write_text(
            "\n".join(
                f"connection: &c{number}\n  accepter: tcp,127.0.0.1,{21000 + number}\n"
                f"  connector: serialdev,{os.ttyname(slave)},115200n81,local\n  options:\n"
                f"    connback: tcp,{host},{port}\n    max-connections: 2\n"
                for number, (_, slave) in enumerate(ptys)
            )
        )
        process = subprocess.Popen(["ser2net", "-d", "-c", str(config), "-P", f"{folder}/pid"], stderr=subprocess.DEVNULL)
        time.sleep(1)
        # A byte of each line opens its connection.
        for master, _ in ptys:
            os.write(master, b"x")
        time.sleep(2)
        connected = sum("socket:" in os.readlink(fd) for fd in Path(f"/proc/{process.pid}/fd").iterdir())
        if connected < 2 * ports:
            raise SystemExit(f"ser2net has {connected} sockets, {ports} listeners and as many connections are wanted")
        found["ser2net"] = kib(process.pid, "smaps_rollup", "Pss")
        process.send_signal(signal.SIGKILL)
        process.wait()

        command = [program, "fleet", "--target", f"tcp://{echo.address}", "--count", str(ports), "--period", "1", "--quiet", "--duration", "4"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(3)
        found["fleet"] = kib(process.pid, "smaps_rollup", "Pss")
        process.wait()
    print(found, flush=True)
    return {"ports": ports} | found


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("a program did not start")
        time.sleep(0.05)


def herd(program, count):
    begun = time.monotonic()
    process = subprocess.Popen([program, "herd", "--count", str(count), "--outage", "30000"], stdout=subprocess.PIPE, text=True)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    found = {"count": count, "seconds": time.monotonic() - begun, "cpu_seconds": usage.ru_utime + usage.ru_stime, "kib": usage.ru_maxrss}
    print(found, flush=True)
    return found


def measure(program):
    data = {
        "load": os.getloadavg()[0],
        "scale": [scale(program, count) for count in COUNTS],
        "throughput": [throughput(program, size) for size in SIZES],
        "others": others(program),
        "herd": [herd(program, count) for count in (1000, 10_000, 100_000)],
    }
    DATA.write_text(json.dumps(data, indent=1) + "\n")
    return 0


# Plots: plain SVG, which needs no library and reads in any browser.
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 560, 320, 70, 50, 40


def position(value, low, high):
    return (math.log10(value) - math.log10(low)) / (math.log10(high) - math.log10(low))


def spread(places, apart=14):
    """The same heights, so far apart that each label can be read."""
    moved, last = {}, -math.inf
    for index in sorted(range(len(places)), key=places.__getitem__):
        last = moved[index] = max(places[index], last + apart)
    return [moved[index] for index in range(len(places))]


def plot(name, title, x_title, y_title, ticks, series):
    """Lines over logarithmic axes; `ticks` are (x, label), a series is (label, [(x, y)])."""
    points = [point for _, line in series for point in line]
    xs = [x for x, _ in ticks]
    low_x, high_x = min(xs), max(xs)
    low_y = 10 ** math.floor(math.log10(min(y for _, y in points)))
    high_y = 10 ** math.ceil(math.log10(max(y for _, y in points) * 1.01))
    across = lambda x: LEFT + position(x, low_x, high_x) * (WIDTH - LEFT - 130)
    up = lambda y: HEIGHT - BOTTOM - position(y, low_y, high_y) * (HEIGHT - BOTTOM - TOP)
    colours = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b"]
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="20" font-size="14">{title}</text>',
        f'<text x="{(LEFT + WIDTH - 130) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{x_title}</text>',
        f'<text x="16" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 {HEIGHT / 2})">{y_title}</text>',
    ]
    for x, label in ticks:
        out.append(f'<line x1="{across(x):.1f}" x2="{across(x):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(f'<text x="{across(x):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{label}</text>')
    for power in range(round(math.log10(low_y)), round(math.log10(high_y)) + 1):
        y = up(10.0**power)
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - 130}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    label_at = spread([up(line[-1][1]) for _, line in series])
    for (label, line), colour, y_label in zip(series, colours, label_at):
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>' for x, y in line]
        out.append(f'<text x="{across(line[-1][0]) + 8:.1f}" y="{y_label + 4:.1f}" fill="{colour}">{label}</text>')
    (IMAGES / f"fleet-{name}.svg").write_text("\n".join(out + ["</svg>"]) + "\n")


def plots():
    data = json.loads(DATA.read_text())
    scale, speed = data["scale"], data["throughput"]
    counts = [(row["count"], f"{row['count']:,}") for row in scale]
    plot("memory", "Resident memory of a fleet", "devices", "MiB", counts,
         [("fleet", [(row["count"], row["rss_kib"] / 1024) for row in scale])])
    plot("throughput", "Frames answered, 200 devices, two cores that others use as well", "bytes of a frame", "frames/s",
         [(row["bytes"], str(row["bytes"])) for row in speed],
         [("fleet", [(row["bytes"], row["frames_per_second"]) for row in speed])])
    # Percentiles as the share that is slower.
    shares = [(2, "p50"), (10, "p90"), (100, "p99"), (1000, "p99.9")]
    keys = ["p50_ms", "p90_ms", "p99_ms", "p999_ms"]
    plot("latency", "Round trip, one frame a second a device", "percentile", "ms", shares,
         [(f"{row['count']:,} device{'s' * (row['count'] > 1)}", [(x, max(row["round_trip"][key], 0.001)) for (x, _), key in zip(shares, keys)]) for row in scale])
    print("| devices | RSS, MiB | CPU of the fleet | of the server | round trip p50 | p99 | missing |\n|---|---|---|---|---|---|---|")
    for row in scale:
        trip = row["round_trip"]
        print(f"| {row['count']:,} | {row['rss_kib'] / 1024:.1f} | {row['cpu'] * 100:.2f} % | {row['cpu_echo'] * 100:.2f} % "
              f"| {trip['p50_ms']:.2f} ms | {trip['p99_ms']:.2f} ms | {row['missing']} |")
    print("\n| bytes of a frame | frames/s answered | CPU of the fleet, us a frame | missing |\n|---|---|---|---|")
    for row in speed:
        rate = row["frames_per_second"]
        print(f"| {row['bytes']} | {rate:,.0f} | {row['cpu'] / rate * 1e6:.1f} | {row['missing']} |")
    first, last = next(row for row in scale if row["count"] == 1000), scale[-1]
    slope = (last["rss_kib"] - first["rss_kib"]) / (last["count"] - first["count"])
    print(f"\nload {data['load']:.1f}, slope {slope:.2f} KiB a device", data["others"], *data["herd"], sep="\n")
    return 0


def main():
    match sys.argv[1:]:
        case ["smoke", program]:
            return smoke(program)
        case ["virtual", program]:
            return virtual(program)
        case ["measure", program]:
            return measure(program)
        case ["plot"]:
            return plots()
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
