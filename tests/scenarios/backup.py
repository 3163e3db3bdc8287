"""backup.py BOXOFFICE - `boxoffice backup`, `restore --verify` and `doctor`, beside a server that sells. TAP."""

import json
import os
import pathlib
import resource
import select
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request

BOXOFFICE = sys.argv[1]
BUYERS = 4
ROUNDS = 4
CONFIRMED = 2  # order_state.status


def run(*args, status=0, **environment):
    done = subprocess.run([BOXOFFICE, *args], capture_output=True, text=True, timeout=300, check=False, env={**os.environ, **environment})
    assert done.returncode == status, f"{args}: {done.returncode}, not {status}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class Server:
    """The demo's box office, open."""

    def __init__(self, data):
        self.process = subprocess.Popen([BOXOFFICE, "serve", "--listen", "127.0.0.1:0", "--data", str(data)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert select.select([self.process.stdout], [], [], 60)[0]
        self.url = self.process.stdout.readline().split()[-1]

    def ask(self, path, body=None, token=None, key=None):
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        if key:
            headers["idempotency-key"] = key
        request = urllib.request.Request(self.url + path, json.dumps(body).encode() if body is not None else None, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def close(self):
        self.process.terminate()
        assert self.process.wait(60) == 0


class Crowd:
    """Buys until it is told to stop, and remembers what was acknowledged."""

    def __init__(self, server):
        self.server = server
        self.orders = []
        self.failures = []
        self.stop = threading.Event()
        events = [event for event in server.ask("/events?available=true&limit=100")["data"]
                  if any(method["type"] == "card" for method in event["payment_methods"])]
        self.types = [(event["id"], event["ticket_types"][0]["id"]) for event in events]
        self.threads = [threading.Thread(target=self.buy, args=(f"user{number}@example.test", number)) for number in range(2, 2 + BUYERS)]
        for thread in self.threads:
            thread.start()

    def buy(self, email, seed):
        token = self.server.ask("/login", {"email": email, "password": "demo demo demo"})["access_token"]
        number = seed
        while not self.stop.is_set():
            number += BUYERS
            event, ticket_type = self.types[number % len(self.types)]
            try:
                order = self.server.ask("/tickets/book", {"event_id": event, "items": [{"ticket_type_id": ticket_type, "quantity": 1}]},
                                        token, f"book-{number}")["order"]
                pay = {"order_id": order["id"], "method": "card", "token": "tok_visa"} if order["total"]["amount"] else \
                    {"order_id": order["id"], "method": "free"}
                if self.server.ask("/payment", pay, token, f"pay-{number}")["order"]["status"] == "confirmed":
                    self.orders.append(order["id"])
            except urllib.error.HTTPError as refusal:
                if refusal.code >= 500:
                    self.failures.append(refusal.code)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def backups_of_a_server_that_sells_are_whole(place, demo):
    server = Server(demo)
    crowd = Crowd(server)
    try:
        for number in range(ROUNDS):
            while len(crowd.orders) < 20 * (number + 1) and any(thread.is_alive() for thread in crowd.threads):
                crowd.stop.wait(0.01)
            acknowledged = len(crowd.orders)
            assert "keys" in run("backup", str(place / f"backup{number}"), "--data", str(demo))
            assert len(crowd.orders) >= acknowledged
            said = run("restore", str(place / f"backup{number}"), "--data", str(place / f"restored{number}"), "--verify")
            assert said.count("agree") == 2, said
            with sqlite3.connect(f"file:{place}/restored{number}/booking.db?mode=ro", uri=True) as db:
                confirmed = db.execute("SELECT count(*) FROM order_state WHERE status = ?", (CONFIRMED,)).fetchone()[0]
            with sqlite3.connect(f"file:{demo}/booking.db?mode=ro", uri=True) as db:
                now = db.execute("SELECT count(*) FROM order_state WHERE status = ?", (CONFIRMED,)).fetchone()[0]
            assert acknowledged <= confirmed <= now, (acknowledged, confirmed, now)
        assert not crowd.failures, crowd.failures
    finally:
        crowd.end()
        server.close()


def what_was_restored_sells_on(place, _demo):
    server = Server(place / "restored0")
    crowd = Crowd(server)
    while len(crowd.orders) < 5 and any(thread.is_alive() for thread in crowd.threads):
        crowd.stop.wait(0.01)
    crowd.end()
    server.close()
    assert len(crowd.orders) >= 5
    assert "agree" in run("audit", "--data", str(place / "restored0"))


def anybody_can_check_the_files(place, _demo):
    backup = place / "backup0"
    assert subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=backup, check=False).returncode == 0
    assert {path.stat().st_mode & 0o077 for path in [backup, *backup.rglob("*")] if path.name != "SHA256SUMS"} == {0}


def what_was_changed_is_not_restored(place, _demo):
    backup, data = place / "backup1", place / "changed"
    with open(backup / "booking.db", "r+b") as file:
        file.seek(5000)
        file.write(b"x")
    assert "booking.db: is not what was backed up" in run("restore", str(backup), "--data", str(data), status=1)
    assert not list(data.glob("*.db"))
    sums = place / "backup2" / "SHA256SUMS"
    sums.write_text(sums.read_text().replace("keys/master.key", "../master.key"))
    assert "is not of a backup" in run("restore", str(place / "backup2"), "--data", str(data), status=1)


def nothing_is_overwritten(place, demo):
    assert "is there already" in run("restore", str(place / "backup0"), "--data", str(demo), status=1)
    assert "is there already" in run("backup", str(place / "backup0"), "--data", str(demo), status=1)
    server = Server(demo)
    try:
        assert "another server" in run("restore", str(place / "backup0"), "--data", str(demo), status=1)
    finally:
        server.close()
    assert "No such file" in run("restore", str(place / "nowhere"), "--data", str(place / "empty"), status=1)
    for args in [("backup",), ("restore",), ("backup", "a", "b")]:
        assert run(*args, "--data", str(demo), status=2).count("\n") == 1


def a_backup_that_fails_leaves_nothing(place, demo):
    def small_files():  # as a full disk would, in the middle of the second database
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    done = subprocess.run([BOXOFFICE, "backup", str(place / "failed"), "--data", str(demo)], capture_output=True, text=True, timeout=300, check=False,
                          preexec_fn=small_files, restore_signals=False)
    assert done.returncode == 1 and "booking.db" in done.stderr, done
    left = [path.name for path in place.glob("failed*/**/*")] + [path.name for path in place.glob("failed*")]
    assert left == [], left
    said = run("audit", "--data", str(demo))
    assert "agree" in said, said


def the_doctor_says_what_is_wrong(_place, demo):
    said = run("doctor", "--data", str(demo))
    rows = {tuple(line.split(None, 2)[:2]) for line in said.splitlines()}
    assert {("green", "configuration"), ("green", "database"), ("green", "cache"), ("yellow", "mail"), ("yellow", "payment")} <= rows, said
    assert all(f"{service}: answers" in said for service in ("identity", "booking", "payment", "notify", "analytics")), said
    said = run("doctor", "--data", str(demo), status=1, BOXOFFICE_MAIL_SMTP_URL="smtp://127.0.0.1:9", BOXOFFICE_MAIL_REQUIRE_TLS="off")
    assert [line for line in said.splitlines() if line.startswith("red")][0].split()[1] == "mail", said
    said = run("doctor", "--data", str(demo), BOXOFFICE_CACHE_URL="redis://127.0.0.1:9")
    assert "Redis does not answer" in said, said
    said = run("doctor", "--data", str(demo), status=1, BOXOFFICE_DATABASE_URL="postgresql://127.0.0.1:9/")
    assert "red" in said, said


TESTS = [
    backups_of_a_server_that_sells_are_whole,
    what_was_restored_sells_on,
    anybody_can_check_the_files,
    what_was_changed_is_not_restored,
    nothing_is_overwritten,
    a_backup_that_fails_leaves_nothing,
    the_doctor_says_what_is_wrong,
]


def main():
    failed = False
    print(f"1..{len(TESTS)}")
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        run("demo", "--data", str(place / "demo"), "--size", "small", "--seed", "7")
        for number, test in enumerate(TESTS, 1):
            try:
                test(place, place / "demo")
                print(f"ok {number} - {test.__name__}", flush=True)
            except Exception as fault:  # pylint: disable=broad-except
                failed = True
                print(f"not ok {number} - {test.__name__}\n# {fault!r}"[:2000], flush=True)
    return failed


sys.exit(main())
