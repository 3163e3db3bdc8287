"""stories_events.py - what is offered: events, their times, lists of them, and what remains."""
import csv
import io
import time

ALL = []


def story(tell):
    ALL.append(tell)
    return tell


def etag(world, event, who="vera"):
    return world.ask("get_event", 200, who=who, path={"event": event["id"]}).headers["ETag"]


def change(world, event, body, want=200, who="vera"):
    return world.ask("update_event", want, who=who, path={"event": event["id"]}, headers={"If-Match": "*"}, body=body)


def listed(world, who=None, **query):
    """All pages, two at a time: ids in order."""
    ids, query = [], {"limit": "2", **query}
    while True:
        page = world.ask("list_events", 200, who=who, query=query).json
        ids += [event["id"] for event in page["data"]]
        world.expect(len(page["data"]) <= 2, "a page of more than its limit")
        if page["next_cursor"] is None:
            world.expect(len(ids) == len(set(ids)), f"an event comes twice: {ids}")
            return ids
        query["cursor"] = page["next_cursor"]


def visible_soon(world, event, is_there=True, **query):
    """Lists follow within 300 ms."""
    until = time.monotonic() + 2
    while (event["id"] in listed(world, **query)) != is_there:
        if time.monotonic() > until:
            world.note(f"{event['name']} is {'not ' if is_there else ''}listed by {query}")
            return
        time.sleep(0.02)


@story
def a_draft_is_its_vendors(world):
    """a draft is seen by its vendor alone, until it is published"""
    draft = world.event(name="Quiet Draft Zebra", status="draft")
    path = {"event": draft["id"]}
    for who in (None, "ana", "otto"):
        for operation_id in ("get_event", "get_event_calendar", "get_event_tickets", "head_event_tickets"):
            world.refused(operation_id, 404, "not_found", who=who, path=path)
    for who in ("vera", "root"):
        for operation_id in ("get_event", "get_event_calendar", "get_event_tickets", "head_event_tickets"):
            world.ask(operation_id, 200, who=who, path=path)
    world.expect(draft["id"] not in listed(world, search="zebra"), "a draft is listed")
    visible_soon(world, draft, who="vera", vendor="me")
    world.refused("list_events", 401, "unauthenticated", query={"vendor": "me"})
    world.refused("list_events", 403, "forbidden", who="ana", query={"vendor": "me"})
    world.expect(draft["id"] not in listed(world, who="otto", vendor="me"), "it is listed as another's own")
    published = change(world, draft, {"status": "published"}).json
    world.expect(published["status"] == "published" and published["name"] == draft["name"], f"{published}")
    world.ask("get_event", 200, path=path)
    visible_soon(world, draft, search="zebra")
    names = world.ask("suggest_events", 200, query={"q": "quiet zeb"}).json["data"]
    world.expect([(name["kind"], name["text"], name["ranges"]) for name in names] == [("event", draft["name"], [[0, 5], [12, 3]])], f"{names}")
    change(world, draft, {"status": "draft"})
    world.refused("get_event", 404, "not_found", path=path)
    visible_soon(world, draft, False, search="zebra")
    world.refused("create_event", 403, "forbidden", who="root", body=world.event_body())


@story
def what_is_recommended_can_be_bought(world):
    """recommendations are on sale, fall in score, and keep to the city that is asked for"""
    event = world.event()
    city = event["venue"]["city"]
    for query in ({"limit": "100"}, {"city": city.upper(), "limit": "100"}):
        answer = world.ask("recommend", 200, query=query).json
        scores = [row["score"] for row in answer["data"]]
        world.expect(scores == sorted(scores, reverse=True), f"{scores}")
        world.expect(any(row["event"]["name"] == event["name"] for row in answer["data"]), f"{event['id']} is not recommended")
        world.expect(all(row["event"]["status"] == "published" for row in answer["data"]), "something else than published events")
    world.expect(all(row["event"]["venue"]["city"] == city for row in answer["data"]), "another city's events")
    world.expect(world.ask("recommend", 200, query={"city": "Nowhere"}).json["data"] == [], "events of nowhere")
    change(world, event, {"status": "draft"})
    world.expect(all(row["event"]["id"] != event["id"] for row in world.ask("recommend", 200, query={"limit": "100"}).json["data"]), "a draft")


@story
def changes_need_what_was_seen(world):
    """a change needs the tag of what was seen, and merges"""
    event = world.event()
    path, first = {"event": event["id"]}, etag(world, event)
    world.refused("update_event", 428, "precondition_required", who="vera", path=path, body={"name": "New"})
    answer = world.ask("update_event", 200, who="vera", path=path, headers={"If-Match": first}, body={"name": "New", "description": None})
    world.expect(answer.headers["ETag"] != first, "the tag stays")
    kept = {k: v for k, v in answer.json.items() if k not in ("name", "description", "version", "slug")}
    world.expect(kept == {k: event[k] for k in kept}, f"{kept} is not as in {event}")
    world.expect(answer.json["description"] is None and answer.json["name"] == "New", "not changed")
    world.refused("update_event", 412, "precondition_failed", who="vera", path=path, headers={"If-Match": first}, body={"name": "Late"})
    world.ask("update_event", 200, who="vera", path=path, headers={"If-Match": f'"7777", {answer.headers["ETag"]}'}, body={"name": "Newer"})
    world.ask("update_event", 200, who="root", path=path, headers={"If-Match": "*"}, body={"name": "By an admin"})
    shown = world.ask("get_event", 200, path=path).json
    world.expect(shown["vendor_id"] == world.users["vera"]["vendor_id"], "an admin's change takes the event away")
    same = change(world, event, {}).json
    world.expect(same["name"] == "By an admin", "an empty change changes")


@story
def ticket_types_are_replaced(world):
    """ticket types are known by their ids, and none goes below what is taken"""
    event = world.event(ticket_types=[{"name": "A", "price": 100, "quantity": 5}, {"name": "B", "price": {"amount": 200, "currency": "EUR"}, "quantity": 5}])
    a, b = event["ticket_types"]
    world.book(event, 3)
    types = [{"id": a["id"], "name": "A2", "price": 100, "quantity": 3}, {"name": "C", "price": 0, "quantity": 1}]
    changed = change(world, event, {"ticket_types": types}).json
    world.expect([t["name"] for t in changed["ticket_types"]] == ["A2", "C"], f"{changed['ticket_types']}")
    remaining = world.ask("get_event_tickets", 200, path={"event": event["id"]}).json["ticket_types"]
    world.expect([(t["total"], t["available"], t["status"]) for t in remaining] == [(3, 0, "sold_out"), (1, 1, "on_sale")], f"{remaining}")
    instant = "2027-01-02T00:00:00Z"
    too_few = [{"id": a["id"], "name": "A2", "price": 100, "quantity": 2}]
    answer = change(world, event, {"ticket_types": too_few}, want=None)
    world.expect(answer.status in (409, 422), f"3 are taken and 2 offered: {answer.status} {answer.text[:200]}")
    answer = change(world, event, {"ticket_types": [{"name": "Only new", "price": 1, "quantity": 1}]}, want=None)
    world.expect(answer.status in (200, 409, 422), answer.text[:200])
    for types, pointer in (
            ([{"id": b["id"], "name": "B", "price": 1, "quantity": 1}] * 2, "/ticket_types/1/id"),
            ([{"id": world.open["ticket_types"][0]["id"], "name": "X", "price": 1, "quantity": 1}], "/ticket_types/0/id"),
            ([{"name": "X", "price": {"amount": 1, "currency": "USD"}, "quantity": 1}], "/ticket_types/0/price"),
            ([{"name": "X", "price": 1, "quantity": 1, "sales_start": instant, "sales_end": instant}], "/ticket_types/0/sales_end")):
        answer = change(world, event, {"ticket_types": types}, 422)
        world.expect(any(p.startswith(pointer) for p in answer.pointers), f"{types}: {answer.text}")


@story
def rules_of_an_event(world):
    """an event that contradicts itself is refused with the field"""
    rules = [
        ({"venue": None, "online": False}, "/venue"),
        ({"venue": {"name": "H", "city": "B", "country": "G", "lat": 1}}, "/venue/lat"),
        ({"ends_at": "2028-06-05T19:59:59"}, "/ends_at"),
        ({"ends_at": "2028-06-05T17:59:59Z"}, "/ends_at"),
        ({"payment_methods": [{"type": "card"}, {"type": "card"}]}, "/payment_methods/1/type"),
        ({"payment_methods": [{"type": "bitcoin"}]}, "/payment_methods/0/type"),
        ({"payment_methods": [{"payment_method_id": "pm_01h455vb4pex5vsknk084sn02q"}]}, "/payment_methods/0/payment_method_id"),
        ({"type": "opera"}, "/type"), ({"currency": "ZZZ"}, "/currency"), ({"status": "cancelled"}, "/status"),
    ]
    for given, pointer in rules:
        answer = world.ask("create_event", 422, who="vera", body=world.event_body(**given))
        world.expect(pointer in answer.pointers, f"{given}: want {pointer}: {answer.text[:300]}")
    online = world.event(online=True, venue=None)
    world.expect(online["venue"] is None and online["online"], f"{online}")
    both = world.event(online=True)
    world.expect(both["venue"] is None, "an online event has a venue")
    body = world.event_body()
    for name in ("type", "description", "url", "whole_day", "online", "artists", "payment_methods", "policies", "limits", "checkin_opens_at", "status"):
        del body[name]
    plain = world.ask("create_event", 201, who="vera", body=body).json
    world.expect((plain["type"], plain["status"], plain["payment_methods"]) == ("other", "draft", [{"type": "card"}]), f"{plain}")
    world.expect(plain["limits"] == {"per_order": 10, "per_user": None, "one_active_hold": False}, f"{plain['limits']}")
    standard = {"refundable": True, "refund_until": None, "refund_hours_before": None, "refund_percent": 100, "refund_fees": True,
                "fee_bearer": None, "tax": None}
    world.expect(plain["policies"] == standard, f"{plain['policies']}")


@story
def wall_times_are_in_the_zone(world):
    """wall times are read in the event's zone: gaps are refused, of doubled hours the first is meant"""
    cases = [
        ("Europe/Berlin", "2027-03-28T02:30:00", None), ("Europe/Berlin", "2027-03-28T03:00:00", "2027-03-28T01:00:00Z"),
        ("Europe/Berlin", "2027-10-31T02:30:00", "2027-10-31T00:30:00Z"), ("America/New_York", "2027-03-14T02:00:00", None),
        ("America/New_York", "2027-11-07T01:30:00", "2027-11-07T05:30:00Z"), ("Africa/Cairo", "2027-04-30T00:30:00", None),
        ("Africa/Cairo", "2027-07-01T20:00:00", "2027-07-01T17:00:00Z"), ("Asia/Kathmandu", "2027-01-01T00:00:00", "2026-12-31T18:15:00Z"),
        ("Australia/Lord_Howe", "2027-10-03T02:15:00", None), ("Pacific/Apia", "2027-01-01T00:00:00", "2026-12-31T11:00:00Z"),
        ("Europe/Berlin", "2027-03-28T02:30:00+01:00", "2027-03-28T01:30:00Z"),
        ("UTC", "9999-12-31T23:59:59", "9999-12-31T23:59:59Z"),
        ("Europe/Berlin", "0001-01-01T00:00:00", None), ("UTC", "0001-01-02T00:00:00", "0001-01-02T00:00:00Z"),
        ("America/New_York", "9999-12-31T23:59:59", None),
    ]
    for zone, wall, instant in cases:
        body = world.event_body(timezone=zone, starts_at=wall, ends_at="9999-12-31T23:59:59Z", status="draft")
        if instant is None:
            answer = world.ask("create_event", 422, who="vera", body=body)
            world.expect("/starts_at" in answer.pointers, f"{wall} in {zone}: {answer.text[:300]}")
        else:
            event = world.ask("create_event", 201, who="vera", body=body).json
            world.expect(event.get("starts_at") == instant, f"{wall} in {zone}: want {instant}, got {event.get('starts_at')}")


@story
def events_end(world):
    """a draft vanishes, an event is cancelled once, one that was booked is not withdrawn"""
    draft = world.event(status="draft")
    world.ask("delete_event", 204, who="vera", path={"event": draft["id"]})
    for operation_id in ("get_event", "delete_event"):
        world.refused(operation_id, 404, "not_found", who="vera", path={"event": draft["id"]})
    event = world.event()
    tickets = world.bought(event, 2)
    held = world.book(event, who="bob")
    answer = change(world, event, {"status": "draft"}, 409)
    world.expect(answer.json["code"] == "conflict", answer.text)
    world.refused("get_cancellation", 404, "not_found", who="vera", path={"event": event["id"]})
    answer = world.ask("delete_event", 202, who="vera", path={"event": event["id"]})
    world.expect(answer.json["status"] == "cancelled", answer.text)
    world.refused("delete_event", 409, "conflict", who="vera", path={"event": event["id"]})
    change(world, event, {"name": "Again"}, 409)
    for headers, code in (({}, "precondition_required"), ({"If-Match": '"0"'}, "precondition_failed")):
        status = world.contract.codes[code][0]
        world.refused("update_event", status, code, who="vera", path={"event": event["id"]}, headers=headers, body={"name": "Again"})
    head = world.ask("head_event_tickets", 200, path={"event": event["id"]})
    world.expect(head.headers["Tickets-Status"] == "not_on_sale", f"{head.headers}")
    world.settle_down()
    world.settle_down()
    order = world.ask("get_order", 200, who="ana", path={"order": tickets[0]["order_id"]}).json
    world.expect((order["status"], order["refunded"]) == ("refunded", order["total"]), f"{order}")
    progress = world.ask("get_cancellation", 200, who="vera", path={"event": event["id"]}).json
    world.expect((progress["status"], progress["refunds_succeeded"], progress["given_back"]) == ("done", 1, order["total"]), f"{progress}")
    world.refused("get_cancellation", 404, "not_found", who="otto", path={"event": event["id"]})
    world.refused("get_cancellation", 403, "forbidden", who="ana", path={"event": event["id"]})
    world.expect(world.ask("get_order", 200, who="bob", path={"order": held["id"]}).json["status"] == "cancelled", "a hold stays")
    ticket = world.ask("get_ticket", 200, who="ana", path={"ticket": tickets[0]["id"]})
    world.expect(ticket.headers["Ticket-Status"] == "refunded" and "code" not in ticket.json, ticket.text)
    unbooked = world.event()
    world.ask("delete_event", 204, who="vera", path={"event": unbooked["id"]})
    world.expect(world.ask("get_event", 200, path={"event": unbooked["id"]}).json["status"] == "cancelled", "not cancelled")


@story
def what_remains(world):
    """what remains is told by number and by word"""
    soon, later = world.at(hours=1), world.at(hours=2)
    long_ago = {"starts_at": "2020-01-01T10:00:00Z", "ends_at": "2020-01-01T12:00:00Z"}
    kinds = {
        "on_sale": world.event(ticket_types=[{"name": "A", "price": 0, "quantity": 2}]),
        "sold_out": world.event(ticket_types=[{"name": "A", "price": 0, "quantity": 0}]),
        "not_on_sale": world.event(ticket_types=[{"name": "A", "price": 0, "quantity": 2, "sales_start": soon, "sales_end": later}]),
        "ended": world.event(ticket_types=[{"name": "A", "price": 0, "quantity": 2}], **long_ago),
    }
    for status, event in kinds.items():
        head = world.ask("head_event_tickets", 200, path={"event": event["id"]})
        number = "2" if status == "on_sale" else "0"
        world.expect((head.headers["Tickets-Status"], head.headers["Tickets-Available"]) == (status, number), f"{status}: {dict(head.headers)}")
        row = world.ask("get_event_tickets", 200, path={"event": event["id"]}).json["ticket_types"][0]
        world.expect(row["status"] == status, f"{row}")
        if status != "on_sale":
            world.refused("book", 409, "sold_out" if status == "sold_out" else "not_on_sale", who="ana", body={
                "event_id": event["id"], "items": [{"ticket_type_id": event["ticket_types"][0]["id"], "quantity": 1}]})
    visible_soon(world, kinds["on_sale"], date_from="2028-01-01")
    world.expect(kinds["ended"]["id"] not in listed(world, search="event"), "an event that is over is listed")
    world.expect(kinds["ended"]["id"] in listed(world, date_from="2020-01-01", date_to="2020-01-01"), "it is not listed by its date")


@story
def lists_are_sorted_and_filtered(world):
    """every filter and sort gives what it says, page by page"""
    rows = [("Blaue Nacht", "Anna B\u00e9la", "K\u00f6ln", 500, "2029-01-01"), ("Rote Nacht", "Carl D", "Berlin", 100, "2029-01-03"),
            ("\u0644\u064a\u0644\u0629 \u0632\u0631\u0642\u0627\u0621", "\u0641\u0631\u0642\u0629 \u0627\u0644\u0641\u062c\u0631", "Cairo", 300, "2029-01-02")]
    made = []
    for name, artist, city, price, day in rows:
        made.append(world.event(who="otto", name=name, artists=[artist], starts_at=f"{day}T10:00:00Z", ends_at=f"{day}T12:00:00Z", type="theatre",
                                venue={"name": f"Haus {city}", "city": city, "country": "X"}, ticket_types=[{"name": "A", "price": price, "quantity": 5}]))
    blue, red, layla = (e["id"] for e in made)
    own = {"vendor": world.users["otto"]["vendor_id"]}
    visible_soon(world, made[-1], **own)
    checks = [
        ({}, [blue, layla, red]), ({"sort": "date_desc"}, [red, layla, blue]), ({"sort": "price_asc"}, [red, layla, blue]),
        ({"sort": "price_desc"}, [blue, layla, red]), ({"sort": "newest"}, [layla, red, blue]), ({"price_min": "200"}, [blue, layla]),
        ({"price_min": "100", "price_max": "300"}, [layla, red]), ({"city": "k\u00f6ln"}, [blue]), ({"city": "koln"}, [blue]),
        ({"city": "BERLIN"}, [red]), ({"city": "ber"}, []),
        ({"artist": "anna"}, [blue]), ({"artist": made[1]["artists"][0]["id"]}, [red]), ({"venue": made[2]["venue"]["id"]}, [layla]),
        ({"venue": "haus berlin"}, [red]), ({"venue": "haus"}, [blue, layla, red]), ({"type": "theatre"}, [blue, layla, red]),
        ({"type": "gaming"}, []), ({"date_from": "2029-01-02"}, [layla, red]),
        ({"date_to": "2029-01-01"}, [blue]), ({"date_from": "2029-01-02T10:00:00Z", "date_to": "2029-01-02T10:00:00Z"}, [layla]),
        ({"available": "true"}, [blue, layla, red]), ({"available": "false"}, []), ({"search": "nacht", "sort": "date_asc"}, [blue, red]),
        ({"search": "nach"}, None), ({"search": "\u0632\u0631\u0642\u0627"}, [layla]), ({"search": "bela"}, [blue]),
        ({"search": "nahct", "sort": "date_asc"}, [blue, red]),
        ({"search": "zzzzqqq"}, []), ({"sort": "popular"}, None),
    ]
    for query, want in checks:
        got = listed(world, **own, **query)
        world.expect(got == want if want is not None else set(got) <= {blue, red, layla} and got, f"{query}: want {want}, got {got}")
    page = world.ask("list_events", 200, query={**own, "limit": "1"}).json
    cursor = page["next_cursor"]
    for query in ({"cursor": cursor, "limit": "1"}, {**own, "cursor": cursor, "sort": "newest"}, {**own, "cursor": cursor[:-2] + "AA"}, {**own, "cursor": "x"}):
        world.refused("list_events", 400, "malformed", query=query)
    world.ask("list_events", 200, query={**own, "cursor": cursor, "limit": "3"})


@story
def a_calendar_is_one(world):
    """an event's calendar file says what the event says"""
    event = world.event(name="Comma, semicolon; backslash\\ and a very long name " + "\u00e9" * 80, description="Two\nlines")
    answer = world.ask("get_event_calendar", 200, path={"event": event["id"]})
    text = answer.text
    world.expect(text.startswith("BEGIN:VCALENDAR\r\n") and text.endswith("END:VCALENDAR\r\n"), text[:100])
    world.expect(all(len(line.encode()) <= 75 for line in text.split("\r\n")), "a line of more than 75 octets")
    unfolded = text.replace("\r\n ", "")
    world.expect("Comma\\, semicolon\\; backslash\\\\ and" in unfolded and "DTSTART:20280605T180000Z" in unfolded, unfolded)


@story
def a_vendor_has_payment_methods_that_events_take(world):
    """payment methods belong to the vendor, events take them, and what is needed stays"""
    made = world.ask("create_payment_method", 201, who="vera", body={"type": "cash_on_arrival", "config": {"desk": "left"}}).json
    path = {"method": made["id"]}
    event = world.event(payment_methods=[{"type": "card"}, {"payment_method_id": made["id"]}])
    world.expect(event["payment_methods"][1] == {"type": "cash_on_arrival", "payment_method_id": made["id"]}, f"{event['payment_methods']}")
    seen = world.ask("list_payment_methods", 200, who="ana", query={"event_id": event["id"]}).json["data"]
    world.expect([m.get("id") for m in seen] == [None, made["id"]] and "config" not in seen[1], f"{seen}")
    own = world.ask("list_payment_methods", 200, who="vera", query={"limit": "100"}).json["data"]
    world.expect(made in own, f"{own}")
    world.refused("list_payment_methods", 422, "invalid_field", who="ana")
    world.refused("list_payment_methods", 404, "not_found", who="ana", query={"event_id": "evt_01h455vb4pex5vsknk084sn02q"})
    world.refused("list_payment_methods", 400, "malformed", who="vera", query={"cursor": "pm_"})
    order = world.pay(world.book(event), method="cash_on_arrival")["order"]
    world.refused("delete_payment_method", 409, "in_use", who="vera", path=path)
    world.ask("settle_order", 200, who="vera", path={"order": order["id"]})
    changed = world.ask("update_payment_method", 200, who="vera", path=path, body={"label": "At the door"}).json
    world.expect(changed["config"] == {"desk": "left"} and changed["label"] == "At the door", f"{changed}")
    world.settle_down()
    shown = world.ask("get_event", 200, path={"event": event["id"]}).json
    world.expect(shown["payment_methods"][1].get("label") == "At the door", f"{shown['payment_methods']}")
    world.refused("update_payment_method", 422, "invalid_field", who="vera", path=path, body={"type": "card"})
    world.ask("delete_payment_method", 204, who="vera", path=path)
    added = world.ask("add_event_payment_method", 201, who="vera", path={"event": event["id"]}, body={"type": "bank_transfer"}).json
    world.refused("add_event_payment_method", 409, "conflict", who="vera", path={"event": event["id"]}, body={"type": "bank_transfer"})
    shown = world.ask("get_event", 200, path={"event": event["id"]}).json
    world.expect([m["type"] for m in shown["payment_methods"]] == ["card", "bank_transfer"], f"{shown['payment_methods']}")
    for _ in range(120):
        if world.ask("create_payment_method", who="otto", body={"type": "card"}).status != 201:
            break
    world.refused("create_payment_method", 409, "limit_exceeded", who="otto", body={"type": "card"})
    world.refused("create_payment_method", 403, "forbidden", who="root", body={"type": "card"})
    world.expect(added["vendor_id"] == event["vendor_id"], f"{added}")


@story
def a_vendor_takes_his_data_away(world):
    """an export is the vendor's own, in pages that make one file"""
    path = {"vendor": world.users["vera"]["vendor_id"]}
    world.refused("export_vendor", 404, "not_found", who="otto", path=path, query={"table": "orders"})
    for table in ("events", "orders", "tickets"):
        whole = world.ask("export_vendor", 200, who="vera", path=path, query={"table": table})
        rows = len(list(csv.reader(io.StringIO(whole.text, newline="")))) - 1
        ids, query = [], {"table": table, "format": "json", "limit": "2"}
        while query:
            page = world.ask("export_vendor", 200, who="vera", path=path, query=query).json
            ids += [row["id"] for row in page["data"]]
            query = {**query, "cursor": page["next_cursor"]} if page["next_cursor"] else None
        world.expect(len(ids) == len(set(ids)) == rows > 0, f"{table}: {rows} rows of CSV, {len(ids)} of JSON")
