#!/usr/bin/env python3
"""How fast reads are answered, beside nginx with the same bytes and beside Fastify with PostgreSQL.

read_bench.py BUILD_DIR [--rounds 5] [--seconds 3] [--large 100000] [--no-peer] [--gate]

Everything runs on this machine, in a directory of its own, and is ended at the end: the program (rate limiting off, SQLite), nginx with as
many workers as there are cores, a private PostgreSQL with Fastify in front. In each round read_load asks the two of a row one right after the
other, so that what else the machine does meets both alike: the ratio is the median of the rounds' ratios, every other figure that of its rounds.
Printed are requests a second, the CPU time that a request costs the servers' processes, the ratio beside what it is to be, and the load of the
machine before and after. --gate: exit 1 if a ratio is not what it is to be.
"""
import argparse
import csv
import itertools
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORES = os.cpu_count()
CONNECTIONS = 200
FEW = 8  # connections for latencies: more would measure the queue in front of busy cores
TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")


# --- Data ---


def make_events(count, path):
    """Events of made-up words, common ones and rare ones, the same each time."""
    rng = random.Random(7)
    parts = "ba bri ko du fe gar hel jon kla lum mer nor pol ran sta tri vel wo zan chi sho lea ar en is".split()
    words = sorted({"".join(rng.choice(parts) for _ in range(rng.randint(2, 4))).capitalize() for _ in range(6000)})
    rng.shuffle(words)

    def word():
        return words[min(int(rng.paretovariate(0.6)) - 1, len(words) - 1)]

    venues = [(f"{word()} {rng.choice(['Hall', 'Arena', 'Club', 'Theatre'])} {i}", word()) for i in range(max(20, count // 50))]
    kinds = "concert conference gaming educational sports theatre festival other".split()
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow("name,starts_at,ends_at,timezone,venue,city,country,artists,type,description,price,currency,quantity".split(","))
        for i in range(count):
            venue, city = rng.choice(venues)
            day = f"2030-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
            artists = ";".join(sorted({word() + " " + word() for _ in range(rng.randint(0, 3))}))
            out.writerow([f"{word()} {word()} {word()} {i}", f"{day}T{rng.randint(10, 20)}:00", f"{day}T23:00", "Europe/Berlin", venue, city,
                          "Germany", artists, rng.choice(kinds), " ".join(word() for _ in range(40)), f"{rng.randint(5, 90)}.00", "EUR",
                          rng.randint(50, 5000)])
    return words


# --- Servers ---


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def wait_for(url, process=None):
    until = time.monotonic() + 180
    while True:
        try:
            return get(url)
        except OSError:
            if time.monotonic() > until or (process is not None and process.poll() is not None):
                sys.exit(f"read_bench: {url} does not answer")
            time.sleep(0.1)


class Server:
    """A process with its children: their CPU time, and their end."""

    def __init__(self, argv, log, env=None, cwd=None, preexec_fn=None):
        with open(log, "ab") as out:
            self.process = subprocess.Popen(argv, stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=cwd, preexec_fn=preexec_fn,
                                            env={**os.environ, **(env or {})}, start_new_session=True)
        self.others = []  # servers that work for this one

    def ticks(self):
        """User and system time of all processes of its session."""
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid:  # the session
                total += int(fields[11]) + int(fields[12])
        return total + sum(other.ticks() for other in self.others)

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def start_boxoffice(program, scratch, name, count):
    data = scratch / name
    data.mkdir(mode=0o700)
    events = scratch / f"{name}.csv"
    words = make_events(count, events)
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    subprocess.run([program, "user", "create", "--role", "vendor", "--email", "v@example.test", "--name", "V", "--vendor-name", "V",
                    "--data", data], **quiet)
    subprocess.run([program, "import", "events", events, "--vendor", "v@example.test", "--publish", "--data", data], **quiet)
    port = free_port()
    server = Server([program, "serve", "--listen", f"127.0.0.1:{port}", "--data", data], scratch / f"{name}.log",
                    env={"BOXOFFICE_GATEWAY_RATE_LIMIT": "off"})
    server.url = f"http://127.0.0.1:{port}"
    server.words = words
    wait_for(server.url + "/readyz", server.process)
    return server


def start_nginx(scratch):
    port = free_port()
    root = scratch / "www"
    root.mkdir()
    (scratch / "nginx.conf").write_text(f"""
worker_processes {CORES}; daemon off; pid {scratch}/nginx.pid; error_log stderr;
events {{ worker_connections 2048; }}
http {{
    access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000; keepalive_timeout 600;
    default_type application/json; open_file_cache max=1000 inactive=600s; open_file_cache_valid 600s;
    client_body_temp_path {scratch}/t1; proxy_temp_path {scratch}/t2; fastcgi_temp_path {scratch}/t3; uwsgi_temp_path {scratch}/t4;
    scgi_temp_path {scratch}/t5;
    server {{ listen 127.0.0.1:{port} reuseport; root {root}; }}
}}
""")
    scratch.chmod(0o755)  # its workers are nobody's
    root.chmod(0o755)
    server = Server(["nginx", "-c", scratch / "nginx.conf", "-p", scratch], scratch / "nginx.log")
    server.url = f"http://127.0.0.1:{port}"
    server.root = root
    return server


def nobody():
    """PostgreSQL refuses to run as root."""
    os.setgid(65534)
    os.setuid(65534)


def start_postgresql(scratch):
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    home = scratch / "postgresql"
    home.mkdir()
    preexec = None
    if os.getuid() == 0:
        os.chown(home, 65534, 65534)
        preexec = nobody
    subprocess.run([binaries / "initdb", "-D", home / "data", "-U", "bench", "-A", "trust", "--no-sync"], check=True, preexec_fn=preexec,
                   stdout=subprocess.DEVNULL, cwd=home)
    port = free_port()
    server = Server([binaries / "postgres", "-D", home / "data", "-h", "127.0.0.1", "-p", str(port), "-k", home, "-c", "shared_buffers=256MB"],
                    scratch / "postgresql.log", preexec_fn=preexec, cwd=home)
    server.url = f"postgres://bench@127.0.0.1:{port}/postgres"
    until = time.monotonic() + 30
    while subprocess.run([binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], check=False).returncode != 0:
        if time.monotonic() > until:
            sys.exit("read_bench: PostgreSQL does not start")
        time.sleep(0.1)
    return server


def start_peer(scratch, boxoffice):
    peer = HERE / "peer"
    if not (peer / "node_modules" / "fastify").is_dir():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=peer, check=True, stdout=subprocess.DEVNULL)
    database = start_postgresql(scratch)
    events, cursor = [], ""
    while cursor is not None:
        page = json.loads(get(f"{boxoffice.url}/events?limit=100" + (f"&cursor={cursor}" if cursor else "")))
        events += page["data"]
        cursor = page["next_cursor"]
    (scratch / "events.json").write_text(json.dumps(events))
    env = {"DATABASE_URL": database.url, "PORT": str(free_port()), "WORKERS": str(CORES), "POOL": "10", "NODE_ENV": "production"}
    subprocess.run(["node", peer / "server.mjs", "load", scratch / "events.json"], check=True, env={**os.environ, **env})
    server = Server(["node", peer / "server.mjs"], scratch / "peer.log", env=env)
    server.url = f"http://127.0.0.1:{env['PORT']}"
    server.others = [database]
    wait_for(server.url + "/events?limit=1", server.process)
    return server


# --- Measuring ---


LOAD = None  # the program that asks


def load(server, requests, seconds, connections):
    out = subprocess.run([LOAD, server.url.rpartition(":")[2], str(connections), str(seconds), requests], capture_output=True, text=True,
                         check=False)
    if out.returncode != 0:
        sys.exit(f"read_bench: {server.url} {requests.name}: {out.stderr}")
    said = json.loads(out.stdout)
    if said["refused"] > 0 or said["requests"] == 0:
        sys.exit(f"read_bench: {server.url} {requests.name}: {said}")
    return said


class Figure:
    def __init__(self, server, requests, connections=CONNECTIONS):
        self.server, self.requests, self.connections = server, requests, connections
        self.rates, self.costs, self.p99s = [], [], []

    def measure(self, seconds):
        before = self.server.ticks()
        said = load(self.server, self.requests, seconds, self.connections)
        self.rates.append(said["requests"] / said["seconds"])
        self.costs.append((self.server.ticks() - before) * TICK_US / said["requests"])
        self.p99s.append(said["p99_ms"])

    rate = property(lambda self: statistics.median(self.rates))
    cost = property(lambda self: statistics.median(self.costs))
    p99 = property(lambda self: statistics.median(self.p99s))


class Table:
    def __init__(self):
        self.failed = []

    def row(self, name, figure, limit, aim):
        ratio = statistics.median(ours / theirs for ours, theirs in zip(figure.rates, limit.rates))
        verdict = "" if ratio >= aim else "  <- below"
        if ratio < aim:
            self.failed.append(name)
        print(f"{name:34}{figure.rate:10,.0f}/s {figure.cost:8.1f} us {limit.rate:10,.0f}/s {limit.cost:8.1f} us {ratio:8.2f}  aim {aim:g}{verdict}",
              flush=True)

    def latency(self, name, figure, aim_ms):
        verdict = "" if figure.p99 <= aim_ms else "  <- above"
        if figure.p99 > aim_ms:
            self.failed.append(name)
        print(f"{name:34}{figure.rate:10,.0f}/s {figure.cost:8.1f} us   p99 {figure.p99:6.2f} ms  aim {aim_ms} ms{verdict}", flush=True)


def requests(scratch, name, lines):
    path = scratch / f"{name}.txt"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def searches_again(words):
    return [f"GET /events?search={word[:4].lower()}" for word in words[:100]]


def searches_new(words, count=200000):
    """As people type: beginnings, one or two words, some misspelt; none comes twice."""
    rng = random.Random(11)
    lines = []
    for i in range(count):
        one, two = rng.choice(words[:400]).lower(), rng.choice(words[:400]).lower()
        text = one[: rng.randint(3, len(one))] + ("" if rng.random() < 0.5 else "%20" + two)
        if rng.random() < 0.25:
            text = text[:2] + text[3:]
        lines.append(f"GET /events?search={text}&price_max={90000000 + i}")
    return lines


def measure(figures, args):
    """Round by round, in their order: the two of a row belong side by side."""
    for figure in figures:
        figure.measure(1)  # warm
        figure.rates, figure.costs, figure.p99s = [], [], []
    for _ in range(args.rounds):
        for figure in figures:
            figure.measure(args.seconds)


def print_load(when):
    print(f"load average {when}: {os.getloadavg()[0]:.1f}", flush=True)


def run(args, scratch, servers, table):
    program = Path(args.build).resolve() / "src" / "boxoffice"
    boxoffice = start_boxoffice(program, scratch, "small", 500)
    servers.append(boxoffice)
    nginx = start_nginx(scratch)
    servers.append(nginx)
    event = json.loads(get(boxoffice.url + "/events?limit=1"))["data"][0]["id"]
    search = "/events?search=" + boxoffice.words[0][:4].lower()
    for name, path in (("event", f"/events/{event}"), ("list", "/events"), ("search", search)):
        (nginx.root / f"{name}.json").write_bytes(get(boxoffice.url + path))
        (nginx.root / f"{name}.json").chmod(0o644)
    wait_for(nginx.url + "/event.json", nginx.process)
    asked = {
        "details": [f"GET /events/{event}"],
        "details, HEAD": [f"HEAD /events/{event}"],
        "list of 20": ["GET /events"],
        "availability, HEAD": [f"HEAD /events/{event}/tickets"],
        "search, asked before": searches_again(boxoffice.words),
        "search, new each time": searches_new(boxoffice.words),
    }
    asked = {name: requests(scratch, name, lines) for name, lines in asked.items()}
    static = {name: requests(scratch, f"static {name}", [line]) for name, line in (
        ("details", "GET /event.json"), ("HEAD", "HEAD /event.json"), ("list", "GET /list.json"), ("search", "GET /search.json"))}
    limits = {
        "details": ("details", 1.0), "details, HEAD": ("HEAD", 1.0), "list of 20": ("list", 0.9), "availability, HEAD": ("HEAD", 1.0),
        "search, asked before": ("search", 0.5), "search, new each time": ("search", 0.5),
    }
    pairs = {name: (Figure(boxoffice, lines), Figure(nginx, static[limits[name][0]])) for name, lines in asked.items()}
    print(f"{CORES} cores, {CONNECTIONS} connections, medians of {args.rounds} rounds of {args.seconds} s; CPU time is that of the server a request")
    print_load("before")
    print(f"{'500 events':34}{'Boxoffice':>12} {'CPU':>11} {'nginx':>12} {'CPU':>11} {'ratio':>8}")
    measure(list(itertools.chain(*pairs.values())), args)
    for name, (ours, limit) in pairs.items():
        table.row(name, ours, limit, limits[name][1])
    few = Figure(boxoffice, asked["search, new each time"], FEW)
    measure([few], args)
    table.latency(f"search, new, {FEW} connections", few, 2)

    if not args.no_peer:
        peer = start_peer(scratch, boxoffice)
        servers += [peer, peer.others[0]]
        print(f"{'500 events':34}{'Boxoffice':>12} {'CPU':>11} {'Fastify, pg':>12} {'CPU':>11} {'ratio':>8}")
        pairs = {name: (Figure(boxoffice, asked[name]), Figure(peer, asked[name]))
                 for name in ("details", "list of 20", "search, asked before", "availability, HEAD")}
        measure(list(itertools.chain(*pairs.values())), args)
        for name, (ours, theirs) in pairs.items():
            table.row(name, ours, theirs, 15)

    if args.large > 0:
        for server in servers:
            server.stop(signal.SIGQUIT if server is nginx else signal.SIGTERM)
        large = start_boxoffice(program, scratch, "large", args.large)
        servers.append(large)
        print(f"{args.large:,} events")
        for name, lines in (("list of 20", ["GET /events"]), ("search, new", searches_new(large.words))):
            figure = Figure(large, requests(scratch, f"large {name}", lines), FEW)
            measure([figure], args)
            table.latency(f"{name}, {FEW} connections", figure, 10)
    print_load("after")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--large", type=int, default=100000)
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--gate", action="store_true")
    args = parser.parse_args()
    global LOAD
    LOAD = Path(args.build).resolve() / "tests" / "bench" / "read_load"
    for tool in ["nginx"] + ([] if args.no_peer else ["node", "npm"]):
        if shutil.which(tool) is None:
            sys.exit(f"read_bench: {tool} is missing: scripts/deps bench installs it")
    scratch, servers, table = Path(tempfile.mkdtemp(prefix="read_bench.")), [], Table()
    try:
        run(args, scratch, servers, table)
    finally:
        for server in servers:
            server.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    if args.gate and table.failed:
        sys.exit(f"read_bench: not what it is to be: {', '.join(table.failed)}")


if __name__ == "__main__":
    main()
