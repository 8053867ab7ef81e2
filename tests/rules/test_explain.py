"""Explanations, for a text or an event."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.db.engine import Database
from app.rules.models import RuleFiring
from tests.rules.makers import APPID, NOON, OTHER_APPID, as_posted


async def posted(client: httpx.AsyncClient, name: str, **changes: object) -> int:
    answer = await client.post("/api/rules", json=as_posted(name=name, **changes))
    assert answer.status_code == 201, answer.text
    rule_id: int = answer.json()["id"]
    return rule_id


async def asked(client: httpx.AsyncClient, **question: object) -> dict[str, Any]:
    answer = await client.post("/api/rules/explain", json={"appid": APPID, **question})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def waits(match: str, keyword: str, **more: object) -> dict[str, object]:
    return {"on": "text", "match": match, "keyword": keyword, **more}


def reasons(found: dict[str, Any]) -> dict[str, str]:
    return {miss["rule"]["name"]: miss["reason"] for miss in found["near_misses"]}


async def test_the_winner_comes_with_each_reply_as_it_would_be_sent(
    client: httpx.AsyncClient,
) -> None:
    replies = [
        {"msgtype": "text", "via": "passive", "content": "Order {1}"},
        {**as_posted()["replies"][0], "pagepath": "p?no={1}"},
    ]
    trigger = waits("regex", "order ([0-9]+)")
    rule_id = await posted(client, "Order", trigger=trigger, replies=replies, utm={"source": "oa"})

    (winner,) = (await asked(client, text="my order 12"))["winners"]

    assert winner["rule"]["id"] == rule_id
    assert [sent["not_sent"] for sent in winner["replies"]] == [None, None]
    assert winner["replies"][0]["reply"]["content"] == "Order 12"
    assert winner["replies"][1]["reply"]["pagepath"] == "p?no=12&utm_source=oa"


async def test_every_near_miss_says_the_one_thing_that_it_lacks(
    client: httpx.AsyncClient,
) -> None:
    await posted(client, "Winner", trigger=waits("exact", "去商城"), priority=200)
    await posted(client, "Lower", trigger=waits("exact", "去商城"))
    await posted(client, "Wider", trigger=waits("contains", "商城"), priority=200)
    await posted(client, "Prefix", trigger=waits("prefix", "商城"))
    await posted(client, "Exact", trigger=waits("exact", "商城"))
    await posted(client, "Other", trigger=waits("contains", "商城"), appid=OTHER_APPID)
    await posted(client, "Off", trigger=waits("contains", "商城"), enabled=False)
    await posted(client, "Fallback", trigger={"on": "fallback"})
    over = {"until": "2026-01-01T00:00:00Z"}
    await posted(client, "Over", trigger=waits("contains", "商城"), conditions=over)
    await posted(client, "Nothing", trigger=waits("contains", "天气"))

    found = await asked(client, text="去商城")

    assert [winner["rule"]["name"] for winner in found["winners"]] == ["Winner"]
    told = reasons(found)
    assert told.keys() == {"Lower", "Wider", "Prefix", "Exact", "Other", "Off", "Fallback", "Over"}
    assert "higher priority" in told["Lower"]
    assert "more specific" in told["Wider"]
    assert "not at the beginning" in told["Prefix"]
    assert "says more" in told["Exact"]
    assert "another account" in told["Other"]
    assert "switched off" in told["Off"]
    assert "fallback" in told["Fallback"]
    assert "period is over" in told["Over"]


async def test_an_event_is_asked_for_with_wechats_own_members(client: httpx.AsyncClient) -> None:
    await posted(client, "Store", trigger={"on": "scan", "scene_prefix": "store_"})

    found = await asked(client, message={"Event": "SCAN", "EventKey": "store_0042"})

    assert [winner["rule"]["name"] for winner in found["winners"]] == ["Store"]


async def test_what_is_known_of_a_follower_counts(
    client: httpx.AsyncClient, database: Database
) -> None:
    cooldown = {"cooldown_seconds": 3600}
    rule_id = await posted(client, "Once", trigger=waits("exact", "a"), conditions=cooldown)
    async with database.sessions.begin() as session:
        session.add(
            RuleFiring(
                appid=APPID,
                openid="oME",
                rule_id=rule_id,
                fired_at=NOON,
                expires_at=NOON + timedelta(hours=1),
                dedupe_key=b"",
            )
        )
    at = {"text": "a", "at": "2026-11-24T12:30:00Z"}

    fired = await asked(client, openid="oME", **at)
    fresh = await asked(client, openid="oYOU", **at)

    assert "cooldown" in reasons(fired)["Once"]
    assert [winner["rule"]["name"] for winner in fresh["winners"]] == ["Once"]


async def test_the_list_of_near_misses_is_bounded(client: httpx.AsyncClient) -> None:
    for number in range(60):
        await posted(client, f"Rule {number}", trigger=waits("contains", "a"))

    found = await asked(client, text="a")

    assert (len(found["near_misses"]), found["more_near_misses"]) == (50, 9)


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({}, "body.text"),
        ({"text": "a", "message": {}}, "body.text"),
        ({"text": "a", "at": "noon"}, "body.at"),
        ({"text": "a", "appid": "gh_1"}, "body.appid"),
        ({"message": {"Event": "SCAN", "CreateTime": "noon"}}, "body.message"),
    ],
)
async def test_a_question_that_is_none_is_refused(
    client: httpx.AsyncClient, question: dict[str, object], field: str
) -> None:
    answer = await client.post("/api/rules/explain", json={"appid": APPID, **question})

    assert answer.status_code == 422, answer.text
    assert ".".join(map(str, answer.json()["detail"][0]["loc"])) == field
