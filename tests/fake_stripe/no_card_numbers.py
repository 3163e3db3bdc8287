#!/usr/bin/python3
"""fake_stripe/no_card_numbers.py BOXOFFICE: a card is paid with on the provider's page, and its number is nowhere in what we keep: not in a
database, a mail, a log. Looks for every run of 13 to 19 digits that could be a card's (first digit, Luhn), also in what mails carry encoded.
"""
import base64
import contextlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "contract"))
from program import Program  # noqa: E402

CARDS = ("4242 4242 4242 4242", "5555555555554444")


def luhn(digits):
    total = 0
    for i, digit in enumerate(reversed(digits)):
        n = int(digit) * (2 if i % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


def card_numbers(data):
    """Runs of digits that could be card numbers: ISO/IEC 7812, of the schemes that there are (3 to 6, and Mastercard's 2221 to 2720)."""
    found = []
    runs = rb"[0-9]{13,19}|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}|[0-9]{4}([ -])[0-9]{6}\2[0-9]{5}"
    for match in re.finditer(rb"(?<![0-9])(?:" + runs + rb")(?![0-9])", data):
        digits = re.sub(rb"[ -]", b"", match[0]).decode()
        if (digits[0] in "3456" or 2221 <= int(digits[:4]) <= 2720) and luhn(digits):
            found.append(digits)
    return found


def decoded(data):
    """What base64 lines, as of mails, stand for."""
    for block in re.findall(rb"(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/=]*", data):
        with contextlib.suppress(ValueError):
            yield base64.b64decode(re.sub(rb"\s", b"", block))


def post(program, who, path, body, key=None):
    headers = [("Content-Type", "application/json")] + ([("Authorization", f"Bearer {who}")] if who else []) + ([("Idempotency-Key", key)] if key else [])
    answer = program.send("POST", path, headers, json.dumps(body).encode())
    assert answer.status in (200, 201), f"POST {path}: {answer.status} {answer.text[:500]}"
    return answer.json


def register(program, role):
    more = {"vendor_name": "Hall"} if role == "vendor" else {}
    return post(program, None, "/register", {"email": f"{role}@example.test", "password": "correct horse", "name": role, "role": role, **more})["access_token"]


def buy(program, vendor, buyer, number, card):
    event = post(program, vendor, "/events", {
        "name": f"Concert {number}", "type": "concert", "starts_at": "2030-01-01T18:00:00Z", "ends_at": "2030-01-01T20:00:00Z", "timezone": "Africa/Cairo",
        "venue": {"name": "Opera House", "city": "Cairo", "country": "EG"}, "artists": [], "currency": "EGP",
        "ticket_types": [{"name": "Floor", "price": 25000, "quantity": 10}], "payment_methods": [{"type": "card"}], "status": "published"})
    order = post(program, buyer, "/tickets/book", {"event_id": event["id"], "items": [{"ticket_type_id": event["ticket_types"][0]["id"], "quantity": 1}]}, f"book-{number}")["order"]
    paid = post(program, buyer, "/payment", {"order_id": order["id"], "method": "card"}, f"pay-{number}")
    assert paid["payment"]["status"] == "requires_action", paid

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    with contextlib.suppress(urllib.error.HTTPError):  # 303, back to the shop
        urllib.request.build_opener(Stay).open(paid["payment"]["redirect_url"].partition("#")[0], urllib.parse.urlencode({"card": card}).encode())
    for _ in range(20):
        program.advance(3)
        paid = post(program, buyer, "/payment", {"order_id": order["id"], "method": "card"}, f"pay-{number}")
        if paid["payment"]["status"] == "succeeded":
            break
    assert paid["payment"]["status"] == "succeeded" and paid["tickets"], paid


def main():
    assert card_numbers(b"x4242-4242-4242-4242y") and card_numbers(b" 4242 4242 4242 4242.") and card_numbers(b"3782 822463 10005") and not card_numbers(b"4242424242424241 1795392000006")
    fake = subprocess.Popen(["node", HERE / "fake_stripe.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = int(fake.stdout.readline().partition("=")[2])
    with tempfile.NamedTemporaryFile("w") as secret:
        secret.write("sk_test_of_a_test")
        secret.flush()
        program = Program(sys.argv[1], BOXOFFICE_PAYMENT_CARD_PROVIDER="stripe", BOXOFFICE_PAYMENT_STRIPE_SECRET_KEY_FILE=secret.name,
                          BOXOFFICE_PAYMENT_STRIPE_API_BASE=f"http://127.0.0.1:{port}", BOXOFFICE_HTTP_ACCESS_LOG="on",
                          LSAN_OPTIONS=f"print_suppressions=0:suppressions={HERE.parent / 'support/lsan.supp'}")
        log = tempfile.TemporaryFile()
        try:
            program.start(stderr=log)
            vendor, buyer = register(program, "vendor"), register(program, "customer")
            for number, card in enumerate(CARDS):
                buy(program, vendor, buyer, number, card)
            status = program.stop()
            log.seek(0)
            said = log.read()
            assert status == 0, f"exit status {status}: {said[-3000:].decode()}"
            kept = {"log": said, **{str(path.relative_to(program.data)): path.read_bytes() for path in program.data.rglob("*") if path.is_file()}}
            assert any(name.endswith(".eml") for name in kept) and any(name.endswith(".db") for name in kept) and len(kept["log"]) > 1000, list(kept)
            found = [f"{name}: {number}" for name, data in kept.items() for part in (data, *decoded(data)) for number in card_numbers(part)]
            for line in found:
                print(line)
            print(f"{len(kept)} files, {sum(map(len, kept.values()))} bytes, {len(found)} card numbers")
            return bool(found)
        finally:
            program.stop()
            program.remove()
            fake.stdin.close()
            fake.wait()


if __name__ == "__main__":
    sys.exit(main())
