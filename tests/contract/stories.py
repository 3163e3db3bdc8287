"""stories.py - accounts, pages and the server itself: what people do, told once each. Every answer is held against the contract."""
import datetime
import hashlib
import hmac
import json
import re

from program import Program

ALL = []
WEBHOOK_SECRET = "whsec_of_the_contract"

# Answers that cannot be brought about from outside.
NEVER_SEEN = {"get_readiness": {503}, "list_events": set(), "retry_refund": {200}}  # the sandbox takes every refund at once


def story(tell):
    ALL.append(tell)
    return tell


# --- Accounts ---

@story
def an_address_is_registered_once(world):
    """an address is registered once, however it is written"""
    body = {"email": "once@example.test", "password": "correct horse", "name": "Once", "role": "customer"}
    first = world.ask("register", 201, body=body).json
    world.expect("vendor_id" not in first["user"], "a customer has a vendor_id")
    world.refused("register", 409, "email_taken", body=body)
    world.refused("register", 409, "email_taken", body={**body, "email": "ONCE@Example.Test"})
    answer = world.refused("register", 422, "invalid_field", body={**body, "email": "two@example.test", "vendor_name": "Shop"})
    world.expect(answer.pointers == ["/vendor_name"], answer.text)
    answer = world.refused("register", 422, "invalid_field", body={**body, "email": "two@example.test", "password": "Two@example.test"})
    world.expect(answer.pointers == ["/password"], answer.text)
    answer = world.refused("register", 422, "invalid_field", body={"email": "nobody", "password": "short", "name": "", "role": "admin"})
    world.expect({"/password", "/name", "/role"} <= set(answer.pointers), f"not all mistakes at once: {answer.text}")


@story
def sign_in_does_not_tell_who_is_known(world):
    """an unknown address and a wrong password are answered alike, and slowed down"""
    answers = []
    for email in ("once@example.test", "nobody@example.test"):
        answer = world.refused("login", 401, "invalid_credentials", body={"email": email, "password": "wrong"})
        answers.append({k: v for k, v in answer.json.items() if k != "request_id"})
    world.expect(answers[0] == answers[1], f"told apart: {answers}")
    for email in ("slow@example.test", "once@example.test"):
        statuses = [world.ask("login", body={"email": email, "password": "wrong"}).status for _ in range(12)]
        world.expect(statuses[-1] == 429 and set(statuses) == {401, 429}, f"{email}: {statuses}")
    world.refused("login", 429, "rate_limited", body={"email": "once@example.test", "password": "correct horse"})
    world.program.advance(301)
    world.ask("login", 200, body={"email": "Once@example.test", "password": "correct horse"})


@story
def a_profile_is_merged(world):
    """a profile keeps what is not given, and gives back what it was given"""
    path = {"user": world.users["bob"]["id"]}
    words = "\u0639\u0645\u0631 \U0001f3ab <b>\"'&\\ \u202etrick"
    user = world.ask("update_user", 200, who="bob", path=path, body={"city": words, "interests": [words, "jazz"]}).json
    world.expect(user["city"] == words and user["interests"] == [words, "jazz"] and user["name"] == "Bob", f"{user}")
    user = world.ask("update_user", 200, who="bob", path=path, body={"city": None, "interests": []}).json
    world.expect(user["city"] is None and not user.get("interests"), f"{user}")
    world.expect(world.ask("get_me", 200, who="bob").json == user, "read back otherwise")
    world.refused("update_user", 409, "email_taken", who="bob", path=path, body={"email": "ana@example.test"})
    world.ask("update_user", 200, who="bob", path=path, body={"email": "robert@example.test"})
    world.refused("login", 401, "invalid_credentials", body={"email": "bob@example.test", "password": "correct horse bob"})
    world.login("bob", email="robert@example.test")
    world.refused("update_user", 404, "not_found", who="root", path=path, body={"name": "x"})


@story
def everybody_sees_himself(world):
    """customer, vendor and admin see their own accounts"""
    for who, role in (("ana", "customer"), ("vera", "vendor"), ("root", "admin")):
        user = world.ask("get_me", 200, who=who).json
        world.expect(user["role"] == role and ("vendor_id" in user) == (role == "vendor"), f"{user}")


@story
def a_session_ends_at_once(world):
    """after a logout neither token opens anything"""
    session = world.ask("login", 200, body={"email": "ana@example.test", "password": "correct horse ana"}).json
    world.tokens["twice"] = session["access_token"]
    world.ask("get_me", 200, who="twice")
    world.ask("logout", 204, who="twice")
    for operation_id in ("get_me", "logout", "list_orders"):
        world.refused(operation_id, 401, "token_revoked", who="twice")
    world.refused("list_events", 401, "token_revoked", who="twice")
    world.tokens["twice"] = session["refresh_token"]
    world.refused("get_me", 401, "token_revoked", who="twice")
    world.ask("get_me", 200, who="ana")


# --- Pages, and the server itself ---

@story
def pages_show_texts_as_texts(world):
    """the pages are HTML, and what people wrote is text in them"""
    name = "<script>alert(1)</script> \"quoted\" & 'more'"
    event = world.event(name=name, description="<img src=x onerror=alert(1)>", url="https://example.test/\"><script>")
    page = world.ask("get_event_page", 200, path={"slug": event["slug"]})
    listed = world.ask("get_front_page", 200, query={"search": "quoted"})
    for answer in (page, listed):
        world.expect("<script>alert" not in answer.text and "&lt;script&gt;" in answer.text, f"not escaped: {answer.text[:300]}")
        world.expect("default-src 'none'" in answer.headers.get("Content-Security-Policy", ""), "no policy")
    world.expect("<img src=x" not in page.text and '"><script>' not in page.text, "a script gets through")
    world.refused("get_event_page", 404, "not_found", path={"slug": "no-such-event"})
    world.refused("get_event_page", 404, "not_found", path={"slug": world.draft["slug"]})


@story
def what_is_known_is_not_sent_again(world):
    """an entity tag that is still right is answered 304, on GET and HEAD"""
    for operation in list(world.contract.operations.values()):
        if not any(p["name"] == "If-None-Match" for p in operation.parameters):
            continue
        good = world.good(operation)

        def ask(headers, want):
            answer = world.send(good, headers=headers)
            for wrong in world.contract.check(operation, answer):
                world.note(f"{operation.name}: {wrong}")
            world.expect(answer.status == want, f"{operation.name} {headers}: want {want}, got {answer.status}")
            return answer
        tag = ask({}, 200).headers["ETag"]
        for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            world.expect(ask({"If-None-Match": known}, 304).headers.get("ETag") == tag, f"{operation.name}: 304 without its tag")
        ask({"If-None-Match": '"other"'}, 200)


@story
def a_part_of_a_file_can_be_asked_for(world):
    """files are sent in parts, and a part that is none is refused"""
    for operation_id in ("get_page_css", "get_page_js", "get_page_icon"):
        whole = world.ask(operation_id, 200).body
        part = world.ask(operation_id, 206, headers={"Range": "bytes=2-5"})
        world.expect(part.body == whole[2:6] and part.headers["Content-Range"] == f"bytes 2-5/{len(whole)}", f"{part.headers}")
        answer = world.ask(operation_id, 416, headers={"Range": f"bytes={len(whole)}-"})
        world.expect(answer.problem.get("code") == "range_not_satisfiable", answer.text)


@story
def head_is_get_without_a_body(world):
    """HEAD is answered as GET, without the body"""
    for operation in list(world.contract.operations.values()):
        if operation.method != "GET" or operation.id == "get_metrics":
            continue
        good = world.good(operation)
        get = world.send(good)
        head = world.send(good, method="HEAD")
        world.expect(get.status == head.status and not head.body, f"{operation.name}: GET {get.status}, HEAD {head.status}")
        for name in ("Content-Type", "ETag", "Ticket-Status", "Tickets-Available", "Cache-Control"):
            by_get, by_head = get.headers.get(name), head.headers.get(name)
            has_own_row = operation.id == "get_event_tickets"
            world.expect(by_get == by_head or has_own_row, f"{operation.name}: {name} is {by_get}, with HEAD {by_head}")


@story
def every_answer_can_be_traced(world):
    """X-Request-Id and traceparent come back, unless they are none"""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    answer = world.ask("get_health", 200, headers={"X-Request-Id": "abc-123", "traceparent": trace})
    world.expect(answer.headers["X-Request-Id"] == "abc-123" and answer.headers["traceparent"] == trace, f"{answer.headers}")
    for bad in ("a b", "<x>", "x" * 300, ""):
        answer = world.ask("get_health", 200, headers={"X-Request-Id": bad, "traceparent": bad})
        world.expect(re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-Id"]) is not None, f"{bad!r} came back")
        world.expect(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-\d\d", answer.headers["traceparent"]) is not None, f"{bad!r} came back")
    for operation_id in ("get_readiness", "get_metrics", "get_front_page"):
        world.ask(operation_id, 200)
    for name, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")):
        world.expect(answer.headers.get(name) == value, f"no {name}")


@story
def what_can_be_read_in_two_ways_is_refused(world):
    """doubled headers are no choice, and heads that are none get a bare refusal and a close"""
    ana, bob = (("Authorization", f"Bearer {world.tokens[who]}") for who in ("ana", "bob"))
    answer = world.program.send("GET", "/users/me", [ana, bob])
    world.expect((answer.status, answer.problem.get("code")) == (401, "unauthenticated"), answer.text)
    kind = ("Content-Type", "application/json")
    for headers, status in (([ana, kind, ("Idempotency-Key", "a"), ("Idempotency-Key", "b")], 400), ([ana, kind, ("Content-Type", "text/plain")], 415)):
        answer = world.program.send("POST", "/tickets/book", headers, b"{}")
        world.expect(answer.status == status, f"{headers}: {answer.status} {answer.text}")
    length = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
    for head in (b"GET / HTTP/1.1\r\n\r\n", b"NONSENSE\r\n\r\n", length + b"Content-Length: 3\r\n\r\n{}", length + b"Transfer-Encoding: chunked\r\n\r\n{}",
                 b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n",
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", b"GET http:// HTTP/1.1\r\nHost: a\r\n\r\n"):
        got = world.program.send_bytes(head)
        world.expect(got.startswith(b"HTTP/1.1 400 ") and b"\r\nConnection: close\r\n" in got, f"{head}: {got[:200]}")
    got = world.program.send_bytes(b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    world.expect(got.startswith(b"HTTP/1.1 431 "), f"{got[:200]}")
    chunked = b"POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    got = world.program.send_bytes(chunked + b"2\r\n{}\r\n0\r\n\r\n")
    world.expect(got.startswith(b"HTTP/1.1 422 "), f"{got[:200]}")


@story
def an_event_is_signed(world):
    """an event of Stripe's is taken if it is signed, and as often as it comes"""
    operation = world.contract.operations["take_stripe_event"]
    now_s = int(datetime.datetime.fromisoformat(world.program.advance(0).replace("Z", "+00:00")).timestamp())

    def post(body, secret=WEBHOOK_SECRET, age_s=0):
        at_s = now_s - age_s
        mac = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
        answer = world.program.send("POST", operation.path, [("Content-Type", "application/json"), ("Stripe-Signature", f"t={at_s},v1={mac}")], body)
        for wrong in world.contract.check(operation, answer):
            world.note(f"{operation.name}: {wrong}")
        return answer.status

    event = json.dumps({"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}}).encode()
    for status, wanted in ((post(event), 200), (post(event), 200), (post(b"{}"), 200), (post(b"{"), 200), (post(event, secret="x"), 400),
                           (post(event, age_s=310), 400), (post(event, age_s=-310), 400), (post(b"x" * (256 * 1024 + 1)), 400)):
        world.expect(status == wanted, f"want {wanted}, got {status}")


@story
def who_asks_too_often_has_to_wait(world):
    """sign-ins from one network are limited, with Retry-After"""
    program = Program(world.program.binary, BOXOFFICE_GATEWAY_RATE_LIMIT="on")
    try:
        program.start()
        for operation_id in ("register", "login"):
            operation = world.contract.operations[operation_id]
            answers = [program.send("POST", operation.path, [("Content-Type", "application/json")], b"{") for _ in range(700)]
            limited = [a for a in answers if a.status == 429]
            world.expect(bool(limited), f"{operation_id}: never 429")
            for answer in limited[:1]:
                for wrong in world.contract.check(operation, answer):
                    world.note(f"{operation_id}: {wrong}")
        world.expect(program.send("GET", "/events").status == 200, "reading is limited as well")
        world.expect(program.stop() == 0, "it did not end well")
    finally:
        program.stop()
        program.remove()


@story
def tokens_die_of_age(world):
    """a token ends after twelve hours"""
    world.program.advance(43200)
    for who in ("ana", "vera", "root"):
        world.refused("get_me", 401, "token_expired", who=who)
    world.refused("list_events", 401, "token_expired", who="ana")
    for who, email in (("ana", None), ("bob", "robert@example.test"), ("vera", None), ("otto", None), ("root", None)):
        world.login(who, email)
