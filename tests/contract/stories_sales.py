"""stories_sales.py - holds, payments, tickets, refunds and the door."""
ALL = []


def story(tell):
    ALL.append(tell)
    return tell


def items_of(event, quantity=1, index=0):
    return [{"ticket_type_id": event["ticket_types"][index]["id"], "quantity": quantity}]


def simple(world, quantity=10, price=1000, **given):
    """An event with one type and nothing special."""
    types = [{"name": "Standard", "price": price, "quantity": quantity}]
    return world.event(**{"ticket_types": types, "policies": {}, "limits": {}, **given})


def available(world, event):
    return int(world.ask("head_event_tickets", 200, path={"event": event["id"]}).headers["Tickets-Available"])


def shown(world, order, who="ana"):
    return world.ask("get_order", 200, who=who, path={"order": order["id"]}).json


def scan(world, code, want, result, who="vera", **given):
    body = {"code": code, "device_id": "gate", "nonce": world.key(), **given}
    if want == 200:
        return world.ask("check_in", 200, who=who, body=body).json
    return world.refused("check_in", want, result, who=who, body=body).json


# --- Holds ---

@story
def a_hold_is_replayed(world):
    """the same key and body hold once; another body is refused; keys belong to accounts; refusals are not kept"""
    event = simple(world, 5)
    body = {"event_id": event["id"], "items": items_of(event, 2), "attendees": [{"name": "\u0645\u0646\u0649", "email": None}]}
    key = {"Idempotency-Key": world.key()}
    first = world.ask("book", 201, who="ana", headers=key, body=body)
    world.expect(first.headers.get("Idempotency-Replayed") is None, "the first is a replay")
    world.expect(first.headers["Location"] == f"/orders/{first.json['order']['id']}", first.headers["Location"])
    turned = {"items": [{"quantity": 2, "ticket_type_id": body["items"][0]["ticket_type_id"]}], "attendees": body["attendees"], "event_id": event["id"]}
    again = world.ask("book", 201, who="ana", headers=key, body=turned)
    world.expect(again.headers.get("Idempotency-Replayed") == "true" and again.json == first.json, f"{again.text} is not {first.text}")
    world.expect(available(world, event) == 3, "a replay takes tickets")
    world.refused("book", 422, "idempotency_mismatch", who="ana", headers=key, body={**body, "items": items_of(event, 1)})
    world.ask("book", 201, who="bob", headers=key, body=body)
    other = {"Idempotency-Key": world.key()}
    world.refused("book", 409, "sold_out", who="bob", headers=other, body={"event_id": event["id"], "items": items_of(event, 2)})
    world.ask("book", 201, who="bob", headers=other, body={"event_id": event["id"], "items": items_of(event, 1)})
    world.pay(first.json["order"])
    replay = world.ask("book", 201, who="ana", headers=key, body=body)
    world.expect(replay.json == first.json, f"after the payment the replay is another: {replay.text}")


@story
def what_cannot_be_booked(world):
    """what is not there, not on sale or over a limit is refused, and takes nothing"""
    event = simple(world, 100, limits={"per_order": 4, "per_user": 6}, ticket_types=[
        {"name": "A", "price": 100, "quantity": 50, "max_per_order": 3}, {"name": "B", "price": 100, "quantity": 50}])
    a, b = items_of(event)[0], items_of(event, 1, 1)[0]
    before = available(world, event)

    def refuse(status, refusal, items, **given):
        return world.refused("book", status, refusal, who="bob", body={"event_id": event["id"], "items": items, **given})
    refuse(409, "limit_exceeded", [{**a, "quantity": 4}])
    refuse(409, "limit_exceeded", [{**a, "quantity": 3}, {**b, "quantity": 2}])
    refuse(404, "not_found", [a], event_id=world.draft["id"])
    refuse(404, "not_found", [a], event_id="evt_01h455vb4pex5vsknk084sn02q")
    for items, pointer in (([a, a], "/items/1/ticket_type_id"), (items_of(world.open), "/items/0/ticket_type_id")):
        world.expect(pointer in refuse(422, "invalid_field", items).pointers, pointer)
    answer = refuse(422, "invalid_field", [a], attendees=[{"name": "x"}, {"name": "y"}])
    world.expect(answer.pointers == ["/attendees"], answer.text)
    world.expect(refuse(422, "invalid_field", [a], code="SAVE10").pointers == ["/code"], "code")
    world.expect(available(world, event) == before, "a refusal took tickets")
    world.ask("book", 201, who="bob", body={"event_id": event["id"], "items": [{**a, "quantity": 3}, {**b, "quantity": 1}]})
    refuse(409, "limit_exceeded", [{**b, "quantity": 3}])
    world.ask("book", 201, who="bob", body={"event_id": event["id"], "items": [{**b, "quantity": 2}]})
    world.expect(available(world, event) == before - 6, "not six are held")
    draft = world.event(status="draft")
    world.refused("book", 409, "not_on_sale", who="vera", body={"event_id": draft["id"], "items": items_of(draft)})
    rich = simple(world, 100, price=1000000000000)
    world.refused("book", 422, "invalid_field", who="bob", body={"event_id": rich["id"], "items": items_of(rich, 2)})
    world.book(rich, 1, who="bob")
    one = simple(world, limits={"one_active_hold": True})
    held = world.book(one)
    world.refused("book", 409, "limit_exceeded", who="ana", body={"event_id": one["id"], "items": items_of(one)})
    world.pay(held)
    world.book(one)


@story
def a_hold_ends(world):
    """an unpaid hold ends by the clock, and its tickets are on sale again"""
    event = simple(world, 2)
    order = world.book(event, 2)
    world.expect(available(world, event) == 0, "still available")
    world.program.advance(601)
    world.expect(shown(world, order)["status"] == "expired" and available(world, event) == 2, "it does not end")
    world.refused("pay", 410, "order_expired", who="ana", body={"order_id": order["id"], "method": "card", "token": "tok_visa"})
    world.refused("get_order_pdf", 409, "conflict", who="ana", path={"order": order["id"]})


# --- Payments ---

@story
def every_token_does_what_it_is_called(world):
    """each token of the sandbox ends as the contract says"""
    event = simple(world, 50)
    for token, brand in (("tok_visa", "visa"), ("tok_mastercard", "mastercard")):
        paid = world.pay(world.book(event, 2), token)
        world.expect((paid["payment"]["status"], paid["payment"].get("brand"), paid["order"]["status"], len(paid["tickets"])) ==
                     ("succeeded", brand, "confirmed", 2), f"{token}: {paid}")
        world.expect(all(t["status"] == "valid" and t.get("code") for t in paid["tickets"]), f"{token}: {paid['tickets']}")
        world.expect(paid["order"]["tickets"] == [t["id"] for t in paid["tickets"]], "other tickets than the order's")
    order = world.book(event)
    for token, code in (("tok_declined", "card_declined"), ("tok_insufficient_funds", "insufficient_funds")):
        key = {"Idempotency-Key": world.key()}
        body = {"order_id": order["id"], "method": "card", "token": token}
        first = world.refused("pay", 402, code, who="ana", headers=key, body=body)
        world.expect(first.json["payment"]["status"] == "failed", first.text)
        again = world.refused("pay", 402, code, who="ana", headers=key, body=body)
        world.expect(again.headers.get("Idempotency-Replayed") == "true", "no replay")
        world.expect(shown(world, order)["status"] == "held", "no longer held")
    answer = world.refused("pay", 503, "provider_unavailable", who="ana", body={"order_id": order["id"], "method": "card", "token": "tok_error"})
    world.expect(shown(world, order)["status"] == "held" and answer.status == 503, "no longer held")
    for token in ("tok_timeout", "tok_slow"):
        slow = world.book(event)
        key = {"Idempotency-Key": world.key()}
        body = {"order_id": slow["id"], "method": "card", "token": token}
        paid = world.ask("pay", 200, who="ana", headers=key, body=body).json
        world.expect((paid["payment"]["status"], paid["tickets"]) == ("pending", []), f"{token}: {paid}")
        world.expect(shown(world, slow)["status"] == "held", f"{token}: {shown(world, slow)}")
        other = world.ask("pay", 200, who="ana", body={**body, "token": "tok_visa"}).json
        world.expect(other["payment"]["id"] == paid["payment"]["id"], f"{token}: a second payment begins")
        world.program.advance(10)
        world.expect(shown(world, slow)["status"] == "confirmed", f"{token}: {shown(world, slow)}")
        again = world.ask("pay", 200, who="ana", headers=key, body=body)
        world.expect(again.headers.get("Idempotency-Replayed") == "true" and again.json["payment"]["id"] == paid["payment"]["id"], f"{token}: {again.text}")
        world.refused("pay", 409, "already_paid", who="ana", body=body)
    world.pay(order)


@story
def a_challenge_is_answered(world):
    """3-D Secure: the buyer approves, or declines, once"""
    event = simple(world)
    for act, operation_id, status in (("approve", "approve_sandbox_challenge", "confirmed"), ("decline", "decline_sandbox_challenge", "held")):
        order = world.book(event)
        payment = world.pay(order, "tok_3ds")["payment"]
        world.expect(payment["status"] == "requires_action" and payment["redirect_url"].endswith(f"/sandbox/3ds/{payment['id']}"), f"{payment}")
        page = world.ask("get_sandbox_challenge", 200, path={"payment": payment["id"]})
        world.expect(f"/sandbox/3ds/{payment['id']}/{act}" in page.text, page.text)
        world.ask(operation_id, 303, path={"payment": payment["id"]})
        world.settle_down()
        world.expect(shown(world, order)["status"] == status, f"{act}: {shown(world, order)}")
        for again in ("approve_sandbox_challenge", "decline_sandbox_challenge"):
            world.refused(again, 409, "conflict", path={"payment": payment["id"]})
        if status == "held":
            world.pay(order)
    order = world.book(event)
    late = world.pay(order, "tok_3ds")["payment"]
    world.program.advance(4000)
    world.expect(shown(world, order)["status"] in ("held", "expired"), f"{shown(world, order)}")
    world.refused("approve_sandbox_challenge", 409, "conflict", path={"payment": late["id"]})


@story
def methods_have_rules(world):
    """a method is refused with the field, or with method_not_accepted, and the hold stays"""
    event = simple(world, payment_methods=[{"type": "visa"}, {"type": "cash_on_arrival"}])
    order = world.book(event)

    def pay(want, code, **given):
        return world.refused("pay", want, code, who="ana", body={"order_id": order["id"], **given})
    for given, pointer in (({"method": "card"}, "/token"), ({"method": "card", "token": "tok_nothing"}, "/token"), ({"method": "paypal"}, "/method"),
                           ({"method": "cash_on_arrival", "token": "tok_visa"}, "/token"), ({"method": "visa", "token": "tok_visa"}, "/method"),
                           ({"method": "card", "token": "tok_visa", "payment_method_id": "pm_1"}, "/payment_method_id")):
        world.expect(pay(422, "invalid_field", **given).pointers == [pointer], f"{given}")
    for given in ({"method": "card", "token": "tok_visa", "payment_method_id": "pm_01h455vb4pex5vsknk084sn02q"},
                  {"method": "card", "token": "tok_mastercard"}, {"method": "bank_transfer"}, {"method": "free"}):
        pay(422, "method_not_accepted", **given)
    world.refused("pay", 404, "not_found", who="bob", body={"order_id": order["id"], "method": "card", "token": "tok_visa"})
    key = {"Idempotency-Key": world.key()}
    world.ask("pay", 200, who="ana", headers=key, body={"order_id": order["id"], "method": "card", "token": "tok_visa"})
    world.refused("pay", 422, "idempotency_mismatch", who="ana", headers=key, body={"order_id": order["id"], "method": "cash_on_arrival"})
    pay(409, "already_paid", method="card", token="tok_visa")
    free = world.book(simple(world, price=0))
    world.refused("pay", 422, "method_not_accepted", who="ana", body={"order_id": free["id"], "method": "card", "token": "tok_visa"})
    paid = world.pay(free, method="free")
    world.expect((paid["payment"]["status"], paid["order"]["status"], len(paid["tickets"])) == ("succeeded", "confirmed", 1), f"{paid}")


@story
def promised_orders_are_settled(world):
    """cash: tickets at once, admitted once it is paid; a transfer: tickets once it is there; both are settled by the vendor, once"""
    event = world.event()
    cash = world.pay(world.book(event, 2), method="cash_on_arrival")
    world.expect((cash["payment"]["status"], cash["order"]["status"], len(cash["tickets"])) == ("pending", "pending", 2), f"{cash}")
    refusal = scan(world, cash["tickets"][0]["code"], 409, "payment_due")
    world.expect(refusal.get("amount_due") == {"amount": 3000, "currency": "EUR"}, f"{refusal}")
    transfer = world.pay(world.book(event), method="bank_transfer")
    world.expect((transfer["payment"]["status"], transfer["order"]["status"], transfer["tickets"]) == ("pending", "pending", []), f"{transfer}")
    world.refused("pay", 409, "already_paid", who="ana", body={"order_id": transfer["order"]["id"], "method": "card", "token": "tok_visa"})
    world.refused("get_order_pdf", 409, "conflict", who="ana", path={"order": transfer["order"]["id"]})
    for paid, count in ((cash, 2), (transfer, 1)):
        path = {"order": paid["order"]["id"]}
        world.refused("settle_order", 404, "not_found", who="otto", path=path)
        world.refused("settle_order", 403, "forbidden", who="ana", path=path)
        settled = world.ask("settle_order", 200, who="vera", path=path).json
        world.expect((settled["order"]["status"], len(settled["tickets"])) == ("confirmed", count), f"{settled}")
        world.expect(all("code" not in t for t in settled["tickets"]), "the vendor is shown the codes")
        world.refused("settle_order", 409, "conflict", who="vera", path=path)
    scan(world, cash["tickets"][0]["code"], 200, "admitted")
    held = world.book(event)
    world.refused("settle_order", 409, "conflict", who="vera", path={"order": held["id"]})
    given_back = world.pay(world.book(event), method="cash_on_arrival")
    answer = world.ask("cancel_ticket", 200, who="ana", path={"ticket": given_back["tickets"][0]["id"]}).json
    world.expect(answer["refund"]["amount"]["amount"] == 0, f"{answer['refund']}")
    world.expect(shown(world, given_back["order"])["status"] == "cancelled", "nothing is left of it and it is not cancelled")


# --- Tickets ---

@story
def tickets_are_their_holders(world):
    """a ticket is shown to its holder with the code, to the vendor without, to nobody else"""
    event = simple(world, 20)
    tickets = world.bought(event, 3)
    path = {"ticket": tickets[0]["id"]}
    mine = world.ask("get_ticket", 200, who="ana", path=path)
    world.expect(mine.json == tickets[0] and mine.headers["Ticket-Status"] == "valid", f"{mine.text} is not {tickets[0]}")
    theirs = world.ask("get_ticket", 200, who="vera", path=path).json
    world.expect("code" not in theirs and "qr_svg" not in theirs, "the vendor is shown the code")
    world.ask("head_ticket", 200, who="vera", path=path)
    for operation_id, magic in (("get_ticket_qr_svg", b"<"), ("get_ticket_qr_png", b"\x89PNG"), ("get_ticket_pdf", b"%PDF-")):
        answer = world.ask(operation_id, 200, who="ana", path=path)
        world.expect(answer.body.startswith(magic), f"{operation_id}: {answer.body[:20]}")
        world.refused(operation_id, 404, "not_found", who="vera", path=path)
    pdf = world.ask("get_order_pdf", 200, who="ana", path={"order": tickets[0]["order_id"]})
    world.expect(pdf.body.startswith(b"%PDF-"), "no PDF")
    own = {"event_id": event["id"]}
    listed, query = [], {**own, "limit": "2"}
    while query:
        page = world.ask("list_tickets", 200, who="ana", query=query).json
        listed += page["data"]
        query = {**own, "limit": "2", "cursor": page["next_cursor"]} if page["next_cursor"] else None
    world.expect(sorted(t["id"] for t in listed) == sorted(t["id"] for t in tickets), f"{len(listed)} of 3 are listed")
    world.expect(world.ask("list_tickets", 200, who="vera", query=own).json["data"] == [], "the vendor's list has others' tickets")


@story
def orders_are_listed(world):
    """a buyer lists his orders, a vendor those of an event, page by page"""
    event = simple(world, 20)
    hers = [world.book(event)["id"] for _ in range(3)]
    his = [world.book(event, who="bob")["id"] for _ in range(2)]

    def listed(who, **query):
        ids, query = [], {"limit": "2", **query}
        while True:
            page = world.ask("list_orders", 200, who=who, query=query).json
            ids += [o["id"] for o in page["data"]]
            if page["next_cursor"] is None:
                return ids
            query["cursor"] = page["next_cursor"]
    world.expect(listed("ana", event_id=event["id"]) == hers[::-1], "ana's at the event")
    world.expect(listed("ana")[:3] == hers[::-1], "ana's newest")
    world.expect(listed("vera", event_id=event["id"]) == (hers + his)[::-1], "the vendor's")
    world.expect(listed("root", event_id=event["id"]) == (hers + his)[::-1], "an admin's")
    world.expect(listed("otto", event_id=event["id"]) == [], "another vendor's")
    cursor = world.ask("list_orders", 200, who="ana", query={"limit": "1"}).json["next_cursor"]
    world.refused("list_tickets", 400, "malformed", who="ana", query={"cursor": cursor})
    world.refused("list_events", 400, "malformed", query={"cursor": cursor})
    world.ask("get_order", 200, who="vera", path={"order": hers[0]})
    world.ask("get_order", 200, who="root", path={"order": hers[0]})


# --- Giving back ---

@story
def tickets_are_given_back(world):
    """a ticket is given back once, its price and its place too"""
    event = simple(world, 5)
    tickets = world.bought(event, 4)
    order = {"id": tickets[0]["order_id"]}
    world.expect(available(world, event) == 1, "stock")
    answer = world.ask("cancel_ticket", 200, who="ana", path={"ticket": tickets[0]["id"]}).json
    world.expect((answer["ticket"]["status"], answer["refund"]["status"], answer["refund"]["amount"]) ==
                 ("cancelled", "succeeded", {"amount": 1000, "currency": "EUR"}), f"{answer}")
    world.expect(available(world, event) == 2 and shown(world, order)["status"] == "partially_refunded", f"{shown(world, order)}")
    world.refused("cancel_ticket", 409, "not_refundable", who="ana", path={"ticket": tickets[0]["id"]})
    for operation_id in ("get_ticket_qr_svg", "get_ticket_qr_png", "get_ticket_pdf"):
        world.refused(operation_id, 409, "cancelled", who="ana", path={"ticket": tickets[0]["id"]})
    scan(world, tickets[0]["code"], 409, "cancelled")

    key = {"Idempotency-Key": world.key()}
    body = {"ticket_ids": [tickets[1]["id"]], "reason": "Ill"}
    first = world.ask("refund", 200, who="ana", headers=key, body=body)
    world.expect([t["status"] for t in first.json["tickets"]] == ["refunded"], first.text)
    again = world.ask("refund", 200, who="ana", headers=key, body={"reason": "Ill", "ticket_ids": body["ticket_ids"]})
    world.expect(again.headers.get("Idempotency-Replayed") == "true" and again.json == first.json, again.text)
    world.refused("refund", 422, "idempotency_mismatch", who="ana", headers=key, body={"ticket_ids": [tickets[2]["id"]]})
    world.expect(available(world, event) == 3, "a replay gives a ticket back")
    world.refused("refund", 409, "not_refundable", who="ana", body={"ticket_ids": [tickets[2]["id"], tickets[1]["id"]]})
    world.expect(available(world, event) == 3, "part of a refused refund was done")

    foreign = world.bought(event, 1, who="bob")[0]
    mine = world.bought(event, 1)[0]
    for body, pointer in (({"ticket_ids": [tickets[2]["id"]] * 2}, "/ticket_ids/1"), ({"ticket_ids": [tickets[2]["id"], mine["id"]]}, "/ticket_ids/1"),
                          ({}, "/ticket_ids"), ({"ticket_ids": [mine["id"]], "order_id": order["id"]}, "/ticket_ids")):
        world.expect(world.refused("refund", 422, "invalid_field", who="ana", body=body).pointers == [pointer], f"{body}")
    for body in ({"ticket_ids": [foreign["id"]]}, {"ticket_ids": [tickets[2]["id"], foreign["id"]]}, {"order_id": foreign["order_id"]},
                 {"order_id": "ord_01h455vb4pex5vsknk084sn02q"}):
        world.refused("refund", 404, "not_found", who="ana", body=body)
    rest = world.ask("refund", 200, who="ana", body={"order_id": order["id"]}).json
    refunds = shown(world, order)["refunds"]
    world.expect(refunds[1:] == [first.json["refund"], rest["refund"]], f"{refunds}")
    world.refused("retry_refund", 409, "conflict", who="root", path={"refund": rest["refund"]["id"]})
    world.expect(world.ask("list_unresolved_money", 200, who="root").json["data"] == [], "money is unresolved")
    world.expect((len(rest["tickets"]), rest["refund"]["amount"]["amount"]) == (2, 2000), f"{rest}")
    after = shown(world, order)
    world.expect((after["status"], after["refunded"]) == ("refunded", after["total"]), f"{after}")
    world.refused("refund", 409, "not_refundable", who="ana", body={"order_id": order["id"]})
    held = world.book(event)
    world.refused("refund", 409, "not_refundable", who="ana", body={"order_id": held["id"]})
    answer = world.ask("refund", 200, who="vera", body={"ticket_ids": [foreign["id"]]}).json
    world.expect(all("code" not in t for t in answer["tickets"]), "the vendor is shown the code")


@story
def a_vendor_sees_what_he_has_sold(world):
    """sales are the vendor's own, exact, and a file where that is wanted"""
    path = {"vendor": world.users["vera"]["vendor_id"]}
    world.refused("vendor_sales", 404, "not_found", who="otto", path=path)
    world.refused("vendor_sales", 422, "invalid_field", who="vera", path=path, query={"from": "soon"})
    event = simple(world, 10)
    tickets = world.bought(event, 3)
    for group, key in (("day", "day"), ("event", "event_id"), ("ticket_type", "ticket_type_id")):
        sales = world.ask("vendor_sales", 200, who="vera", path=path, query={"event_id": event["id"], "group_by": group}).json
        world.expect((sales["totals"]["tickets_sold"], sales["totals"]["tickets_refunded"]) == (3, 0), f"{sales}")
        world.expect(sales["totals"]["net"] == sales["totals"]["gross"] == sales["series"][0]["gross"] == sales["events"][0]["gross"], f"{sales}")
        world.expect(len(sales["series"]) == 1 and key in sales["series"][0], f"{sales}")
    world.ask("cancel_ticket", 200, who="ana", path={"ticket": tickets[0]["id"]})
    after = world.ask("vendor_sales", 200, who="root", path=path, query={"event_id": event["id"]}).json["totals"]
    world.expect((after["tickets_sold"], after["tickets_refunded"]) == (3, 1), f"{after}")
    world.expect(after["net"]["amount"] == after["gross"]["amount"] - after["refunds"]["amount"] == 2 * after["refunds"]["amount"], f"{after}")
    file = world.ask("vendor_sales", 200, who="vera", path=path, query={"event_id": event["id"]}, headers={"Accept": "text/csv"})
    world.expect(file.text.split("\r\n")[0] == "day,currency,gross,fees,refunds,net,tickets_sold,tickets_refunded", file.text)


@story
def policies_bind_the_buyer(world):
    """what the policy forbids the buyer, the vendor may still do; a used ticket nobody gives back"""
    for given in ({"policies": {"refundable": False}}, {"policies": {"refund_until": "2020-01-01T00:00:00Z"}},
                  {"starts_at": "2020-01-01T10:00:00", "ends_at": "2029-01-01T10:00:00"}):
        event = simple(world, **given)
        ticket = world.bought(event)[0]
        world.refused("cancel_ticket", 409, "not_refundable", who="ana", path={"ticket": ticket["id"]})
        world.refused("refund", 409, "not_refundable", who="ana", body={"order_id": ticket["order_id"]})
        world.ask("cancel_ticket", 200, who="vera", path={"ticket": ticket["id"]})
    ticket = world.bought(simple(world))[0]
    scan(world, ticket["code"], 200, "admitted")
    for who in ("ana", "vera", "root"):
        world.refused("cancel_ticket", 409, "not_refundable", who=who, path={"ticket": ticket["id"]})
    free = world.pay(world.book(simple(world, price=0)), method="free")["tickets"][0]
    refund = world.ask("cancel_ticket", 200, who="ana", path={"ticket": free["id"]}).json["refund"]
    world.expect((refund["status"], refund["amount"]["amount"]) == ("succeeded", 0), f"{refund}")


# --- The door ---

@story
def the_first_scan_wins(world):
    """a ticket admits once; a scanner that asks again hears the same"""
    event = simple(world, 10)
    one, two = world.bought(event, 2)
    body = {"code": one["code"], "device_id": "gate", "nonce": world.key(), "event_id": event["id"], "scanned_at": world.at(minutes=-5)}
    first = world.ask("check_in", 200, who="vera", body=body).json
    world.expect((first["ticket"]["status"], first["ticket"]["used_at"]) == ("used", body["scanned_at"]) and "code" not in first["ticket"], f"{first}")
    world.expect(world.ask("check_in", 200, who="vera", body=body).json == first, "asked again it says something else")
    world.refused("check_in", 422, "idempotency_mismatch", who="vera", body={**body, "code": two["code"]})
    refusal = scan(world, one["code"], 409, "already_used")
    world.expect(refusal.get("first_scanned_at") == body["scanned_at"], f"{refusal}")
    head = world.ask("head_ticket", 200, who="ana", path={"ticket": one["id"]})
    world.expect(head.headers["Ticket-Status"] == "used", f"{head.headers}")
    scan(world, two["code"], 409, "wrong_event", event_id=world.open["id"])
    scan(world, two["code"], 422, "invalid_code", who="otto")
    scan(world, two["code"].lower(), 422, "invalid_code")
    scan(world, two["code"][:-1] + ("A" if two["code"][-1] != "A" else "B"), 422, "invalid_code")
    for code in ("T1:", "T1:A", "x", "T2:" + two["code"][3:], two["code"] + "A", two["code"] * 3, "\u00e9" * 100):
        scan(world, code, 422, "invalid_code")
    world.expect(scan(world, two["code"], 200, "admitted", scanned_at=world.at(hours=5))["ticket"]["used_at"] <= world.at(), "used in the future")


@story
def the_door_opens_when_the_event_says(world):
    """before check-in opens nobody is admitted"""
    opens = world.at(hours=1)
    event = simple(world, checkin_opens_at=opens)
    ticket = world.bought(event)[0]
    refusal = scan(world, ticket["code"], 409, "too_early")
    world.expect(refusal.get("checkin_opens_at") == opens, f"{refusal}")
    world.program.advance(3601)
    scan(world, ticket["code"], 200, "admitted", who="root")


@story
def a_transfer_says_where_the_money_goes(world):
    """who pays by bank transfer is told the account and the reference; nobody else is"""
    config = {"iban": "EG380019000500000000263180002", "account_holder": "Vera", "secret": "hush"}
    method = world.ask("create_payment_method", 201, who="vera", body={"type": "bank_transfer", "config": config}).json
    event = world.event(payment_methods=[{"payment_method_id": method["id"]}])
    order = world.pay(world.book(event), method="bank_transfer")["order"]
    path = {"order": order["id"]}
    told = world.ask("get_bank_transfer", 200, who="ana", path=path).json
    world.expect(told["reference"] == order["id"] and told["amount"] == order["total"], f"{told}")
    world.expect([line["value"] for line in told["account"]] == ["Vera", "EG380019000500000000263180002"], f"{told}")
    world.refused("get_bank_transfer", 404, "not_found", who="bob", path=path)
    world.refused("get_bank_transfer", 404, "not_found", who="vera", path=path)
    world.refused("get_bank_transfer", 409, "conflict", who="ana", path={"order": world.held["id"]})
