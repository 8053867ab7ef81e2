"""`/api/audit`: every change that `/api` makes is there, and can be filtered and exported."""

import csv
import io
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, ActorKind, Subject, SubjectKind
from app.access.audit import MAX_PAGE_ROWS
from app.csv_rows import BYTE_ORDER_MARK
from app.db.engine import Database
from app.ops.auth import fingerprint
from tests.service import (
    ADMIN_TOKEN,
    APPID,
    CARD_APPID,
    OPENID,
    Json,
    Service,
    card,
    event,
    message,
    text_reply,
)

UNIONID = "unionid-of-somebody"


async def entries(service: Service, **wanted: str | int) -> list[Json]:
    """Return entries, the oldest first."""
    page = await service.read("audit", **wanted)
    items: list[Json] = page["items"]
    return items[::-1]


async def short(service: Service) -> list[tuple[Any, ...]]:
    names = ("action", "subject_kind", "subject_id", "before", "after", "count")
    return [tuple(entry[name] for name in names) for entry in await entries(service)]


async def test_changes_of_rules_name_their_revisions(service: Service) -> None:
    rule_id = str(await service.add_rule(text_reply()))
    await service.replace_rule(int(rule_id), text_reply("another"))
    await service.api("DELETE", f"rules/{rule_id}")
    await service.api("POST", f"rules/{rule_id}/revisions/1/restore")
    await service.api("POST", f"rules/{rule_id}/revisions/2/restore")

    assert await short(service) == [
        ("rule.added", "rule", rule_id, None, "1", None),
        ("rule.changed", "rule", rule_id, "1", "2", None),
        ("rule.deleted", "rule", rule_id, "2", "3", None),
        ("rule.restored", "rule", rule_id, None, "4", None),
        ("rule.restored", "rule", rule_id, "4", "5", None),
    ]


async def test_an_import_is_one_entry_with_the_number_of_changes(service: Service) -> None:
    await service.add_rule(text_reply(), name="goes")
    rule = {"trigger": {"on": "fallback"}, "replies": [text_reply()]}
    rules = [rule | {"name": "first"}, rule | {"name": "second"}]
    await service.api("POST", "rules/import", params={"dry_run": "true"}, json={"rules": rules})
    await service.api("POST", "rules/import", json={"rules": rules})

    _, imported = await short(service)
    action, kind, subject, before, after, count = imported
    assert (action, kind, subject, count) == ("rules.imported", "rules", "all", 3)
    assert int(after) > int(before)


async def test_changes_of_webhooks_are_there(service: Service) -> None:
    await service.push(event(service.clock, "subscribe"))
    webhook: Json = {"url": "https://example.com/hook", "types": ["follow.*"]}
    added = (await service.api("POST", "webhooks", json=webhook)).json()
    path = f"webhooks/{added['id']}"
    await service.api("PUT", path, json=webhook)
    await service.api("POST", f"{path}/secret", json={})
    await service.api("POST", f"{path}/test")
    await service.api("POST", f"{path}/replay", json={"from": 1})
    await service.api("DELETE", path)

    found = await entries(service)
    assert [entry["action"] for entry in found] == [
        "webhook.added",
        "webhook.changed",
        "webhook.secret_rotated",
        "webhook.pinged",
        "webhook.replayed",
        "webhook.deleted",
    ]
    assert {entry["subject_id"] for entry in found} == {added["id"]}
    assert added["secret"] not in str(found)


async def test_a_reply_that_is_sent_again_is_there(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.add_rule(card())
    await service.push(message(service.clock))
    await connection.execute("UPDATE replies SET status = 'failed'")
    (reply,) = (await service.read("replies"))["items"]
    await service.api("POST", f"replies/{reply['id']}/retry")
    # It is queued already: nothing changes.
    await service.api("POST", f"replies/{reply['id']}/retry")

    _, *rest = await short(service)
    assert rest == [("reply.retried", "reply", reply["id"], "failed", "pending", None)]


async def test_an_erasure_is_there_and_the_person_is_not(service: Service) -> None:
    await service.push(event(service.clock, "subscribe"))
    answer = await service.api("DELETE", "users", params={"appid": APPID, "openid": OPENID})

    assert await short(service) == [
        ("erasure.requested", "erasure", answer.json()["id"], None, None, None)
    ]
    assert OPENID not in str(await entries(service))


async def test_reports_are_counted_and_not_shown(service: Service) -> None:
    people = [
        {"appid": CARD_APPID, "openid": f"openid-{number}", "unionid": f"{UNIONID}-{number}"}
        for number in range(3)
    ]
    await service.api("PUT", "identities", json={"identities": people})

    assert await short(service) == [("identities.reported", "account", CARD_APPID, None, None, 3)]


async def test_reports_of_an_hour_are_one_entry(service: Service) -> None:
    report = {"identities": [{"appid": CARD_APPID, "openid": "openid-1", "unionid": UNIONID}]}
    for _ in range(3):
        await service.api("PUT", "identities", json=report)
    service.clock.advance(timedelta(hours=1))
    await service.api("PUT", "identities", json=report)

    assert len(await short(service)) == 2


async def test_what_is_refused_or_fails_leaves_no_entry(service: Service) -> None:
    for method, path in [
        ("DELETE", "rules/99"),
        ("POST", "rules"),
        ("DELETE", "webhooks/0197f000-0000-7000-8000-000000000000"),
        ("DELETE", f"users/{UNIONID}"),
        ("PUT", "identities"),
    ]:
        await service.api(method, path, json={})

    assert await entries(service) == []


async def test_an_entry_says_by_which_token_from_where_and_when(service: Service) -> None:
    await service.add_rule(text_reply())

    (entry,) = await entries(service)
    assert (entry["actor_kind"], entry["actor_name"], entry["address"]) == (
        "admin_token",
        fingerprint(ADMIN_TOKEN),
        "127.0.0.1",
    )


async def add_many(database: Database, service: Service, number: int) -> None:
    actor = Actor(ActorKind.OPERATOR, "=cmd|'/c calc'!A0", None)
    async with database.sessions.begin() as session:
        for one in range(number):
            subject = Subject(SubjectKind.RULE, str(one))
            await audit.record(session, actor, Action.RULE_ADDED, subject, now=service.clock.now())


async def test_pages_and_filters(service: Service, database: Database) -> None:
    await add_many(database, service, 5)

    first = await service.read("audit", limit=3)
    second = await service.read("audit", limit=3, before=first["next"])
    assert [e["subject_id"] for e in [*first["items"], *second["items"]]] == list("43210")
    assert second["next"] is None
    (one,) = await entries(service, subject_kind="rule", subject_id="3")
    assert one["subject_id"] == "3"
    assert await entries(service, actor_name="小王") == []
    assert await entries(service, until=service.clock.now().isoformat()) == []


@pytest.mark.parametrize(
    "query",
    [
        {"before": 0},
        {"limit": 0},
        {"limit": 501},
        {"action": "\0"},
        {"action": "rule.add"},
        {"actor_kind": "owner"},
        {"subject_kind": "people"},
        {"since": "noon"},
        {"since": "0001-01-01T00:00:00+23:59"},
        {"until": "9999-12-31T23:59:59-23:59"},
        {"since": "2026-11-28T00:00:00Z", "until": "2026-11-27T00:00:00Z"},
    ],
)
async def test_a_bad_query_is_422(service: Service, query: dict[str, str | int]) -> None:
    assert (await service.api("GET", "audit", params=query)).status_code == 422
    assert query.keys() & {"before", "limit"} or (
        (await service.api("GET", "audit/export", params=query)).status_code == 422
    )


async def test_the_export_has_every_entry_and_no_formula(
    service: Service, database: Database
) -> None:
    await add_many(database, service, MAX_PAGE_ROWS + 1)

    answer = await service.api("GET", "audit/export", params={"action": "rule.added"})

    mark, text = answer.text[:1], answer.text[1:]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert mark == BYTE_ORDER_MARK
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [int(row["subject_id"]) for row in rows] == list(range(MAX_PAGE_ROWS, -1, -1))
    assert {row["actor_name"] for row in rows} == {"'=cmd|'/c calc'!A0"}
    none = await service.api("GET", "audit/export", params={"action": "rule.deleted"})
    assert none.text.splitlines() == [BYTE_ORDER_MARK + ",".join(rows[0])]
