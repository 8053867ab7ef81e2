"""WeChat's privacy events: each erases what it names, of the person it names."""

import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from app.worker import Jobs
from tests.privacy.makers import (
    OTHER_APPID,
    OTHER_OPENID,
    TEXT,
    UNIONID,
    found,
    live,
    live_elsewhere,
    privacy,
    work,
)
from tests.service import OPENID, Service, column, event, message

PROFILE = {"NickName": "a nickname", "HeadImgUrl": "http://picture/of/them"}
PLACE = "23.137466"


async def test_a_modified_profile_clears_nickname_and_picture_and_nothing_else(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.push(event(service.clock, "user_get_card", openid=OPENID, **PROFILE))

    await service.push(privacy(service, "user_info_modified"))
    await work(jobs, connection)

    for value in PROFILE.values():
        assert await found(connection, value) == {}
    assert "callbacks" in await found(connection, TEXT)
    assert await column(connection, "SELECT counts->'callbacks' FROM erasures") == ["1"]


@pytest.mark.parametrize(
    "members",
    [
        {"UserInfo": PROFILE},
        {"NICKNAME": PROFILE["NickName"], "HeadimgUrl": PROFILE["HeadImgUrl"]},
        {"List": [{"Of": {"nickName": PROFILE["NickName"]}}, {"AVATARURL": "http://picture"}]},
        {"Detail": json.dumps({"nick": 1, "NickName": PROFILE["NickName"]})},
    ],
)
@pytest.mark.parametrize("sender", [OPENID, "oPLATFORM"])
async def test_a_modified_profile_clears_them_however_deep_and_however_spelled(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    members: dict[str, Any],
    sender: str,
) -> None:
    told = event(service.clock, "guide_any_event", openid=sender, **members, Named=OPENID, Kept="k")
    await service.push(told)
    await service.push(privacy(service, "user_info_modified"))
    await work(jobs, connection)

    for value in (PROFILE["NickName"], "http://picture"):
        assert await found(connection, value) == {}
    assert await column(
        connection, "SELECT payload->>'Kept' FROM callbacks WHERE event = 'guide_any_event'"
    ) == ["k"]


@pytest.mark.parametrize(
    "text",
    ['{"nickname":"x","e":"\\ud83d"}', "[" * 1100 + '"nickname": 1'],
    ids=["half a surrogate pair", "deeper than can be read"],
)
async def test_odd_json_that_somebody_typed_stops_no_erasure(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, text: str
) -> None:
    await service.push(message(service.clock, text))

    await service.push(privacy(service, "user_info_modified"))
    await work(jobs, connection)

    assert await column(connection, "SELECT finished_at IS NOT NULL FROM erasures") == [True]
    assert await found(connection, "nickname") == {}


@pytest.mark.parametrize("name", ["user_info_modified", "user_authorization_revoke"])
@pytest.mark.parametrize("openid", [None, ""])
async def test_an_event_that_names_nobody_erases_nobody(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    name: str,
    openid: str | None,
) -> None:
    """Its sender is a platform account, the same for everybody."""
    told = privacy(service, name)
    if openid is None:
        del told["OpenID"]
    else:
        told["OpenID"] = openid
    await service.push(told)
    await work(jobs, connection)

    assert await column(connection, "SELECT finished_at FROM erasures") == [None]
    assert await column(connection, "SELECT count(*) FROM erased_people") == [0]
    assert (await found(connection, "oPLATFORM")).keys() == {"callbacks"}


async def test_a_closed_account_that_is_named_by_its_unionid_alone_is_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.push(privacy(service, "user_authorization_cancellation", "", UnionID=UNIONID))
    await work(jobs, connection)

    for word in (OPENID, UNIONID):
        assert await found(connection, word) == {}
    assert "callbacks" in await found(connection, "oPLATFORM")


@pytest.mark.parametrize(
    ("revoked", "gone", "stays"),
    [
        ("206", {PLACE}, {TEXT, "media-of-voice"}),
        ("204", {"media-of-voice"}, {TEXT, PLACE}),
        ("201", set(), {TEXT, PLACE, "media-of-voice"}),
        ("999", {TEXT, PLACE, "media-of-voice"}, set()),
        ("1", {TEXT, PLACE, "media-of-voice"}, set()),
        (None, {TEXT, PLACE, "media-of-voice"}, set()),
    ],
)
async def test_a_revoked_authorisation_erases_its_class_and_all_if_it_is_unknown(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    revoked: str | None,
    gone: set[str],
    stays: set[str],
) -> None:
    await live(service, connection)
    voice = {"MsgType": "voice", "MediaId": "media-of-voice"}
    await service.push(message(service.clock, openid=OPENID, **voice))
    more = {} if revoked is None else {"RevokeInfo": revoked}

    await service.push(privacy(service, "user_authorization_revoke", **more))
    await work(jobs, connection)

    for word in gone:
        assert "callbacks" not in await found(connection, word)
    for word in stays:
        assert "callbacks" in await found(connection, word)
    assert await column(connection, "SELECT following FROM followers") == [True]


async def test_a_closed_wechat_account_is_erased_at_every_account(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await live_elsewhere(connection)

    await service.push(privacy(service, "user_authorization_cancellation", UnionID=UNIONID))
    await work(jobs, connection)

    for word in (OPENID, OTHER_OPENID, UNIONID, "oOLDER-UNIONID"):
        assert await found(connection, word) == {}
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert await column(connection, "SELECT jsonb_array_length(erased) FROM erasures") == [2]
    assert await column(connection, "SELECT count(*) FROM follow_events") == [2]


async def test_two_people_of_the_same_second_are_both_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    people = ["oFIRST-OF-TWO", "oSECOND-OF-TWO"]
    for openid in people:
        await service.push(message(service.clock, TEXT, openid=openid))

    for openid in people:
        await service.push(privacy(service, "user_authorization_cancellation", openid))
    await work(jobs, connection)

    for word in (*people, TEXT):
        assert await found(connection, word) == {}


async def test_an_event_about_an_erased_person_adds_no_openid(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.push(privacy(service, "user_authorization_cancellation"))
    await work(jobs, connection)
    service.clock.advance(timedelta(hours=1))

    await service.push(privacy(service, "user_info_modified"))
    await work(jobs, connection)

    assert await found(connection, OPENID) == {}


async def test_the_app_that_an_event_names_counts_as_well(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """A push may be about another app than the one it is pushed to."""
    await live_elsewhere(connection)
    pushed = privacy(service, "user_authorization_cancellation", OTHER_OPENID)

    await service.push(pushed | {"AppID": OTHER_APPID})
    await work(jobs, connection)

    assert await found(connection, OTHER_OPENID) == {}
    assert await found(connection, UNIONID) == {}
