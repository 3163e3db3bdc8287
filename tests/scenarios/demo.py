"""demo.py BOXOFFICE - `boxoffice demo`: the same rows for the same seed and time, books that agree, nothing half, something for each page. TAP."""

import json
import os
import pathlib
import select
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request

BOXOFFICE = sys.argv[1]
NOW = "2026-12-01T12:00:00Z"
SERVICES = ["identity", "booking", "payment", "notify"]


def run(*args, status=0):
    done = subprocess.run([BOXOFFICE, *args], capture_output=True, text=True, timeout=300)
    assert done.returncode == status, f"{args}: {done.returncode}, not {status}: {done.stderr}"
    return done.stdout + done.stderr


def make(data, *args, status=0):
    return run("demo", "--data", str(data), "--size", "small", *args, status=status)


def rows(data):
    """All that is in it: every table, and the keys."""
    lines = []
    for service in SERVICES:
        with sqlite3.connect(f"file:{data}/{service}.db?mode=ro", uri=True) as db:
            lines += [f"{service}: {line}" for line in db.iterdump()]
    return lines + [f"{key.name}: {key.read_bytes().hex()}" for key in sorted((data / "keys").iterdir())]


def ask(data, sql):
    with sqlite3.connect(f"file:{data}/booking.db?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def the_same_seed_and_time_make_the_same_rows(place, demo):
    make(place / "again", "--seed", "7", "--now", NOW)
    make(place / "other", "--seed", "8", "--now", NOW)
    first, again, other = rows(demo), rows(place / "again"), rows(place / "other")
    assert len(first) > 10000
    assert first == again, next(pair for pair in zip(first, again) if pair[0] != pair[1])
    assert first != other


def the_books_agree(_place, demo):
    assert "agree" in run("audit", "--data", str(demo))


def there_is_something_for_each_page(_place, demo):
    assert {status for (status,) in ask(demo, "SELECT DISTINCT status FROM order_state")} == {0, 1, 2, 3, 4, 5, 6}
    assert {status for (status,) in ask(demo, "SELECT DISTINCT status FROM ticket")} >= {0, 1, 2, 3}
    assert {status for (status,) in ask(demo, "SELECT DISTINCT status FROM event_key")} == {0, 1, 2}
    assert ask(demo, "SELECT count(*) FROM ticket_type_stock WHERE remaining = 0")[0][0] > 0
    assert ask(demo, "SELECT count(*) FROM event_document WHERE online = 1")[0][0] > 0
    assert ask(demo, "SELECT count(*) FROM ticket_type WHERE price_minor = 0")[0][0] > 0
    assert ask(demo, "SELECT count(*) FROM ticket")[0][0] >= 5000
    currencies = {code for (code,) in ask(demo, "SELECT DISTINCT currency FROM event_document")}
    assert {"JPY", "KWD", "EUR"} <= currencies, currencies


def nobody_is_mailed_and_all_can_sign_in(_place, demo):
    server = subprocess.Popen([BOXOFFICE, "serve", "--listen", "127.0.0.1:0", "--data", str(demo)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert select.select([server.stdout], [], [], 60)[0]
        url = server.stdout.readline().split()[-1]
        for who, role in [("customer", "customer"), ("vendor", "vendor"), ("admin", "admin")]:
            body = json.dumps({"email": f"{who}@example.test", "password": "demo demo demo"}).encode()
            with urllib.request.urlopen(urllib.request.Request(f"{url}/login", body, {"content-type": "application/json"}), timeout=60) as answer:
                assert json.load(answer)["user"]["role"] == role
        with urllib.request.urlopen(f"{url}/events?available=true", timeout=60) as answer:
            assert len(json.load(answer)["data"]) > 0
    finally:
        server.terminate()
        assert server.wait(60) == 0
    assert not list((demo / "outbox").glob("*.eml"))


def what_holds_data_is_left_alone(place, demo):
    before = rows(demo)
    assert "holds data already" in make(demo, status=1)
    assert rows(demo) == before
    (place / "mine.part").mkdir()
    (place / "mine.part" / "file").write_text("mine")
    assert "in the way" in make(place / "mine", status=1)
    assert (place / "mine.part" / "file").read_text() == "mine"


def what_was_interrupted_is_made_anew(place, _demo):
    data = place / "broken"
    running = subprocess.Popen([BOXOFFICE, "demo", "--data", str(data)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    part = place / "broken.part"
    while not (part / "booking.db").exists() and running.poll() is None:
        select.select([], [], [], 0.01)
    running.kill()
    running.wait(60)
    assert part.exists() and not data.exists()
    make(data, "--now", NOW)
    assert (data / "demo.txt").exists() and not part.exists()


def a_wrong_call_is_said_in_one_line(place, _demo):
    for args in [("--size", "tiny"), ("--seed", "x"), ("--seed", "-1"), ("--now", "today")]:
        said = run("demo", "--data", str(place / "none"), *args, status=2)
        assert said.count("\n") == 1, said
    assert not (place / "none").exists() and not (place / "none.part").exists()


TESTS = [
    the_same_seed_and_time_make_the_same_rows,
    the_books_agree,
    there_is_something_for_each_page,
    what_holds_data_is_left_alone,
    nobody_is_mailed_and_all_can_sign_in,
    what_was_interrupted_is_made_anew,
    a_wrong_call_is_said_in_one_line,
]


def main():
    failed = False
    print(f"1..{len(TESTS)}")
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        make(place / "demo", "--seed", "7", "--now", NOW)
        for number, test in enumerate(TESTS, 1):
            try:
                test(place, place / "demo")
                print(f"ok {number} - {test.__name__}", flush=True)
            except Exception as fault:  # pylint: disable=broad-except
                failed = True
                print(f"not ok {number} - {test.__name__}\n# {fault!r}"[:2000], flush=True)
    return failed


sys.exit(main())
