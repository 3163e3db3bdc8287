#!/usr/bin/env python3
"""answers.py BOXOFFICE OPENAPI: holds the answers of the running program against the contract. Prints TAP.

Each operation is asked rightly, and wrongly in every way that its schemas know of. Wherever it is asked: never a 5xx that was not
meant, every answer as the contract has it, and nothing written by what was refused.
"""
import atexit
import copy
import os
import sys
import tempfile
import traceback
import urllib.parse

import badinput
import stories
import stories_events
import stories_points
import stories_sales
from contract import Contract, first_error
from program import Databases, Program
from world import World

COMPLAINTS_MAX = 12  # of one test: the first ones say it
BODY_READ_MAX = 12 * 1024 * 1024
NOT_ALONE = {"/venue", "/venue/lat", "/venue/lon"}  # what goes with something else
# Refused requests that are written down on purpose: a failed sign-in, a scan that was refused.
WRITTEN = {"identity.sign_in_failure", "booking.scan"}


class Suite:
    def __init__(self, world, databases):
        self.world = world
        self.contract = world.contract
        self.databases = databases
        self.count = 0
        self.failed = 0

    # --- TAP ---

    def test(self, name, run, *args):
        self.world.wrong.clear()
        try:
            run(*args)
        except Exception:  # pylint: disable=broad-except
            self.world.note(traceback.format_exc())
        wrong = self.world.wrong
        self.count += 1
        self.failed += bool(wrong)
        for sentence in wrong[:COMPLAINTS_MAX]:
            print("# " + sentence.replace("\n", "\n# "))
        if len(wrong) > COMPLAINTS_MAX:
            print(f"# ... and {len(wrong) - COMPLAINTS_MAX} more")
        print(f"{'not ok' if wrong else 'ok'} {self.count} - {name}", flush=True)

    # --- One refused request ---

    def refuse(self, what, operation, request, codes, pointer=None, **change):
        """Sends the changed request; it must be refused with one of the codes, point at the mistake, and write nothing."""
        answer = self.world.send(request, **change)
        method = change.get("method", operation.method)
        wrong = self.contract.check(operation, answer) if method == operation.method else []
        code = answer.problem.get("code")
        if answer.status not in {self.contract.codes[c][0] for c in codes} or (answer.problem and code not in codes):
            wrong.append(f"want {' or '.join(codes)}, got {answer.status} {code}: {answer.text[:300]}")
        elif pointer is not None and code in ("invalid_field", "unknown_field") and not self.points_at(answer, pointer):
            wrong.append(f"want the pointer {pointer!r}: {answer.text[:300]}")
        written = [table for table in self.databases.look() if table not in WRITTEN]
        if written:
            wrong.append(f"wrote to {', '.join(written)}")
        for sentence in wrong:
            self.world.note(f"{operation.name}: {what}: {sentence}")

    @staticmethod
    def points_at(answer, pointer):
        return any(p == pointer or p.startswith(pointer + "/") for p in answer.pointers)

    # --- Ways to be wrong ---

    def wrong_methods(self):
        for path in self.contract.document["paths"]:
            allowed = self.contract.methods_of(path)
            operation = next(o for o in self.contract.operations.values() if o.path == path)
            target = self.world.good(operation).target()
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
                if method in allowed.split(", "):
                    continue
                answer = self.world.program.send(method, target)
                wrong = self.contract.check_any_problem(answer, 405) if method != "HEAD" else [] if answer.status == 405 else [answer.status]
                if answer.headers.get("Allow") != allowed:
                    wrong.append(f"Allow is {answer.headers.get('Allow')}, want {allowed}")
                for sentence in wrong:
                    self.world.note(f"{method} {path}: {sentence}")
        self.nothing_written("wrong methods")

    def wrong_paths(self):
        targets = ["/nothing", "/events/", "/events//tickets", "//events", "/EVENTS", "/events/x/y/z", "/.", "/..", "/%2e%2e/etc/passwd", "/a%00b", "/%",
                   "/%zz", "/events%2f", "/" + "a/" * 60, "/" + "x" * 4000, "/users/me/", "/assets/../etc/passwd", "/_test/clock/", "/*"]
        for target in targets:
            answer = self.world.program.send("GET", target)
            for sentence in self.contract.check_any_problem(answer, 404):
                self.world.note(f"GET {target[:60]}: {sentence}")
        self.nothing_written("unknown paths")

    def wrong_ids(self, operation):
        """A path whose id is none, is of another kind, is nobody's or somebody else's."""
        good = self.world.good(operation)
        for name in operation.path_names:
            value = good.path[name]
            mistakes = [value[:-1], value + "0", value + "%00", value + "%2F", "%ff", "x" * 3000, "%20", "%E2%82%AC", "null", "0", "-1"]
            if name != "slug":
                mistakes += [value.upper(), "xxx" + value[3:], value[: value.index("_") + 1] + "0" * 26, value[: value.index("_") + 1] + "7" + "z" * 25,
                             value[: value.index("_") + 1] + "8" + "z" * 25]
            for mistake in mistakes:
                request = copy.copy(good)
                request.path = {**good.path, name: mistake}
                self.refuse(f"{name} is {mistake[:40]}", operation, request, ("not_found",))

    def foreign(self, operation):
        """What belongs to somebody else is not there, whatever else is wrong."""
        good = self.world.good(operation)
        stranger = self.world.tokens["otto" if operation.roles else "bob"]
        self.refuse("by a stranger", operation, good, ("not_found",), token=stranger)
        if operation.body:
            self.refuse("by a stranger, with a broken body", operation, good, ("not_found",), token=stranger, body=b"{")
        if operation.id == "update_event":
            self.refuse("by a stranger, without If-Match", operation, good, ("not_found",), token=stranger, headers={})

    def wrong_tokens(self, operation):
        """401 before anything that is wrong with the rest."""
        good = self.world.good(operation)
        broken = {"body": b"{"} if operation.body else {}
        dead = ("token_revoked",)
        if operation.wants_token:
            self.refuse("without a token", operation, good, ("unauthenticated",), token=None, **broken)
        for token, codes in ((self.world.tokens["gone"], dead), ("x", dead), ("A" * 43, dead), ("A" * 4000, dead), ("Basic YTpi", ("unauthenticated",)),
                             ("Bearer a b", ("unauthenticated",)), ("Bearer \u00fc", ("unauthenticated",)), ("bearer x", dead)):
            self.refuse(f"with the token {token[:20]!r}", operation, good, codes, token=token, **broken)
        for name in operation.path_names:
            request = copy.copy(good)
            request.path = {**good.path, name: "nothing"}
            self.refuse("with a dead token, and a wrong id", operation, request, dead, token=self.world.tokens["gone"])

    def wrong_roles(self, operation):
        good = self.world.good(operation)
        broken = {"body": b"{"} if operation.body else {}
        self.refuse("by a customer", operation, good, ("forbidden",), token=self.world.tokens["ana"], **broken)

    def wrong_bodies(self, operation):
        good = self.world.good(operation)
        for case in badinput.bodies(operation.body, good.body):
            self.refuse(case.name, operation, good, case.codes, case.pointer, body=case.body)

    def wrong_kinds_and_sizes(self, operation):
        """413, then 415, then what is in the body."""
        good = self.world.good(operation)
        huge = b'{"a":"' + b"x" * operation.body_max + b'"}'
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=iso-8859-1", "application/jsonx", "json", "", "*/*",
                     "application/problem+json", "multipart/form-data; boundary=x", "application/json, text/plain"):
            self.refuse(f"of type {kind!r}", operation, good, ("unsupported_media_type",), headers={**good.headers, "Content-Type": kind})
            self.refuse(f"of type {kind!r}, broken", operation, good, ("unsupported_media_type",), headers={"Content-Type": kind}, body=b"{")
        self.refuse("one byte too long", operation, good, ("payload_too_large",), body=b" " * (operation.body_max + 1))
        self.refuse("too long, and of another type", operation, good, ("payload_too_large",), body=huge, headers={"Content-Type": "text/plain"})
        self.refuse("longer than anything", operation, good, ("payload_too_large",), body=b" " * (BODY_READ_MAX + 1))
        if operation.body.get("required"):
            just = b"{" + b" " * (operation.body_max - 2) + b"}"
            self.refuse("as long as it may be, and empty", operation, good, ("invalid_field",), body=just)
        for kind in ("application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"", "application/json; x=y"):
            self.refuse(f"of type {kind!r}, broken", operation, good, ("malformed",), headers={**good.headers, "Content-Type": kind}, body=b"{")

    def wrong_keys(self, operation):
        good = self.world.good(operation)
        self.refuse("without a key", operation, good, ("idempotency_key_required",), headers={})
        self.refuse("without a key, and broken", operation, good, ("idempotency_key_required", "malformed"), headers={}, body=b"{")
        self.refuse("without a key, of another type", operation, good, ("unsupported_media_type",), headers={"Content-Type": "text/plain"})
        for key in ("", " ", "a b", "x" * 256, "\u00e9", "a\tb"):
            self.refuse(f"with the key {key[:20]!r}", operation, good, ("malformed", "idempotency_key_required"), headers={"Idempotency-Key": key})

    def wrong_preconditions(self, operation):
        good = self.world.good(operation)
        self.refuse("without If-Match", operation, good, ("precondition_required",), headers={})
        for tag in ('"0"', '"999"', 'W/"1"', "1", '""', "x", '"1', '"2", "3"'):
            self.refuse(f"If-Match: {tag}", operation, good, ("precondition_failed",), headers={"If-Match": tag})
        wrong = {**good.body, "name": 1}
        self.refuse("without If-Match, with a wrong field", operation, good, ("invalid_field",), headers={}, body=wrong)
        self.refuse("with a stale If-Match, and a wrong field", operation, good, ("invalid_field",), headers={"If-Match": '"0"'}, body=wrong)

    def wrong_queries(self, operation):
        good = self.world.good(operation)
        path = good.target().partition("?")[0]
        lenient = "pages" in operation.tags  # what other sites append to a link is no reason to refuse a page
        for parameter in operation.query:
            for what, query, code in badinput.bad_queries(parameter, good.query.get(parameter["name"])):
                if lenient and (query in (parameter["name"], parameter["name"] + "=")):
                    continue
                query = query if isinstance(query, str) else urllib.parse.urlencode([query])
                codes = ("malformed",) if parameter["name"] == "cursor" and "=" in query and query[-1] != "=" and "&" not in query else (code,)
                if parameter["name"] == "cursor":
                    codes += ("invalid_field",)
                self.refuse(what, operation, good, codes, parameter["name"] if codes[0] == "invalid_field" else None, target=f"{path}?{query}")
        for query in () if lenient else ("surprise=1", "limit=1&surprise=", "=1", "%73urprise=1", "a/b=1", "a%00b=1"):
            self.refuse(f"?{query}", operation, good, ("unknown_field", "malformed"), target=f"{path}?{query}")

    def boundaries(self, operation):
        """What is just inside of the bounds is not complained about."""
        for pointer, body in badinput.boundary_bodies(operation.body, self.world.good(operation).body):
            if pointer in NOT_ALONE:
                continue
            good = self.world.good(operation)
            body = {**body, "email": good.body["email"]} if operation.id == "register" and pointer != "/email" else body
            answer = self.world.send(good, body=body)
            for sentence in self.contract.check(operation, answer):
                self.world.note(f"{operation.name}: {pointer} at its bound: {sentence}")
            if answer.status in (400, 422) and self.points_at(answer, pointer):
                self.world.note(f"{operation.name}: {pointer} at its bound is refused: {answer.text[:300]}")
        self.world.settle_down()  # what was taken is told to other services, which write it down
        self.databases.look()

    def nothing_written(self, what):
        written = self.databases.look()
        if written:
            self.world.note(f"{what}: wrote to {', '.join(written)}")

    # --- The order of things ---

    def examples(self):
        """What the contract shows as an example is one."""
        for operation in self.contract.operations.values():
            raw = self.contract.document["paths"][operation.path][operation.method.lower()].get("requestBody", {})
            for media in raw.get("content", {}).values():
                for example in [media["example"]] if "example" in media else [e["value"] for e in media.get("examples", {}).values()]:
                    error = first_error(operation.body, example)
                    self.world.expect(error is None, f"{operation.name}: its example: {error}")

    def wrong_requests(self):
        self.world.settle_down()
        self.databases.look()
        self.test("methods that a path lacks are 405, with those that it has", self.wrong_methods)
        self.test("paths that nobody serves are 404", self.wrong_paths)
        for operation in self.contract.operations.values():
            name = operation.name
            if operation.takes_token:
                self.test(f"{name}: tokens", self.wrong_tokens, operation)
            if operation.roles:
                self.test(f"{name}: roles", self.wrong_roles, operation)
            if operation.path_names:
                self.test(f"{name}: ids", self.wrong_ids, operation)
            if operation.path_names and operation.wants_token and operation.roles != ["admin"]:
                self.test(f"{name}: what belongs to others", self.foreign, operation)
            if operation.query:
                self.test(f"{name}: queries", self.wrong_queries, operation)
            if operation.body:
                self.test(f"{name}: kinds and sizes", self.wrong_kinds_and_sizes, operation)
                self.test(f"{name}: bodies", self.wrong_bodies, operation)
            if operation.is_keyed:
                self.test(f"{name}: keys", self.wrong_keys, operation)
            if any(p["name"] == "If-Match" for p in operation.parameters):
                self.test(f"{name}: preconditions", self.wrong_preconditions, operation)

    def coverage(self):
        """Each answer that the contract promises has been seen."""
        for operation in self.contract.operations.values():
            for status in set(operation.answers) - operation.seen - stories.NEVER_SEEN.get(operation.id, set()):
                self.world.note(f"{operation.name} never answered {status}")

    def run(self):
        self.test("the examples of the contract fit its schemas", self.examples)
        self.test("the world is set up as the contract says", self.world.fill)
        self.wrong_requests()
        for operation_id in ("register", "update_user", "create_event", "update_event", "book", "refund", "check_in"):
            self.test(f"{operation_id}: bounds", self.boundaries, self.contract.operations[operation_id])
        for story in stories_events.ALL + stories_sales.ALL + stories_points.ALL + stories.ALL:
            self.test(story.__doc__, story, self.world)
        self.test("every answer of the contract has been seen", self.coverage)


def secret_file(secret):
    with tempfile.NamedTemporaryFile("w", delete=False) as file:  # of mode 0600
        file.write(secret)
    atexit.register(os.unlink, file.name)
    return file.name


def main():
    binary, openapi = sys.argv[1:3]
    program = Program(binary, BOXOFFICE_PAYMENT_STRIPE_WEBHOOK_SECRET_FILE=secret_file(stories.WEBHOOK_SECRET))
    databases = None
    try:
        program.command("user", "create", "--role", "admin", "--email", "root@example.test", "--password-stdin", text="correct horse root\n")
        program.start()
        databases = Databases(program.data)
        suite = Suite(World(program, Contract(openapi)), databases)
        suite.run()
        status = program.stop()
        suite.test("the server ends well", suite.world.expect, status == 0, f"exit status {status}")
        program.process = None
        suite.test("the books agree", program.command, "audit")
        print(f"1..{suite.count}")
        print(f"# {program.requests} requests")
        return suite.failed > 0
    finally:
        if databases:
            databases.close()
        program.stop()
        program.remove()


if __name__ == "__main__":
    sys.exit(main())
