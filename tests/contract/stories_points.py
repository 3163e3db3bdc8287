"""stories_points.py - loyalty points: what earns them, what they are good for, what takes them back."""
from stories_sales import items_of, scan, shown, simple

ALL = []


def story(tell):
    ALL.append(tell)
    return tell


def buyer(world, name):
    """Somebody who has no points yet."""
    world.register(name, "customer")
    return name


def points(world, who, **query):
    world.settle_down()
    return world.ask("get_loyalty_points", 200, who=who, query=query).json


def rules(world, who="vera", **given):
    path = {"vendor": world.users["vera"]["vendor_id"]}
    return world.ask("update_loyalty_rules", 200, who=who, path=path, body=given).json


@story
def what_is_paid_earns_points(world):
    """an order earns once it is paid, and what is given back is taken back; history adds up to the balance"""
    who = buyer(world, "pia")
    before = points(world, who)
    world.expect((before["balance"], before["tier"], before["history"]) == (0, "member", []), f"{before}")
    tickets = world.bought(simple(world), 3, who=who)
    earned = points(world, who)
    world.expect((earned["balance"], earned["earned"], earned["next_tier"]) == (30, 30, {"name": "silver", "missing": 970}), f"{earned}")
    world.expect(earned["history"][0]["order_id"] == tickets[0]["order_id"], f"{earned['history']}")
    world.ask("cancel_ticket", 200, who=who, path={"ticket": tickets[0]["id"]})
    after = points(world, who)
    world.expect(after["balance"] == 20 == sum(entry["points"] for entry in after["history"]), f"{after}")
    page = points(world, who, limit="1")
    rest = points(world, who, limit="1", cursor=page["next_cursor"])
    world.expect(page["history"] + rest["history"] == after["history"] and rest["next_cursor"] is None, f"{page} {rest}")
    world.refused("get_loyalty_points", 400, "malformed", who=who, query={"cursor": "abc"})


@story
def points_pay_for_tickets(world):
    """points pay a part, a ticket or all of an order; what is not bought after all gives them back"""
    who = buyer(world, "kim")
    world.bought(simple(world, price=100000), 2, who=who)
    world.expect(points(world, who)["balance"] == 2000, f"{points(world, who)}")
    event = simple(world, 20, price=1000)
    body = {"event_id": event["id"], "items": items_of(event, 2)}

    def book(want, **redeem):
        return world.ask("book", want, who=who, body={**body, "redeem": redeem})
    part = book(201, kind="discount", points=300).json["order"]
    world.expect((part["discount"]["amount"], part["total"]["amount"], part["points"]) == (300, 1700, 300), f"{part}")
    world.expect((points(world, who)["balance"], points(world, who)["reserved"]) == (1700, 300), f"{points(world, who)}")
    free = book(201, kind="free_ticket", ticket_type_id=event["ticket_types"][0]["id"]).json["order"]
    world.expect((free["total"]["amount"], free["points"]) == (1000, 1000), f"{free}")
    world.refused("book", 409, "insufficient_points", who=who, body={**body, "redeem": {"kind": "discount", "points": 1999}})
    for redeem, pointer in (({"kind": "discount"}, "/redeem/points"), ({"kind": "free_ticket", "points": 1}, "/redeem/points"),
                            ({"kind": "free_ticket", "ticket_type_id": world.open["ticket_types"][0]["id"]}, "/redeem/ticket_type_id")):
        answer = world.refused("book", 422, "invalid_field", who=who, body={**body, "redeem": redeem})
        world.expect(pointer in answer.pointers, answer.text)
    world.program.advance(700)
    world.expect((points(world, who)["balance"], points(world, who)["reserved"]) == (2000, 0), f"{points(world, who)}")
    whole = book(201, kind="discount", points=2000).json["order"]
    paid = world.pay(whole, who=who, method="free")
    world.expect((paid["order"]["status"], points(world, who)["balance"]) == ("confirmed", 0), f"{paid}")
    back = world.ask("refund", 200, who=who, body={"order_id": whole["id"]}).json
    world.expect((back["refund"]["amount"]["amount"], points(world, who)["balance"]) == (0, 2000), f"{back}")
    rules(world, redeem=False)
    world.refused("book", 409, "not_redeemable", who=who, body={**body, "redeem": {"kind": "discount", "points": 5}})
    rules(world, redeem=True)


@story
def an_event_says_what_points_buy(world):
    """with an event, points show what its tickets cost"""
    event = simple(world, price=1500)
    shown_for = points(world, "ana", event_id=event["id"])["redeemable"]
    free = [one for one in shown_for if one["kind"] == "free_ticket"]
    world.expect([(one["points"], one["discount"]["amount"], one["name"]) for one in free] == [(1500, 1500, "Standard")], f"{shown_for}")
    world.refused("get_loyalty_points", 404, "not_found", who="ana", query={"event_id": world.draft["id"]})


@story
def a_vendor_has_rules_of_his_own(world):
    """points at the door, boosts, and none taken: by each vendor, for orders from then on"""
    who = buyer(world, "rob")
    path = {"vendor": world.users["vera"]["vendor_id"]}
    standard = world.ask("get_loyalty_rules", 200, who="vera", path=path).json
    world.expect(standard == {"earn": "confirmed", "redeem": True, "boosts": []}, f"{standard}")
    for operation in ("get_loyalty_rules", "update_loyalty_rules"):
        body = {} if operation.startswith("update") else None
        world.refused(operation, 404, "not_found", who="otto", path=path, body=body)
    world.expect(rules(world, boosts=[{"percent": 300}])["boosts"] == [{"percent": 300}], "boosts")
    world.expect(rules(world, earn="checkin") == {"earn": "checkin", "redeem": True, "boosts": [{"percent": 300}]}, "a merge")
    answer = world.refused("update_loyalty_rules", 422, "invalid_field", who="vera", path=path,
                           body={"boosts": [{"percent": 200, "from": "2028-01-02T00:00:00Z", "until": "2028-01-01T00:00:00Z"}]})
    world.expect(answer.pointers == ["/boosts/0/until"], answer.text)
    event = simple(world)
    tickets = world.bought(event, 2, who=who)
    world.expect((points(world, who)["balance"], points(world, who)["pending"]) == (0, 60), f"{points(world, who)}")
    scan(world, tickets[0]["code"], 200, "admitted")
    world.expect((points(world, who)["balance"], points(world, who)["pending"]) == (30, 30), f"{points(world, who)}")
    rules(world, "root", **standard)
