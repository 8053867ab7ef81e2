"""Explanations of a text or an event, over a real database."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from uuid_utils.compat import uuid7

from app.db.engine import Database
from app.events.models import Follower
from app.rules.live import LiveRules
from app.rules.matching.rule_set import RuleSet, compile_rules
from app.rules.models import RuleFiring
from tests.rules.makers import APPID, NOON, OTHER_APPID, as_posted, text_rule


class Served:
    """Rules that no change reaches."""

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules

    async def newest(self) -> RuleSet:
        return self._rules


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


async def answered(database: Database, rule_id: int, *, at: datetime) -> None:
    """The rule answered oME at that moment, and is quiet for an hour."""
    async with database.sessions.begin() as session:
        session.add(
            RuleFiring(
                appid=APPID,
                openid="oME",
                rule_id=rule_id,
                fired_at=at,
                expires_at=at + timedelta(hours=1),
                dedupe_key=b"",
            )
        )


def waits(match: str, keyword: str, **more: object) -> dict[str, object]:
    return {"on": "text", "match": match, "keyword": keyword, **more}


def reasons(found: dict[str, Any]) -> dict[str, str]:
    return {miss["rule"]["name"]: miss["reason"] for miss in found["near_misses"]}


async def test_the_winner_comes_with_each_reply_exactly_as_it_would_be_sent(
    client: httpx.AsyncClient,
) -> None:
    link = '<a data-miniprogram-appid="wx0123456789abcdef" data-miniprogram-path="p">{1}</a>'
    replies = [
        {"msgtype": "text", "via": "passive", "content": f"Order {{1}} {link}"},
        {**as_posted()["replies"][0], "pagepath": "p?no={1}&ref={ref}"},
    ]
    trigger = waits("regex", "order ([0-9]+)")
    rule_id = await posted(client, "Order", trigger=trigger, replies=replies, utm={"source": "oa"})

    found = await asked(client, text="my order 12", openid="oME", at="2026-11-24T12:00:00Z")

    (winner,) = found["winners"]
    assert (winner["rule"]["id"], winner["only_if"]) == (rule_id, [])
    text, card = winner["replies"]
    content = (
        'Order 12 <a data-miniprogram-appid="wx0123456789abcdef" '
        'data-miniprogram-path="p?utm_source=oa">12</a>'
    )
    assert text["body"] == {
        "ToUserName": "oME",
        "FromUserName": "gh_ORIGINAL_ID",
        "CreateTime": 1795521600,
        "MsgType": "text",
        "Content": content,
    }
    assert f"<Content><![CDATA[{content}]]></Content>" in text["xml"]
    assert text["xml"].startswith("<xml><ToUserName><![CDATA[oME]]></ToUserName>")
    page = card["body"]["miniprogrampage"].pop("pagepath")
    assert re.fullmatch(r"p\?no=12&ref=[A-Za-z0-9_-]{10}&utm_source=oa", page)
    assert card["body"] == {
        "touser": "oME",
        "msgtype": "miniprogrampage",
        "miniprogrampage": {
            "title": "商城",
            "appid": "wx0123456789abcdef",
            "thumb_media_id": "MEDIA_ID of shop.png",
        },
    }
    assert card["uploads"] == [
        {"member": "thumb_media_id", "type": "image", "source": {"file": "shop.png"}}
    ]
    assert (card["xml"], card["not_sent"]) == (None, None)


async def test_what_is_not_sent_says_why_and_has_no_body(client: httpx.AsyncClient) -> None:
    empty = {"msgtype": "text", "via": "customer_service", "content": "{1}"}
    await posted(client, "Empty", trigger=waits("regex", "a(b?)"), replies=[empty])

    ((sent,),) = [winner["replies"] for winner in (await asked(client, text="a"))["winners"]]

    assert "nothing is left" in sent["not_sent"]
    assert (sent["body"], sent["xml"], sent["reply"]["content"]) == (None, None, "{1}")


async def test_what_depends_on_the_follower_is_said_until_one_is_named(
    client: httpx.AsyncClient,
) -> None:
    trigger = waits("exact", "a")
    half = {"conditions": {"share": {"percent": 50}}, "priority": 200}
    text = {"msgtype": "text", "via": "passive", "content": "a"}
    await posted(client, "Half", trigger=trigger, replies=[text], **half)
    await posted(client, "Rest", trigger=trigger, replies=[text])
    await posted(client, "Never", trigger=trigger)

    found = await asked(client, text="a")
    named = [await asked(client, text="a", openid=f"o{number}") for number in range(20)]

    assert [(winner["rule"]["name"], winner["only_if"]) for winner in found["winners"]] == [
        ("Half", ["belongs to a share of 50 % of followers"]),
        ("Rest", []),
    ]
    sent = [reply for winner in found["winners"] for reply in winner["replies"]]
    assert [(reply["via"], reply["not_sent"]) for reply in sent] == [("passive", None)] * 2
    assert reasons(found).keys() == {"Never"}
    assert {tuple(w["rule"]["name"] for w in one["winners"]) for one in named} == {
        ("Half",),
        ("Rest",),
    }


async def test_the_rules_that_are_served_are_the_ones_explained(
    api: FastAPI, client: httpx.AsyncClient
) -> None:
    await posted(client, "Not served yet", trigger=waits("exact", "a"))
    served = replace(compile_rules([text_rule(7, "exact", "a")], 41), left_out=(9,))
    api.state.rules = Served(served)

    found = await asked(client, text="a")

    assert [winner["rule"]["id"] for winner in found["winners"]] == [7]
    assert (found["version"], [rule["id"] for rule in found["left_out"]]) == (41, [9])


async def test_a_change_is_explained_at_once(
    api: FastAPI, client: httpx.AsyncClient, database: Database
) -> None:
    reloads: list[bool] = []
    api.state.rules = LiveRules(database, on_reload=reloads.append)
    await api.state.rules.load_once()
    rule_id = await posted(client, "New", trigger=waits("exact", "a"))

    added, again = await asked(client, text="a"), await asked(client, text="a")
    await client.delete(f"/api/rules/{rule_id}", headers={"If-Match": "*"})
    deleted = await asked(client, text="a")

    assert [winner["rule"]["name"] for winner in added["winners"]] == ["New"]
    assert again["version"] == added["version"]
    assert (deleted["winners"], deleted["version"]) == ([], added["version"] + 1)
    assert reloads == [True] * 3


async def test_an_account_that_is_not_configured_is_answered_with_those_that_are(
    client: httpx.AsyncClient,
) -> None:
    question = {"appid": "wx00000000000000ff", "text": "a"}

    refused = await client.post("/api/rules/explain", json=question)

    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert problem["loc"] == ["body", "appid"]
    assert f"use {APPID} or {OTHER_APPID}" in problem["msg"]
    assert "null" not in problem["msg"]


async def test_rules_that_are_none_are_named_and_keep_nobody_from_an_answer(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    trigger = waits("exact", "a")
    await posted(client, "Good", trigger=trigger)
    bad, off = await posted(client, "Bad"), await posted(client, "Off", enabled=False)
    await connection.execute(
        """UPDATE rules SET trigger = '{"on": "text", "match": "regex", "keyword": "("}'
        WHERE id = ANY($1)""",
        [bad, off],
    )

    found = await asked(client, text="a")

    assert [winner["rule"]["name"] for winner in found["winners"]] == ["Good"]
    assert [broken["id"] for broken in found["left_out"]] == [bad, off]
    assert all("missing )" in broken["problem"] for broken in found["left_out"])


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
    assert "its period ended at" in told["Over"]


async def test_an_event_is_asked_for_with_wechats_own_members(client: httpx.AsyncClient) -> None:
    await posted(client, "Store", trigger={"on": "scan", "scene_prefix": "store_"})

    found = await asked(client, message={"Event": "SCAN", "EventKey": "store_0042"})

    assert [winner["rule"]["name"] for winner in found["winners"]] == ["Store"]


async def test_what_is_known_of_a_follower_counts(
    client: httpx.AsyncClient, database: Database
) -> None:
    cooldown = {"cooldown_seconds": 3600}
    rule_id = await posted(client, "Once", trigger=waits("exact", "a"), conditions=cooldown)
    await answered(database, rule_id, at=NOON)
    at = {"text": "a", "at": "2026-11-24T12:30:00Z"}

    fired = await asked(client, openid="oME", **at)
    fresh = await asked(client, openid="oYOU", **at)

    assert "cooldown" in reasons(fired)["Once"]
    assert [winner["rule"]["name"] for winner in fresh["winners"]] == ["Once"]


async def test_what_came_after_the_moment_that_is_asked_about_does_not_count(
    client: httpx.AsyncClient, database: Database
) -> None:
    once, old = {"cooldown_seconds": 3600}, {"follower": {"min_age_seconds": 60}}
    rule_id = await posted(client, "Once", trigger=waits("exact", "a"), conditions=once)
    await posted(client, "Old", trigger=waits("exact", "b"), conditions=old)
    await answered(database, rule_id, at=NOON)
    async with database.sessions.begin() as session:
        session.add(
            Follower(
                appid=APPID,
                openid="oME",
                following=True,
                followed_at=NOON,
                last_at=NOON,
                last_id=uuid7(),
            )
        )
    before = {"openid": "oME", "at": "2026-11-24T11:59:59Z"}

    answer = await asked(client, text="a", **before)
    miss = await asked(client, text="b", **before)

    assert [winner["rule"]["name"] for winner in answer["winners"]] == ["Once"]
    assert "not known since when" in reasons(miss)["Old"]
    then = await asked(client, text="b", openid="oME", at="2026-11-24T12:00:30Z")
    assert "followed for 30 s" in reasons(then)["Old"]


async def test_the_list_of_near_misses_is_bounded(client: httpx.AsyncClient) -> None:
    for number in range(60):
        await posted(client, f"Rule {number}", trigger=waits("contains", "a"))

    found = await asked(client, text="a")
    few = await asked(client, text="a", limit=3)
    everything = await asked(client, text="a", limit=1000)

    assert (len(found["near_misses"]), found["more_near_misses"]) == (50, 9)
    assert (len(few["near_misses"]), few["more_near_misses"], few["truncated"]) == (3, 56, True)
    assert (len(everything["near_misses"]), everything["truncated"]) == (59, False)


async def test_switched_off_rules_that_were_not_looked_at_are_counted(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await posted(client, "Off", enabled=False)
    await connection.execute(
        """INSERT INTO rules (name, appid, enabled, priority, trigger, replies)
        SELECT name, appid, enabled, priority, trigger, replies FROM rules,
        generate_series(1, 1001)"""
    )

    found = await asked(client, text="a")

    assert (found["unread_disabled"], found["truncated"]) == (2, True)


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({}, "body.text"),
        ({"text": "a", "message": {}}, "body.text"),
        ({"text": "a", "at": "noon"}, "body.at"),
        ({"text": "a", "at": "9999-12-31T23:59:59Z"}, "body.at"),
        ({"text": "a", "limit": 1001}, "body.limit"),
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
