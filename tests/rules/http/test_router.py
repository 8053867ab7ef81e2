"""`/api/rules` over a real database."""

import json
from typing import Any

import asyncpg
import httpx
import pytest

from app.rules.definition.text_triggers import MAX_KEYWORDS
from tests.rules.makers import APPID, OTHER_APPID, STICKER, as_posted

ANY = {"If-Match": "*"}


def as_text(content: str, via: str = "customer_service") -> dict[str, object]:
    return {"msgtype": "text", "via": via, "content": content}


async def posted(client: httpx.AsyncClient, **changes: object) -> int:
    answer = await client.post("/api/rules", json=as_posted(**changes))
    assert answer.status_code == 201, answer.text
    rule_id: int = answer.json()["id"]
    return rule_id


async def problems(client: httpx.AsyncClient, **changes: object) -> dict[str, str]:
    """What a refused rule is answered: field and words."""
    answer = await client.post("/api/rules", json=as_posted(**changes))
    assert answer.status_code == 422, answer.text
    return {".".join(map(str, item["loc"])): item["msg"] for item in answer.json()["detail"]}


async def test_a_rule_reads_back_as_it_was_posted(client: httpx.AsyncClient) -> None:
    added = await client.post("/api/rules", json=as_posted())

    assert added.status_code == 201
    read = await client.get(added.headers["Location"])
    assert read.json() == added.json()
    assert {**as_posted(), **read.json()} == read.json()
    assert read.json().keys() - as_posted().keys() == {
        "id",
        "revision",
        "created_at",
        "updated_at",
    }


async def test_what_is_left_out_takes_the_usual_value(client: httpx.AsyncClient) -> None:
    rule = as_posted()
    for name in ("appid", "enabled", "priority"):
        del rule[name]

    answer = (await client.post("/api/rules", json=rule)).json()

    assert (answer["appid"], answer["enabled"], answer["priority"]) == (None, True, 100)


@pytest.mark.parametrize(
    "trigger",
    [
        {"on": "text", "match": "regex", "keyword": "订单[0-9]+"},
        {"on": "subscribe"},
        {"on": "subscribe", "scene": "store_0042"},
        {"on": "scan", "scene": "store_0042"},
        {"on": "click", "key": "SHOP"},
        {"on": "fallback"},
    ],
)
async def test_every_trigger_is_stored_as_written(
    client: httpx.AsyncClient, trigger: dict[str, Any]
) -> None:
    rule_id = await posted(client, trigger=trigger)

    assert (await client.get(f"/api/rules/{rule_id}")).json()["trigger"] == trigger


async def test_put_replaces_the_whole_rule(client: httpx.AsyncClient) -> None:
    rule_id = await posted(client, appid=APPID, priority=7)
    rule = as_posted(name="Renamed", trigger={"on": "fallback"})
    del rule["priority"]

    answer = await client.put(f"/api/rules/{rule_id}", json=rule, headers=ANY)

    assert answer.status_code == 200
    assert answer.json() == (await client.get(f"/api/rules/{rule_id}")).json()
    assert (answer.json()["name"], answer.json()["appid"]) == ("Renamed", None)
    assert answer.json()["priority"] == 100
    assert answer.json()["updated_at"] > answer.json()["created_at"]


async def test_a_deleted_rule_is_gone(client: httpx.AsyncClient) -> None:
    rule_id = await posted(client)

    answer = await client.delete(f"/api/rules/{rule_id}", headers=ANY)

    assert (answer.status_code, answer.content) == (204, b"")
    assert (await client.get(f"/api/rules/{rule_id}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/{id}"),
        ("PUT", "/{id}"),
        ("DELETE", "/{id}"),
        ("GET", "/{id}/revisions"),
        ("POST", "/{id}/revisions/1/restore"),
        ("GET", "/export"),
        ("POST", "/import"),
        ("GET", "/conflicts"),
        ("POST", "/explain"),
    ],
)
async def test_a_parameter_that_a_path_does_not_know_is_refused(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    rule_id = await posted(client)
    body = as_posted(name="Other") if method in {"POST", "PUT"} else None

    answer = await client.request(
        method, f"/api/rules{path.format(id=rule_id)}?dryrun=true", json=body, headers=ANY
    )

    assert answer.status_code == 422
    found = {tuple(item["loc"]): item["msg"] for item in answer.json()["detail"]}
    assert found["query", "dryrun"] == "is not known here: check its spelling, or remove it"
    (kept,) = (await client.get("/api/rules")).json()["items"]
    assert (kept["id"], kept["name"], kept["revision"]) == (rule_id, "Shop", 1)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_id_is_404(client: httpx.AsyncClient, method: str) -> None:
    body = as_posted() if method == "PUT" else None

    answer = await client.request(method, "/api/rules/9223372036854775807", json=body, headers=ANY)

    assert answer.status_code == 404
    assert answer.json() == {"detail": "rule 9223372036854775807 does not exist"}


@pytest.mark.parametrize("rule_id", ["0", "-1", "9223372036854775808", "first"])
async def test_an_impossible_id_is_422(client: httpx.AsyncClient, rule_id: str) -> None:
    assert (await client.get(f"/api/rules/{rule_id}")).status_code == 422


async def test_pages_show_every_rule_once_by_id(client: httpx.AsyncClient) -> None:
    ids = [await posted(client, name=f"Rule {n}") for n in range(5)]

    seen: list[list[int]] = []
    after = 0
    while after is not None:
        page = (await client.get("/api/rules", params={"after": after, "limit": 2})).json()
        seen.append([item["id"] for item in page["items"]])
        after = page["next"]
    assert seen == [ids[:2], ids[2:4], ids[4:]]


async def test_a_full_last_page_has_no_next(client: httpx.AsyncClient) -> None:
    await posted(client)

    page = (await client.get("/api/rules", params={"limit": 1})).json()

    assert page["next"] is None


async def test_a_list_can_be_narrowed_to_an_account_and_to_enabled_rules(
    client: httpx.AsyncClient,
) -> None:
    ours = await posted(client, appid=APPID)
    off = await posted(client, appid=APPID, enabled=False)
    await posted(client, appid=OTHER_APPID)
    everyones = await posted(client)

    async def ids(**wanted: str) -> list[int]:
        page = (await client.get("/api/rules", params=wanted)).json()
        return [item["id"] for item in page["items"]]

    assert await ids(appid=APPID) == [ours, off]
    assert await ids(appid=APPID, enabled="true") == [ours]
    assert await ids(enabled="false") == [off]
    assert everyones in await ids()


@pytest.mark.parametrize("limit", [0, 201])
async def test_a_page_has_at_most_200_rules(client: httpx.AsyncClient, limit: int) -> None:
    assert (await client.get("/api/rules", params={"limit": limit})).status_code == 422


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": " "}, "body.name", "is blank"),
        ({"name": "a\x00b"}, "body.name", "NUL"),
        ({"name": "half a pair \ud800"}, "body.name", "half of a character"),
        ({"appid": "gh_123"}, "body.appid", "AppID"),
        ({"appid": "wx00000000000000ff"}, "body.appid", f"use {APPID} or {OTHER_APPID} or null"),
        ({"priority": 2**31}, "body.priority", "2147483647"),
        ({"priority": "high"}, "body.priority", "integer"),
        ({"prioritty": 1}, "body.prioritty", "check its spelling"),
        ({"\ud800": 1}, "body", "half of a character"),
        ({"trigger": {"keyword": "a"}}, "body.trigger", "needs 'on'"),
        ({"trigger": {"on": "moon"}}, "body.trigger", "'fallback'"),
        ({"trigger": {"on": "scan"}}, "body.trigger.scene", "is missing"),
        ({"trigger": {"on": "scan", "scene": "s" * 65}}, "body.trigger.scene", "64"),
        ({"trigger": {"on": "scan", "scene": "qrscene_a"}}, "body.trigger.scene", "write what"),
        (
            {"trigger": {"on": "subscribe", "scene_prefix": "qrscene_"}},
            "body.trigger.scene_prefix",
            "write what follows it",
        ),
        ({"trigger": {"on": "click", "key": "商" * 43}}, "body.trigger.key", "128 bytes"),
        ({"trigger": {"on": "subscribe", "key": "a"}}, "body.trigger.key", "remove it"),
        (
            {"trigger": {"on": "text", "match": "exact", "keyword": STICKER}},
            "body.trigger.keyword",
            'use the trigger {"on": "unsupported"}',
        ),
        (
            {"trigger": {"on": "text", "match": "any", "keywords": ["a", STICKER[1:-1]]}},
            "body.trigger.keywords.1",
            "no keyword is compared with that",
        ),
        ({"replies": []}, "body.replies", "at least one"),
        ({"replies": [{"msgtype": "text", "content": "a"}]}, "body.replies.0.via", "is missing"),
        ({"replies": [as_text("\ud800")]}, "body.replies.0.content", "half of a character"),
        ({"replies": [as_text("a\x00b")]}, "body.replies.0.content", "control characters"),
    ],
)
async def test_a_bad_rule_is_answered_with_the_field_and_the_fix(
    client: httpx.AsyncClient, changes: dict[str, object], field: str, words: str
) -> None:
    body = json.dumps(as_posted(**changes))  # writes half a surrogate pair as an escape

    answer = await client.post(
        "/api/rules", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 422
    found = {".".join(map(str, item["loc"])): item["msg"] for item in answer.json()["detail"]}
    assert words in found[field]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("match", "keyword", "words"),
    [
        ("exact", "", "at least 1"),
        ("exact", " \u3000", "is blank"),
        ("exact", "\u200b\ufeff", "holds nothing that can be seen"),
        ("contains", " \u2060\u200e\u202c\u200d ", "holds nothing that can be seen"),
        ("regex", "\u00ad\u3164", "holds nothing that can be seen"),
        ("regex", "[\u200b]+", "after normalisation"),
        ("contains", "a\x00", "NUL"),
        ("contains", "a" * 1025, "1024"),
        ("regex", "(商城", "missing )"),
        ("regex", "(?=商城)", "RE2"),
        ("regex", "[\ufe0f]+", "after normalisation"),
        ("regex", "\ufe0f{1,2}", "after normalisation"),
    ],
)
async def test_a_keyword_that_can_not_work_is_refused(
    client: httpx.AsyncClient, match: str, keyword: str, words: str
) -> None:
    found = await problems(client, trigger={"on": "text", "match": match, "keyword": keyword})

    assert words in found["body.trigger.keyword"]


async def test_a_rule_is_not_moved_to_an_account_that_is_not_configured(
    client: httpx.AsyncClient,
) -> None:
    rule_id = await posted(client, appid=APPID)

    answer = await client.put(
        f"/api/rules/{rule_id}", json=as_posted(appid="wx00000000000000ff"), headers=ANY
    )

    assert answer.status_code == 422
    assert (await client.get(f"/api/rules/{rule_id}")).json()["appid"] == APPID


@pytest.mark.parametrize("moment", [1766666666, 1766666666.5, "1766666666", True])
async def test_a_moment_that_is_a_bare_number_is_refused_with_the_form_that_is_wanted(
    client: httpx.AsyncClient, moment: object
) -> None:
    found = await problems(client, conditions={"from": moment, "until": moment})
    question = {"appid": APPID, "text": "a", "at": moment}
    asked = await client.post("/api/rules/explain", json=question)

    form = "must be a date and time with a time zone: write it like 2026-11-24T12:00:00+08:00"
    assert found == {"body.conditions.from": form, "body.conditions.until": form}
    assert [(item["loc"], item["msg"]) for item in asked.json()["detail"]] == [
        (["body", "at"], form)
    ]


async def test_two_passive_replies_are_refused(client: httpx.AsyncClient) -> None:
    found = await problems(client, replies=[as_text("好", "passive")] * 2)

    assert found.keys() == {"body.replies"}
    assert "one passive reply" in found["body.replies"]


async def test_ten_replies_are_taken_and_eleven_refused(client: httpx.AsyncClient) -> None:
    await posted(client, replies=[as_text("好")] * 10)

    found = await problems(client, replies=[as_text("好")] * 11)
    assert "10" in found["body.replies"]


async def test_a_passive_card_is_refused_with_the_way_out(client: httpx.AsyncClient) -> None:
    card = {**as_posted()["replies"][0], "via": "passive"}

    found = await problems(client, replies=[card])

    assert "customer_service" in found["body.replies.0.via"]


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 422), (b'"\xff"', 400), (b"[" * 9_000, 422), (b"", 422)]
)
async def test_a_body_that_is_no_json_is_refused(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    answer = await client.post(
        "/api/rules", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == status


async def test_a_refused_rule_leaves_the_stored_one_alone(client: httpx.AsyncClient) -> None:
    rule_id = await posted(client)

    answer = await client.put(
        f"/api/rules/{rule_id}", json=as_posted(trigger={"on": "scan"}), headers=ANY
    )

    assert answer.status_code == 422
    assert (await client.get(f"/api/rules/{rule_id}")).json()["trigger"] == as_posted()["trigger"]


async def test_a_row_changed_by_hand_is_shown_as_broken_and_can_be_put_right(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    good, bad = await posted(client), await posted(client)
    await connection.execute(
        """UPDATE rules SET trigger = '{"on": "text", "match": "regex", "keyword": "("}'
        WHERE id = $1""",
        bad,
    )

    page = (await client.get("/api/rules")).json()
    read = await client.get(f"/api/rules/{bad}")

    assert [item["id"] for item in page["items"]] == [good]
    assert [item["id"] for item in page["broken"]] == [bad]
    assert "trigger.keyword" in page["broken"][0]["problem"]
    assert read.status_code == 409
    assert "PUT a corrected one" in read.json()["detail"]
    put = await client.put(
        f"/api/rules/{bad}", json=as_posted(), headers={"If-Match": read.headers["ETag"]}
    )
    assert put.status_code == 200


async def test_a_rule_has_at_most_200_keywords(client: httpx.AsyncClient) -> None:
    words = [f"word {number}" for number in range(MAX_KEYWORDS + 1)]

    def trigger(keywords: list[str]) -> dict[str, object]:
        return {"on": "text", "match": "any", "keywords": keywords}

    taken = await client.post("/api/rules", json=as_posted(trigger=trigger(words[:-1])))
    found = await problems(client, trigger=trigger(words))

    assert taken.status_code == 201
    assert str(MAX_KEYWORDS) in found["body.trigger.keywords"]
