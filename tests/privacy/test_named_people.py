"""Pushes that name a person elsewhere than as their sender, and pushes of nobody in particular."""

import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from app.worker import Jobs
from tests.privacy.makers import OTHER_APPID, UNIONID, found, leave, live, privacy, work
from tests.service import APPID, OPENID, OTHER_OPENID, Json, Service, column, event, message

SECONDS = timedelta(seconds=5)
MOBILE = "13800138000"
GUIDE = {"qrcode_guide_account": "g", "openid": OPENID, "action": "1"}


def card_form(service: Service) -> Json:
    """A push of a kind that the protocol reference does not describe, sent by a person."""
    return event(service.clock, "submit_membercard_user_info", CardId="c9", Mobile=MOBILE)


@pytest.mark.parametrize(
    "members",
    [
        {"GuideScanEvent": GUIDE},
        {"List": [{"openid": "oX"}, {"openid": ["oY", OPENID]}]},
        {"FriendUserName": "oY", "OpenId": OPENID},
        {"OldUserName": OPENID},
        {"OpenPID": f" {OPENID} "},
        {"Detail": {"UnionID": UNIONID}},
        {"MiniGame": {"Payload": json.dumps({"OpenId": OPENID, "UnionId": UNIONID})}},
        {"MiniGame": {"Payload": json.dumps({"in": json.dumps({"a": [OPENID]}, indent=1)})}},
        {"OpenIDList": {"item": ["oX", OPENID]}, "TouserOpenids": [OPENID]},
        {"ToUser": OPENID, "Text": f"to\n{OPENID}, {UNIONID}"},
        {"Sent": {OPENID: 1}},
    ],
)
async def test_a_person_named_at_any_depth_is_erased_from_the_push(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, members: dict[str, Any]
) -> None:
    await live(service, connection)
    await service.push(event(service.clock, "guide_any_event", openid="oPLATFORM", **members))
    other = event(service.clock, "guide_any_event", openid="oPLATFORM", UnionID="oSOMEBODY-ELSES")
    await service.push(other)
    service.clock.advance(SECONDS)

    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)

    assert await found(connection, OPENID) == {}
    assert await found(connection, UNIONID) == {}
    assert await found(connection, "oSOMEBODY-ELSES") == {"callbacks": 1}


async def test_a_unionid_that_is_known_elsewhere_is_not_erased_where_somebody_left_one_account(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    await connection.execute(
        "INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at) "
        "VALUES ($1, 'oELSEWHERE', $2, now(), now())",
        OTHER_APPID,
        UNIONID,
    )
    await strict.push(event(strict.clock, "guide_any_event", openid="oPLATFORM", UnionID=UNIONID))
    strict.clock.advance(SECONDS)

    await strict.push(leave(strict))
    await work(strict_jobs, connection)

    assert await found(connection, OPENID) == {}
    assert await found(connection, UNIONID) == {"callbacks": 1, "openids": 1}


async def test_a_unionid_that_only_a_push_names_can_be_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    told = privacy(service, "user_info_modified", openid="oMINI", UnionID=UNIONID)
    await service.push(told)
    await work(jobs, connection)
    service.clock.advance(SECONDS)

    answer = await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)

    assert answer.status_code == 202
    assert await found(connection, UNIONID) == {}
    assert (await service.api("DELETE", f"users/{UNIONID}")).status_code == 404


@pytest.mark.parametrize("openid", [OPENID, OTHER_OPENID])
async def test_a_person_who_is_only_in_pushes_of_other_kinds_can_be_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, openid: str
) -> None:
    await service.push(card_form(service) | {"FriendUserName": OTHER_OPENID})
    service.clock.advance(SECONDS)

    answer = await service.api("DELETE", "users", params={"appid": APPID, "openid": openid})
    await work(jobs, connection)

    assert answer.status_code == 202
    assert await found(connection, openid) == {}
    assert await found(connection, MOBILE) == {}


@pytest.mark.parametrize("policy", ["content", "everything"])
async def test_a_late_push_of_another_kind_is_erased_too(
    policy: str,
    service: Service,
    jobs: Jobs,
    strict: Service,
    strict_jobs: Jobs,
    connection: asyncpg.Connection,
) -> None:
    here, theirs = (service, jobs) if policy == "content" else (strict, strict_jobs)
    await live(here, connection)
    late = card_form(here)
    here.clock.advance(SECONDS)
    await here.push(leave(here))
    await work(theirs, connection)
    here.clock.advance(SECONDS)

    await here.push(late)
    await work(theirs, connection)

    assert await found(connection, MOBILE) == {}
    if policy == "everything":
        assert await found(connection, OPENID) == {}


async def test_a_late_push_of_a_revoked_class_and_another_kind_is_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    late = card_form(service)
    service.clock.advance(SECONDS)
    await service.push(privacy(service, "user_authorization_revoke", RevokeInfo="203"))
    await work(jobs, connection)
    service.clock.advance(SECONDS)

    await service.push(late)
    await work(jobs, connection)

    assert await found(connection, MOBILE) == {}


@pytest.mark.parametrize("name", ["user_gifting_card", "guide_any_event"])
async def test_a_late_push_about_somebody_else_that_names_the_erased_is_cleared(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection, name: str
) -> None:
    """Its sender is known already: nothing about them asks for a look."""
    await live(strict, connection)
    await strict.push(message(strict.clock, "hello", openid=OTHER_OPENID))
    late = event(strict.clock, name, openid=OTHER_OPENID, FriendUserName=OPENID, CardId="c2")
    strict.clock.advance(SECONDS)
    await strict.push(leave(strict))
    await work(strict_jobs, connection)
    strict.clock.advance(SECONDS)

    await strict.push(late)
    await work(strict_jobs, connection)

    assert await found(connection, OPENID) == {}
    assert (await found(connection, OTHER_OPENID)).keys() >= {"callbacks", "openids"}


async def test_a_pseudonym_is_nobody_to_be_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)
    query = "SELECT DISTINCT openid FROM callbacks WHERE openid LIKE 'erased:%'"
    (pseudonym,) = await column(connection, query)

    answer = await service.api("DELETE", "users", params={"appid": APPID, "openid": pseudonym})

    assert answer.status_code == 404


NAMED = "SELECT oa_bridge_named($1, $2::text::jsonb)"


@pytest.mark.parametrize(
    ("msgtype", "payload", "named"),
    [
        (
            "event",
            '{"a": {"openid": "oB"}, "FriendUserName": " oA ", "OPENID": "oA"}',
            ["oA", "oB"],
        ),
        ("event", '{"ToUserName": "gh_1", "FromUserName": "oA", "EventKey": "openid"}', None),
        ("event", '{"openid": "", "UnionID": null, "OpenPID": 7, "UserName": {}}', None),
        ("event", '{"openid": [["oA"], "oB", {"x": "oC"}]}', ["oA", "oB"]),
        ("event", '{"openid_list": "oA"}', None),
        ("event", '[{"unionid": "uA"}]', ["uA"]),
        ("event", '"openid"', None),
        ("event", "null", None),
        ("event", "{}", None),
        ("event", f'{{"openid": "{"o" * 4000}"}}', ["o" * 128]),
        ("event", '{"a":' * 200 + '{"openid": "oA"}' + "}" * 200, ["oA"]),
        ("text", '{"Content": "hi", "openid": "oA"}', None),
        (
            "event",
            f'{{"Event": "other", "FromUserName": "{OTHER_OPENID}", "a": "{OPENID}, short"}}',
            [OPENID],
        ),
        ("event", f'{{"Event": "Scan", "FromUserName": "oA", "EventKey": "{OPENID}"}}', None),
        ("event", f'{{"Event": "user_get_card", "FriendUserName": "oA", "b": "{OPENID}"}}', ["oA"]),
        ("event", f'{{"Event": "user_info_modified", "a": {{"b": "{OPENID}"}}}}', [OPENID]),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_whom_a_payload_names_is_read_from_whatever_json_it_is(
    connection: asyncpg.Connection, msgtype: str, payload: str, named: list[str] | None
) -> None:
    assert await connection.fetchval(NAMED, msgtype, payload) == named


async def test_whom_a_push_names_is_looked_up_by_an_index(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at,"
        " payload) SELECT gen_random_uuid(), 'wx', int4send(0) || uuid_send(gen_random_uuid()),"
        " 'o' || n, 'text',"
        ' now(), now(), \'{"Content": "hi"}\' FROM generate_series(1, 5000) AS n'
    )
    await connection.execute("ANALYZE callbacks")
    plan = await column(
        connection,
        "EXPLAIN SELECT id FROM callbacks WHERE oa_bridge_named(msgtype, payload) && ARRAY[$$o$$]",
    )
    assert any("ix_callbacks_named" in line for line in plan)
