"""world.py - people, events and orders to ask about, and for each operation a request that is good as it stands."""
import datetime
import itertools
import json
import urllib.parse

JSON = "application/json"


class Request:
    """A request that can be changed in one place and sent."""

    def __init__(self, operation, path=None, token=None, query=None, headers=None, body=None):
        self.operation = operation
        self.path = path or {}
        self.token = token
        self.query = query or {}
        self.headers = headers or {}
        self.body = body

    def target(self):
        path = self.operation.path
        for name, value in self.path.items():
            path = path.replace("{" + name + "}", value)
        return path + ("?" + urllib.parse.urlencode(self.query) if self.query else "")


class World:
    def __init__(self, program, contract):
        self.program = program
        self.contract = contract
        self.numbers = itertools.count(1)
        self.wrong = []  # what was wrong with any answer so far
        self.tokens = {}
        self.users = {}

    # --- Asking ---

    def send(self, request, method=None, target=None, body=..., headers=..., token=...):
        """The request, but for what is given here."""
        fields = []
        token = request.token if token is ... else token
        if token:
            fields.append(("Authorization", token if " " in token else f"Bearer {token}"))
        raw = request.body if body is ... else body
        if raw is not None and not isinstance(raw, bytes):
            raw = json.dumps(raw).encode()
        given = request.headers if headers is ... else headers
        if raw is not None and "Content-Type" not in given:
            fields.append(("Content-Type", JSON))
        fields += [(name, value) for name, value in given.items() if value is not None]
        return self.program.send(method or request.operation.method, target or request.target(), fields, raw)

    def ask(self, operation_id, want=None, **given):
        """Sends, holds the answer against the contract, and gives it."""
        operation = self.contract.operations[operation_id]
        who = given.pop("who", None)
        request = Request(operation, token=self.tokens.get(who), **given)
        if operation.is_keyed and "Idempotency-Key" not in request.headers:
            request.headers = {**request.headers, "Idempotency-Key": self.key()}
        answer = self.send(request)
        for wrong in self.contract.check(operation, answer):
            self.note(f"{operation.name}: {wrong}")
        if want is not None and answer.status != want:
            self.note(f"{operation.method} {request.target()} {json.dumps(request.body)[:200]}: want {want}, got {answer.status}: {answer.text[:300]}")
        return answer

    def refused(self, operation_id, status, code, **given):
        answer = self.ask(operation_id, status, **given)
        if answer.problem and answer.problem.get("code") != code:
            self.note(f"{operation_id}: want {code}, got {answer.text[:300]}")
        return answer

    def note(self, wrong):
        self.wrong.append(wrong)

    def expect(self, holds, what):
        if not holds:
            self.note(what)

    def key(self):
        return f"key-{next(self.numbers)}"

    # --- Who and what there is ---

    def register(self, name, role):
        body = {"email": f"{name}@example.test", "password": f"correct horse {name}", "name": name.title(), "role": role}
        if role == "vendor":
            body["vendor_name"] = f"{name.title()} Live"
        session = self.ask("register", 201, body=body).json
        self.tokens[name] = session["access_token"]
        self.users[name] = session["user"]

    def login(self, name, email=None):
        session = self.ask("login", 200, body={"email": email or f"{name}@example.test", "password": f"correct horse {name}"}).json
        self.tokens[name] = session["access_token"]
        self.users[name] = session["user"]

    def event_body(self, **given):
        body = {
            "name": f"Event {next(self.numbers)}", "type": "concert", "description": "Words.", "url": "https://example.test/x",
            "starts_at": "2028-06-05T20:00:00", "ends_at": "2028-06-05T23:00:00", "timezone": "Europe/Berlin", "whole_day": False,
            "online": False,
            "venue": {"name": "Hall", "city": "Berlin", "country": "Germany", "address": "1 Street", "lat": 52.5, "lon": 13.25},
            "artists": ["Some One"], "currency": "EUR",
            "ticket_types": [{"name": "Standard", "price": {"amount": 1500, "currency": "EUR"}, "quantity": 100000, "max_per_order": 8,
                              "sales_start": "2020-01-01T00:00:00Z", "sales_end": "2028-06-05T18:00:00Z"}],
            "payment_methods": [{"type": "card", "label": "Cards"}, {"type": "cash_on_arrival"}, {"type": "bank_transfer"}],
            "policies": {"refundable": True, "refund_until": "2028-06-01T00:00:00Z", "tax": {"rate_ppm": 190000}},
            "limits": {"per_order": 10, "per_user": 1000000, "one_active_hold": False},
            "checkin_opens_at": None, "status": "published",
        }
        return {**body, **given}

    def event(self, who="vera", **given):
        return self.ask("create_event", 201, who=who, body=self.event_body(**given)).json

    def book(self, event, quantity=1, who="ana", want=201, **given):
        items = [{"ticket_type_id": event["ticket_types"][0]["id"], "quantity": quantity}]
        answer = self.ask("book", want, who=who, body={"event_id": event["id"], "items": items, **given})
        return answer.json.get("order")

    def pay(self, order, token="tok_visa", who="ana", want=200, method="card"):
        body = {"order_id": order["id"], "method": method, **({"token": token} if method == "card" else {})}
        return self.ask("pay", want, who=who, body=body).json

    def bought(self, event, quantity=1, who="ana"):
        """The tickets of an order that was paid."""
        return self.pay(self.book(event, quantity, who), who=who)["tickets"]

    def settle_down(self):
        """Has everything that is due done; gives the server's time."""
        return datetime.datetime.fromisoformat(self.program.advance(0).replace("Z", "+00:00"))

    def at(self, **ahead):
        """An instant that far ahead of the server's time, as text."""
        instant = self.settle_down() + datetime.timedelta(**ahead)
        return instant.strftime("%Y-%m-%dT%H:%M:%SZ")

    def fill(self):
        for name, role in (("vera", "vendor"), ("otto", "vendor"), ("ana", "customer"), ("bob", "customer"), ("gone", "customer")):
            self.register(name, role)
        self.login("root")
        self.open = self.event()
        self.draft = self.event(status="draft")
        self.held = self.book(self.open)
        self.tickets = self.bought(self.open, 3)
        self.method = self.ask("create_payment_method", 201, who="vera", body={"type": "bank_transfer", "label": "Bank"}).json
        given_back = self.bought(self.open, 1)[0]
        self.refunded = self.ask("cancel_ticket", 200, who="ana", path={"ticket": given_back["id"]}).json["refund"]
        self.promised = self.pay(self.book(self.open), method="cash_on_arrival")["order"]
        self.to_send = self.pay(self.book(self.open), method="bank_transfer")["order"]
        challenge = self.pay(self.book(self.open), token="tok_3ds")["payment"]
        self.challenged = challenge["id"]
        self.ask("logout", 204, who="gone")

    # --- A good request for each operation ---

    def good(self, operation):
        make = getattr(self, f"good_{operation.id}", None)
        request = make(operation) if make else Request(operation)
        if operation.wants_token and request.token is None:
            request.token = self.tokens["root" if operation.roles == ["admin"] else "vera" if operation.roles else "ana"]
        if operation.is_keyed:
            request.headers = {"Idempotency-Key": self.key(), **request.headers}
        for name in operation.path_names:
            request.path.setdefault(name, self.path_value(name))
        return request

    def path_value(self, name):
        values = {"event": self.open["id"], "order": self.held["id"], "ticket": self.tickets[0]["id"], "payment": self.challenged,
                  "user": self.users["ana"]["id"], "slug": self.open["slug"], "refund": self.refunded["id"], "method": self.method["id"],
                  "vendor": self.users["vera"]["vendor_id"]}
        return values[name]

    def good_register(self, operation):
        name = f"person-{next(self.numbers)}"
        body = {"email": f"{name}@example.test", "password": "correct horse", "name": "Some Body", "role": "vendor", "vendor_name": "Some Live"}
        return Request(operation, body=body)

    def good_login(self, operation):
        return Request(operation, body={"email": "ana@example.test", "password": "correct horse ana", "totp": "123456"})

    def good_update_user(self, operation):
        body = {"email": "ana@example.test", "name": "Ana", "city": "Cairo", "locale": "en", "interests": ["jazz"]}
        return Request(operation, body=body)

    def good_list_events(self, operation):
        query = {"search": "event", "artist": "some", "venue": "hall", "city": "berlin", "vendor": self.users["vera"]["vendor_id"], "type": "concert",
                 "date_from": "2028-01-01", "date_to": "2028-12-31T00:00:00Z", "price_min": "0", "price_max": "2000", "available": "true",
                 "sort": "price_asc", "limit": "10"}
        return Request(operation, query=query)

    def good_suggest_events(self, operation):
        return Request(operation, query={"q": "event", "limit": "10"})

    def good_recommend(self, operation):
        return Request(operation, query={"city": "Berlin", "limit": "10"})

    def good_export_vendor(self, operation):
        return Request(operation, query={"table": "tickets", "format": "json", "limit": "10"})

    def good_vendor_sales(self, operation):
        return Request(operation, query={"from": "2026-01-01", "to": "2099-12-31", "group_by": "event", "currency": "EUR"})

    def good_get_bank_transfer(self, operation):
        return Request(operation, path={"order": self.to_send["id"]})

    def good_create_event(self, operation):
        return Request(operation, body=self.event_body())

    def good_update_event(self, operation):
        body = self.event_body()
        body["ticket_types"][0]["id"] = self.draft["ticket_types"][0]["id"]
        body["status"] = "draft"
        return Request(operation, path={"event": self.draft["id"]}, headers={"If-Match": "*"}, body=body)

    def good_delete_event(self, operation):
        return Request(operation, path={"event": self.draft["id"]})

    def good_book(self, operation):
        items = [{"ticket_type_id": self.open["ticket_types"][0]["id"], "quantity": 2, "seats": None}]
        attendees = [{"name": "Ana", "email": "ana@example.test"}]
        return Request(operation, body={"event_id": self.open["id"], "items": items, "attendees": attendees, "code": None, "redeem": None})

    def good_pay(self, operation):
        return Request(operation, body={"order_id": self.held["id"], "method": "card", "token": "tok_visa"})

    def good_list_orders(self, operation):
        return Request(operation, query={"event_id": self.open["id"], "limit": "10"})

    good_list_tickets = good_list_orders

    def good_list_payment_methods(self, operation):
        return Request(operation, query={"event_id": self.open["id"], "limit": "10"})

    def good_create_payment_method(self, operation):
        return Request(operation, body={"type": "card", "label": "Cards", "config": {"account": "1"}})

    def good_update_payment_method(self, operation):
        return Request(operation, body={"type": "bank_transfer", "label": "Bank", "config": None})

    def good_add_event_payment_method(self, operation):
        return Request(operation, path={"event": self.draft["id"]}, body={"type": "bank_transfer", "label": None, "config": {}})

    def good_get_loyalty_points(self, operation):
        return Request(operation, query={"event_id": self.open["id"], "limit": "10"})

    def good_update_loyalty_rules(self, operation):
        boost = {"event_id": self.open["id"], "from": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00Z", "percent": 200}
        return Request(operation, body={"earn": "confirmed", "redeem": True, "boosts": [boost]})

    def good_settle_order(self, operation):
        return Request(operation, path={"order": self.promised["id"]})

    def good_get_order_pdf(self, operation):
        return Request(operation, path={"order": self.tickets[0]["order_id"]})

    def good_refund(self, operation):
        return Request(operation, body={"ticket_ids": [self.tickets[1]["id"]], "reason": "Cannot come."})

    def good_check_in(self, operation):
        body = {"code": self.tickets[2]["code"], "device_id": "gate", "nonce": self.key(), "event_id": self.open["id"],
                "scanned_at": "2026-01-01T00:00:00Z", "list_id": None}
        return Request(operation, body=body)
