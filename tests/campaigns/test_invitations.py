"""Invitations: who came by whose QR code, each person once, however it comes."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from app.campaigns.count_invited import count
from app.db.engine import open_database
from app.settings import Settings
from app.tombstones.erasure_secret import erasure_secret
from app.worker import Jobs
from tests.campaigns.makers import added
from tests.campaigns.test_erase import erased
from tests.qrcodes.makers import follow, unfollow
from tests.service import (
    APPID,
    CARD_APPID,
    OPENID,
    OTHER_OPENID,
    THIRD_OPENID,
    Json,
    Service,
    column,
    message,
    rows,
    wechat_names,
)

Figures = dict[str, tuple[int, int]]


async def asked(service: Service, campaign: Json, openid: str = OPENID) -> Json:
    """Ask for the invitation of somebody who is known."""
    await service.push(message(service.clock, "hello", openid=openid))
    answer = await service.api(
        "POST", f"campaigns/{campaign['id']}/invitations", json={"appid": APPID, "openid": openid}
    )
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def comes(
    service: Service, connection: asyncpg.Connection, invitation: Json, openid: str
) -> None:
    """Let somebody follow by an invitation, a second later than all before."""
    (scene,) = await column(
        connection, "SELECT scene FROM qrcodes WHERE id = $1", UUID(invitation["qrcode_id"])
    )
    service.clock.advance(timedelta(seconds=1))
    await service.push(follow(service.clock, scene, openid))


async def leaves(service: Service, openid: str) -> None:
    """Let somebody unfollow a second later."""
    service.clock.advance(timedelta(seconds=1))
    await service.push(unfollow(service.clock, openid))


async def counted(service: Service, campaign: Json) -> Figures:
    """Count, and return for each inviter how many came and how many of them left."""
    secret = erasure_secret(service.settings)
    await count(service.app.state.database.sessions, secret)
    found = (await service.read(f"campaigns/{campaign['id']}/invitations"))["items"]
    figures = await service.read(f"campaigns/{campaign['id']}/figures")
    assert figures["invited"] == sum(one["came"] for one in found)
    assert figures["invited_left"] == sum(one["left"] for one in found)
    return {one["openid"]: (one["came"], one["left"]) for one in found}


async def test_a_person_has_one_code_that_nobody_can_guess(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    first = await asked(service, campaign)
    body = {"appid": APPID, "openid": OPENID}
    again = await asyncio.gather(
        *(
            service.api("POST", f"campaigns/{campaign['id']}/invitations", json=body)
            for _ in range(4)
        )
    )
    assert {answer.json()["qrcode_id"] for answer in again} == {first["qrcode_id"]}
    other = await asked(service, campaign, OTHER_OPENID)
    assert other["qrcode_id"] != first["qrcode_id"]
    scenes = await column(connection, "SELECT scene FROM qrcodes")
    assert all(scene.startswith("invite_") and len(scene) == 19 for scene in scenes)
    await jobs.renew_qrcode({"qrcode_id": first["qrcode_id"]})
    live = await asked(service, campaign)
    assert (live["state"], live["came"], live["left"]) == ("live", 0, 0)
    assert live["picture_url"].endswith(".png")
    noted = (await service.read("audit", action="invitations.made"))["items"]
    assert [one["subject_id"] for one in noted] == [campaign["id"]]


async def test_two_who_ask_at_once_get_one_code(
    service: Service, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    await service.push(message(service.clock, "hello"))
    body = {"appid": APPID, "openid": OPENID}
    answers = await asyncio.gather(
        *(
            service.api("POST", f"campaigns/{campaign['id']}/invitations", json=body)
            for _ in range(6)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["qrcode_id"] for answer in answers}) == 1
    assert await column(connection, "SELECT count(*) FROM qrcodes") == [1]
    assert await column(connection, "SELECT count FROM qrcode_counts") == [1]


async def test_new_follows_count_once_and_for_one_level_alone(
    service: Service, connection: asyncpg.Connection
) -> None:
    """Whoever has followed before, comes again, or is invited by somebody who was invited."""
    campaign = await added(service)
    mine = await asked(service, campaign)
    await service.push(follow(service.clock, "elsewhere", "oBefore"))
    await leaves(service, "oBefore")
    await comes(service, connection, mine, "oBefore")
    await comes(service, connection, mine, OTHER_OPENID)
    theirs = await asked(service, campaign, OTHER_OPENID)
    await comes(service, connection, theirs, THIRD_OPENID)
    assert await counted(service, campaign) == {OPENID: (1, 0), OTHER_OPENID: (1, 0)}

    await leaves(service, OTHER_OPENID)
    await comes(service, connection, mine, OTHER_OPENID)
    await leaves(service, OTHER_OPENID)
    assert await counted(service, campaign) == {OPENID: (1, 1), OTHER_OPENID: (1, 0)}
    assert await counted(service, campaign) == {OPENID: (1, 1), OTHER_OPENID: (1, 0)}


async def test_nobody_comes_by_their_own_code(
    service: Service, connection: asyncpg.Connection
) -> None:
    """The same OpenID, which wrote before it followed, and another one of the same UnionID."""
    campaign = await added(service)
    mine = await asked(service, campaign)
    await comes(service, connection, mine, OPENID)
    await comes(service, connection, mine, OTHER_OPENID)
    assert await counted(service, campaign) == {OPENID: (1, 0)}
    for openid in (OPENID, OTHER_OPENID):
        await wechat_names(service, openid, "u-1")
    assert await counted(service, campaign) == {OPENID: (0, 0)}
    await comes(service, connection, mine, THIRD_OPENID)
    assert await counted(service, campaign) == {OPENID: (1, 0)}


@pytest.mark.parametrize("known", ["before", "after", "between"])
async def test_two_follows_of_one_unionid_by_two_codes_count_for_the_first(
    service: Service,
    connection: asyncpg.Connection,
    database_url: str,
    settings: Settings,
    known: str,
) -> None:
    """Several processes count at once, and the UnionID may be known late."""
    campaign = await added(service)
    mine, theirs = await asked(service, campaign), await asked(service, campaign, OTHER_OPENID)
    for openid in ("oA", "oB"):
        await service.push(message(service.clock, "hello", openid=openid))
        if known == "before":
            await wechat_names(service, openid, "u-1")
    await comes(service, connection, theirs, "oA")
    if known == "between":
        await counted(service, campaign)
        await wechat_names(service, "oA", "u-1")
    await comes(service, connection, mine, "oB")
    others = [open_database(database_url) for _ in range(3)]
    secret = erasure_secret(settings)
    await asyncio.gather(*(count(other.sessions, secret) for other in others))
    if known != "before":
        for openid in ("oA", "oB"):
            await wechat_names(service, openid, "u-1")
    await asyncio.gather(*(count(other.sessions, secret) for other in others))
    for other in others:
        await other.close()

    assert await counted(service, campaign) == {OPENID: (0, 0), OTHER_OPENID: (1, 0)}
    left_out = await rows(connection, "SELECT left_out FROM invited ORDER BY followed_at")
    assert [one["left_out"] for one in left_out] == [None, "again"]


async def test_a_code_that_an_operator_has_deleted_is_made_anew(
    service: Service, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    mine = await asked(service, campaign)
    await comes(service, connection, mine, OTHER_OPENID)
    assert await counted(service, campaign) == {OPENID: (1, 0)}
    assert (await service.api("DELETE", f"qrcodes/{mine['qrcode_id']}")).status_code == 204
    other = await asked(service, campaign)
    assert other["qrcode_id"] != mine["qrcode_id"]
    figures = await service.read(f"campaigns/{campaign['id']}/figures")
    assert figures["invited"] == 1


async def test_only_follows_within_the_campaign_count(
    service: Service, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    mine = await asked(service, campaign)
    await comes(service, connection, mine, OTHER_OPENID)
    service.clock.advance(datetime.fromisoformat(campaign["ends_at"]) - service.clock.now())
    answer = await service.api(
        "POST", f"campaigns/{campaign['id']}/invitations", json={"appid": APPID, "openid": OPENID}
    )
    assert answer.status_code == 409
    assert "does not run now" in answer.json()["detail"]
    await comes(service, connection, mine, THIRD_OPENID)
    assert await counted(service, campaign) == {OPENID: (1, 0)}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"appid": APPID, "openid": "oNobody"}, 409, "nothing is known"),
        ({"appid": CARD_APPID, "openid": OPENID}, 422, "names no Official Account"),
    ],
)
async def test_who_can_have_no_code_is_refused(
    service: Service, body: Json, status: int, words: str
) -> None:
    campaign = await added(service)
    path = f"campaigns/{campaign['id']}/invitations"
    answer = await service.api("POST", path, json=body)
    assert (answer.status_code, words in answer.text) == (status, True)
    missing = "campaigns/00000000-0000-4000-8000-000000000000/invitations"
    known = {"appid": APPID, "openid": OPENID}
    assert (await service.api("POST", missing, json=known)).status_code == 404
    assert (await service.api("GET", missing)).status_code == 404
    assert (await service.api("GET", f"{missing}/export")).status_code == 404


async def test_who_leaves_stays_counted_and_by_whom_they_came_names_nobody(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """The unfollow erases the scene before the follow is counted, and again after a return."""
    campaign = await added(service)
    mine = await asked(service, campaign)
    await comes(service, connection, mine, OTHER_OPENID)
    await leaves(service, OTHER_OPENID)
    (erasure_id,) = await column(connection, "SELECT id FROM erasures WHERE finished_at IS NULL")
    await jobs.erase({"erasure_id": str(erasure_id)})

    assert await counted(service, campaign) == {OPENID: (1, 1)}
    (row,) = await rows(connection, "SELECT openid FROM invited")
    assert row["openid"].startswith("erased:")
    await comes(service, connection, mine, OTHER_OPENID)
    assert await counted(service, campaign) == {OPENID: (1, 1)}


async def test_somebody_who_was_erased_and_comes_back_is_no_new_follower(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    mine = await asked(service, campaign)
    await service.push(follow(service.clock, openid=OTHER_OPENID))
    await wechat_names(service, OTHER_OPENID, "u-2")
    service.clock.advance(timedelta(minutes=1))
    await erased(service, jobs, connection, "users/u-2")
    service.clock.advance(timedelta(minutes=1))

    await comes(service, connection, mine, OTHER_OPENID)

    assert await counted(service, campaign) == {OPENID: (0, 0)}


async def test_an_erased_inviter_keeps_what_they_brought_and_their_code(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    mine = await asked(service, campaign)
    await wechat_names(service, OPENID, "u-1")
    await comes(service, connection, mine, OTHER_OPENID)
    service.clock.advance(timedelta(minutes=1))
    await erased(service, jobs, connection, "users/u-1")

    ((openid, figures),) = (await counted(service, campaign)).items()
    assert (openid.startswith("erased:"), figures) == (True, (1, 0))
    service.clock.advance(timedelta(minutes=1))
    assert (await asked(service, campaign))["qrcode_id"] == mine["qrcode_id"]


async def test_the_list_is_paged_and_a_file(
    service: Service, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    for openid in (OPENID, OTHER_OPENID, THIRD_OPENID):
        await asked(service, campaign, openid)
    path = f"campaigns/{campaign['id']}/invitations"
    page = await service.read(path, limit=2)
    assert [one["openid"] for one in page["items"]] == [THIRD_OPENID, OTHER_OPENID]
    rest = await service.read(path, limit=2, before=page["next"])
    assert ([one["openid"] for one in rest["items"]], rest["next"]) == ([OPENID], None)
    file = await service.api("GET", f"{path}/export")
    lines = file.text.removeprefix("\ufeff").splitlines()
    assert lines[0] == "openid,qrcode,came,left,made_at"
    assert [line.split(",")[0] for line in lines[1:]] == [THIRD_OPENID, OTHER_OPENID, OPENID]
    assert await column(connection, "SELECT count(*) FROM invited") == [0]


async def test_after_the_end_codes_are_not_renewed_and_name_nobody(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    mine = await asked(service, campaign)
    await comes(service, connection, mine, OTHER_OPENID)
    await counted(service, campaign)
    service.clock.advance(timedelta(days=11))
    await jobs.sweep()
    assert await column(connection, "SELECT extract(year FROM renew_at)::int FROM qrcodes") == [
        9999
    ]
    service.clock.advance(timedelta(days=service.settings.retention_days))
    await jobs.sweep()
    found = await rows(
        connection, "SELECT openid FROM invitations UNION ALL SELECT openid FROM invited"
    )
    assert [one["openid"] for one in found] == [None, None]
    figures = await service.read(f"campaigns/{campaign['id']}/figures")
    assert figures["invited"] == 1


async def test_a_deleted_campaign_leaves_no_invitations(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await added(service)
    mine = await asked(service, campaign)
    await comes(service, connection, mine, OTHER_OPENID)
    await counted(service, campaign)
    assert (await service.api("DELETE", f"campaigns/{campaign['id']}")).status_code == 204
    await jobs.sweep()
    for table in ("invitations", "invited", "campaigns"):
        assert await column(connection, f"SELECT count(*) FROM {table}") == [0]  # noqa: S608
    assert await column(connection, "SELECT extract(year FROM renew_at)::int FROM qrcodes") == [
        9999
    ]
