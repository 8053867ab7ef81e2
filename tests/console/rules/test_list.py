"""The list of rules: tabs, filters, order, switches, hits, conflicts, history."""

import html
import re

import pytest
from sqlalchemy import text

from app.access.roles import Role
from app.rules.editing import room
from tests.console.operator import Operator, signed_in
from tests.service import Service, message, text_reply


async def test_rules_are_in_their_tab_the_higher_priority_first(
    service: Service, owner: Operator
) -> None:
    await service.add_rule(text_reply(), name="Low", priority=1)
    await service.add_rule(text_reply(), name="High", priority=200)
    await service.add_rule(text_reply(), name="Hello", trigger={"on": "subscribe"})

    keywords = (await owner.get("/rules")).text
    welcome = (await owner.get("/rules", tab="subscribe")).text

    assert keywords.index("High") < keywords.index("Low")
    assert "Hello" not in keywords
    assert "Hello" in welcome
    assert "High" not in welcome


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "优惠"}, {"Coupon"}),
        ({"q": "one MOMENT"}, {"Coupon", "Further"}),
        ({"q": "%"}, set()),
        ({"q": "优惠\0"}, {"Coupon"}),
        ({"state": "off"}, {"Further"}),
        ({"match": "contains"}, {"Further"}),
        ({"account": "wx0000000000000009"}, {"Coupon", "Further"}),
    ],
)
async def test_filters(
    service: Service, owner: Operator, query: dict[str, str], found: set[str]
) -> None:
    coupon = {"on": "text", "match": "any", "keywords": ["优惠券"]}
    other = {"on": "text", "match": "contains", "keyword": "a"}
    await service.add_rule(text_reply(), name="Coupon", trigger=coupon)
    await service.add_rule(text_reply(), name="Further", trigger=other, enabled=False)

    page = (await owner.get("/rules", **query)).text

    assert {name for name in ("Coupon", "Further") if name in page} == found


async def test_equals_are_in_the_order_in_which_the_matcher_decides(
    service: Service, owner: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.rules.list_page.PAGE_ROWS", 2)
    triggers = [
        {"on": "text", "match": "regex", "keyword": "shops?"},
        {"on": "text", "match": "contains", "keyword": "shop"},
        {"on": "text", "match": "contains", "keyword": "the shop"},
        {"on": "text", "match": "contains", "keyword": "a", "not": True},
        {"on": "text", "match": "exact", "keyword": "shop"},
        {"on": "msgmenu", "id": "101"},
    ]
    for trigger in triggers:
        await service.add_rule(text_reply(), trigger=trigger)
    service_order = [rule.id for rule in (await service.app.state.rules.newest()).ranked]

    path, listed = "/console/rules", []
    while path:
        page = (await owner.http.get(path)).text
        listed += re.findall(r'<th scope="row"><a href="/console/rules/(\d+)"', page)
        further = re.search(r'rel="next" href="([^"]+)"', page)
        path = html.unescape(further[1]) if further else ""

    assert list(map(int, listed)) == service_order
    assert service_order != sorted(service_order)


async def test_a_changed_trigger_changes_the_place(service: Service, owner: Operator) -> None:
    first = await service.add_rule(text_reply(), name="First")
    await service.add_rule(
        text_reply(), name="Second", trigger={"on": "text", "match": "contains", "keyword": "a"}
    )
    before = (await owner.get("/rules")).text
    changed = {
        "name": "First",
        "trigger": {"on": "text", "match": "regex", "keyword": "a+"},
        "replies": [text_reply()],
    }
    assert (await service.api("PUT", f"rules/{first}", json=changed)).status_code == 200
    after = (await owner.get("/rules")).text

    assert before.index("First") < before.index("Second")
    assert after.index("Second") < after.index("First")


async def test_a_row_that_is_no_rule_stands_behind_its_equals(
    service: Service, owner: Operator
) -> None:
    broken = await service.add_rule(text_reply(), name="Broken")
    await service.add_rule(text_reply(), name="Whole")
    async with service.app.state.database.sessions.begin() as session:
        damage = text("UPDATE rules SET trigger = jsonb_build_object('on', 'text') WHERE id = :id")
        await session.execute(damage, {"id": broken})
    page = (await owner.get("/rules")).text

    assert page.index("Whole") < page.index("Broken")


@pytest.mark.parametrize("after", ["1_2_3_4..5_6", "0_1_2_1e999999_3"])
async def test_a_cursor_that_is_none_shows_a_page(
    service: Service, owner: Operator, after: str
) -> None:
    await service.add_rule(text_reply())

    assert (await owner.get("/rules", after=after)).status_code == 200


async def test_pages_follow_each_other_by_priority_and_id(
    service: Service, owner: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.rules.list_page.PAGE_ROWS", 2)
    for name, priority in (("A", -(2**31)), ("B", 7), ("C", 7), ("D", 2**31 - 1)):
        await service.add_rule(text_reply(), name=f"Rule-{name}", priority=priority)

    first = (await owner.get("/rules")).text
    after = first.split("after=")[-1].split('"')[0]
    second = (await owner.get("/rules", after=after)).text

    assert [name for name in "ABCD" if f"Rule-{name}" in first] == ["B", "D"]
    assert [name for name in "ABCD" if f"Rule-{name}" in second] == ["A", "C"]


async def test_a_rule_is_switched_and_moved_once_for_each_revision(
    service: Service, owner: Operator
) -> None:
    rule_id = await service.add_rule(text_reply())
    back = "tab=keywords&q=shop"
    switched = await owner.post(f"/rules/{rule_id}/switch", {"revision": 1, "back": back})
    stale = await owner.post(f"/rules/{rule_id}/switch", {"revision": 1, "back": back})
    moved = await owner.post(
        f"/rules/{rule_id}/move", {"revision": 2, "direction": "up", "back": ""}
    )

    assert switched.headers["location"] == f"/console/rules?{back}&done=switched"
    assert stale.headers["location"].endswith("done=stale")
    assert moved.headers["location"].endswith("done=moved")
    rule = await service.read(f"rules/{rule_id}")
    assert (rule["enabled"], rule["priority"], rule["revision"]) == (False, 101, 3)


async def test_up_puts_a_rule_before_its_equals(service: Service, owner: Operator) -> None:
    exact = {"on": "text", "match": "exact", "keyword": "shop"}
    await service.add_rule(text_reply("first"), trigger=exact)
    second = await service.add_rule(text_reply("second"), trigger=exact, name="Second")

    await owner.post(f"/rules/{second}/move", {"revision": 1, "direction": "up", "back": ""})
    await service.app.state.rules.load_once()

    assert (await owner.get_part("/rules/try", text="shop")).text.index("Second") >= 0
    answer = await service.answer(message(service.clock))
    assert "second" in str(answer)


async def test_hits_are_counted_since_thirty_days(service: Service, owner: Operator) -> None:
    await service.add_rule(text_reply())
    for _ in range(3):
        await service.push(message(service.clock))

    page = (await owner.get("/rules")).text

    assert '<td class="number" data-label="Hits in 30 days">3</td>' in page
    assert "<time" in page


async def test_conflicts_are_marked_and_listed(service: Service, owner: Operator) -> None:
    await service.add_rule(text_reply(), name="First")
    await service.add_rule(text_reply(), name="Twin")

    listed = (await owner.get("/rules/conflicts")).text
    marked = (await owner.get("/rules")).text

    assert "never answers" in listed
    assert "Same trigger" in marked


async def test_history_shows_differences_and_restores(service: Service, owner: Operator) -> None:
    rule_id = await service.add_rule(text_reply("one"))
    await service.replace_rule(rule_id, text_reply("two"))

    page = (await owner.get(f"/rules/{rule_id}/history")).text
    stale = await owner.post(f"/rules/{rule_id}/restore", {"revision": 1, "present": 1})
    done = await owner.post(f"/rules/{rule_id}/restore", {"revision": 1, "present": 2})

    assert "Content of the reply 1 · Text" in page
    assert stale.headers["location"].endswith("done=stale")
    assert done.headers["location"].endswith("done=restored")
    assert (await service.read(f"rules/{rule_id}"))["replies"][0]["content"] == "one"


async def test_a_deleted_rule_is_restored(service: Service, owner: Operator) -> None:
    rule_id = await service.add_rule(text_reply("one"))
    deleted = await owner.post(f"/rules/{rule_id}/delete", {"revision": 1})
    await owner.post(f"/rules/{rule_id}/restore", {"revision": 1, "present": 0})

    assert deleted.headers["location"] == "/console/rules?tab=keywords&done=deleted"
    assert (await service.read(f"rules/{rule_id}"))["name"] == "Shop"


async def test_a_deleted_rule_stays_deleted_if_there_is_no_room(
    service: Service, owner: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule_id = await service.add_rule(text_reply("one"))
    await owner.post(f"/rules/{rule_id}/delete", {"revision": 1})
    monkeypatch.setattr(room, "MAX_RULES", 0)

    refused = await owner.post(f"/rules/{rule_id}/restore", {"revision": 1, "present": 0})

    page = await owner.get(refused.headers["location"].removeprefix("/console"))
    assert page.status_code == 200
    assert "The rules are as many, or as large, as they may be." in page.text


async def test_a_viewer_has_no_buttons(service: Service) -> None:
    await service.add_rule(text_reply())
    async with signed_in(service, Role.VIEWER, name="V") as viewer:
        page = (await viewer.get("/rules")).text

    assert "/switch" not in page
    assert "/move" not in page
