"""`{code}` in notices: each person gets their own code, and nobody a notice without one."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from app.db.engine import open_database
from app.settings import Settings
from app.worker import Jobs
from simulator.faults import Drop
from tests.campaigns.makers import added, given, imported
from tests.notices.makers import (
    BIZSEND,
    DATA,
    MESSAGE,
    TEMPLATE_SEND,
    add_people,
    audience,
    bodies_of,
    body,
    consent,
    decided,
    known,
    post,
    queued,
    run,
    run_to_the_end,
    started,
    statuses,
)
from tests.service import (
    APPID,
    CARD_APPID,
    OPENID,
    OTHER_OPENID,
    Json,
    Service,
    WeChat,
    WorldClock,
    jobs_of,
    rows,
)

pytestmark = pytest.mark.asyncio

CODED: Json = DATA | {"character_string1": "{code}"}
PAGE: Json = {"appid": CARD_APPID, "pagepath": "pages/sale?code={code}&ref={ref}"}


async def pool(service: Service, jobs: Jobs, *codes: str, **changes: object) -> Json:
    """Make a campaign with codes."""
    campaign = await added(service, **changes)
    if codes:
        await imported(service, jobs, campaign, *codes)
    return campaign


async def take(service: Service, campaign: Json, openid: str) -> str:
    """Let somebody get their code by another way."""
    person = {"appid": APPID, "openid": openid}
    answer = await service.api("POST", f"campaigns/{campaign['id']}/codes/given", json=person)
    assert answer.status_code == 200, answer.text
    code: str = answer.json()["code"]
    return code


def values_of(wechat: WeChat) -> list[str]:
    """Return the value with the code of each notice that WeChat has taken."""
    return [one["data"]["character_string1"]["value"] for one in bodies_of(wechat)]


async def test_each_person_gets_their_own_code_in_a_value_the_page_and_the_url(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await pool(service, jobs, "CODE-1", "CODE-2", "CODE-3")
    for openid in (OPENID, OTHER_OPENID):
        await decided(service, wechat, openid=openid, times=2)
    for _ in range(2):
        found = await queued(
            service,
            OPENID,
            OTHER_OPENID,
            data=CODED,
            miniprogram=PAGE,
            url="https://shop.example.com/?c={code}",
            campaign_id=campaign["id"],
        )
        assert not await run(jobs, found["send_id"])

    sent = {(one["touser"], one["data"]["character_string1"]["value"]) for one in bodies_of(wechat)}
    # Calls that are made at once take codes in any order.
    assert {openid for openid, _ in sent} == {OPENID, OTHER_OPENID}
    assert sorted(code for _, code in sent) == ["CODE-1", "CODE-2"]
    for one in bodies_of(wechat):
        code = one["data"]["character_string1"]["value"]
        assert one["miniprogram"]["pagepath"].startswith(f"pages/sale?code={code}&ref=")
        assert one["page"] == f"https://shop.example.com/?c={code}"
    assert {row["code"] for row in await given(connection)} == {"CODE-1", "CODE-2"}
    stored = await rows(connection, "SELECT content::text AS content FROM notices")
    assert all("CODE-" not in one["content"] for one in stored)


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"data": CODED}, ["data", "character_string1"], "campaign_id"),
        ({"miniprogram": PAGE}, ["miniprogram", "pagepath"], "campaign_id"),
        ({"url": "https://a.example/{code}"}, ["url"], "campaign_id"),
        ({"campaign_id": "ours"}, ["campaign_id"], "nothing has {code}"),
        (
            {"campaign_id": "ours", "data": CODED | {"thing3": "请用 {code} 领取今天的礼物吧"}},
            ["data", "thing3"],
            "too long with a code such as CODE-LONGER",
        ),
        (
            {"campaign_id": "ours", "data": CODED | {"time5": "{code}"}},
            ["data", "time5"],
            "does not fit time",
        ),
        (
            {"campaign_id": "ours", "url": "https://a.example/{code}?" + "x" * 996},
            ["url"],
            "has more than 1024 characters with a code",
        ),
        (
            {"campaign_id": "ours", "miniprogram": PAGE | {"pagepath": "p?{code}" + "x" * 1001}},
            ["miniprogram", "pagepath"],
            "has more than 1024 bytes",
        ),
    ],
)
async def test_what_can_not_have_a_code_is_refused_before_anything_is_queued(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    changes: Json,
    place: list[str],
    words: str,
) -> None:
    campaign = await pool(service, jobs, "CODE", "CODE-LONGER")
    await known(service, OPENID)
    if "campaign_id" in changes:
        changes = changes | {"campaign_id": campaign["id"]}

    answer = await post(service, body(**changes))
    assert answer.status_code == 422, answer.text
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", *place]
    assert words in problem["msg"]
    answer = await service.api("POST", "notice-sends", json=audience(**changes))
    assert answer.status_code == 422, answer.text
    assert await statuses(connection) == []


async def test_the_codes_of_one_recipient_alone_are_asked_for(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await pool(service, jobs, "CODE-1")
    for openid in (OPENID, OTHER_OPENID):
        await decided(service, wechat, openid=openid)
    wanted = body(campaign_id=campaign["id"])
    wanted["recipients"] = [
        {"openid": OPENID, "data": {"character_string1": "K-1"}},
        {"openid": OTHER_OPENID, "data": {"character_string1": "{code}"}},
    ]
    answer = await post(service, wanted)
    assert answer.status_code == 202, answer.text
    await run(jobs, answer.json()["send_id"])

    assert sorted(values_of(wechat)) == ["CODE-1", "K-1"]
    assert [row["openid"] for row in await given(connection)] == [OTHER_OPENID]


@pytest.mark.parametrize(
    ("codes", "span", "words"),
    [
        ([], (-1, 1), "has no codes"),
        (["CODE-1"], (-1, 1), "need 2 codes and the campaign has 1 left"),
        (["CODE-1", "CODE-2"], (1, 2), "does not run now"),
        (["CODE-1", "CODE-2"], (-2, -1), "does not run now"),
        (None, (-1, 1), "no such campaign"),
    ],
)
async def test_a_campaign_that_gives_no_codes_refuses_the_notices(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    wechat: WeChat,
    codes: list[str] | None,
    span: tuple[int, int],
    words: str,
) -> None:
    now = service.clock.now()
    starts, ends = ((now + timedelta(days=days)).isoformat() for days in span)
    campaign = await pool(service, jobs, *(codes or []), starts_at=starts, ends_at=ends)
    if codes is None:
        await service.api("DELETE", f"campaigns/{campaign['id']}")
    await add_people(connection, wechat, 2)

    for path, wanted in (("notices", body("oP0000", "oP0001")), ("notice-sends", audience())):
        coded = wanted | {"data": CODED, "campaign_id": campaign["id"]}
        answer = await service.api("POST", path, json=coded)
        assert answer.status_code == 409, answer.text
        assert words in answer.json()["detail"]
    assert await rows(connection, "SELECT 1 FROM notice_sends") == []


async def test_who_has_a_code_needs_no_further_one(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    campaign = await pool(service, jobs, "CODE-1", "CODE-2")
    for openid in (OPENID, OTHER_OPENID):
        await decided(service, wechat, openid=openid)
    own = {openid: await take(service, campaign, openid) for openid in (OPENID, OTHER_OPENID)}

    found = await queued(service, OPENID, OTHER_OPENID, data=CODED, campaign_id=campaign["id"])
    await run(jobs, found["send_id"])

    sent = {one["touser"]: one["data"]["character_string1"]["value"] for one in bodies_of(wechat)}
    assert sent == own


async def test_a_request_whose_code_is_taken_meanwhile_is_skipped_with_the_reason(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    campaign = await pool(service, jobs, "CODE-1")
    await decided(service, wechat)
    await known(service, OTHER_OPENID)
    found = await queued(service, data=CODED, campaign_id=campaign["id"])
    await take(service, campaign, OTHER_OPENID)

    assert not await run(jobs, found["send_id"])

    assert wechat.calls(BIZSEND) == []
    (notice,) = (await service.read("notices", send_id=found["send_id"]))["items"]
    assert (notice["status"], notice["attempts"]) == ("skipped", 0)
    assert "no code left" in notice["errmsg"]
    assert await consent(connection) == (0, 0)


async def test_an_audience_whose_codes_are_taken_meanwhile_waits_for_more(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    people = await add_people(connection, wechat, 12)
    campaign = await pool(service, jobs, *(f"CODE-{number:02}" for number in range(12)))
    send = await started(service, data=CODED, campaign_id=campaign["id"])
    await known(service, "oElse1", "oElse2")
    await take(service, campaign, "oElse1")
    await take(service, campaign, "oElse2")

    await run_to_the_end(jobs, send["id"], clock)

    found = await service.read(f"notice-sends/{send['id']}")
    assert (found["state"], found["counts"]) == ("paused", {"sent": 10, "pending": 2})
    assert "no code left" in found["problem"]["errmsg"]
    assert len(set(values_of(wechat))) == 10
    assert all(one.startswith("CODE-") for one in values_of(wechat))
    await imported(service, jobs, campaign, "MORE-1", "MORE-2")
    await service.api("POST", f"notice-sends/{send['id']}/resume")
    clock.advance(timedelta(seconds=1))
    await run_to_the_end(jobs, send["id"], clock)
    assert (await service.read(f"notice-sends/{send['id']}"))["counts"] == {"sent": 12}
    assert sorted(one["touser"] for one in bodies_of(wechat)) == people
    assert len(set(values_of(wechat))) == 12


async def test_an_audience_asks_for_its_codes_and_becomes_a_door(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    clock: WorldClock,
) -> None:
    await add_people(connection, wechat, 3)
    campaign = await pool(service, jobs, "CODE-1", "CODE-2")
    own = await take(service, campaign, "oP0001")
    wanted = audience(data=CODED, campaign_id=campaign["id"])
    counting = {name: wanted[name] for name in ("appid", "template_id", "audience", "campaign_id")}
    counted = (await service.api("POST", "notice-sends/count", json=counting)).json()
    assert counted == {"people": 3, "codes_needed": 2, "codes_free": 1}
    refused = await service.api("POST", "notice-sends", json=wanted)
    assert refused.status_code == 409
    assert "need 2 codes and the campaign has 1 left" in refused.json()["detail"]
    assert await rows(connection, "SELECT 1 FROM notice_sends") == []

    await imported(service, jobs, campaign, "CODE-3")
    send = await started(service, data=CODED, campaign_id=campaign["id"])
    assert send["campaign_id"] == campaign["id"]
    await run_to_the_end(jobs, send["id"], clock)

    assert sorted(values_of(wechat)) == ["CODE-1", "CODE-2", "CODE-3"]
    found = await service.read(f"campaigns/{campaign['id']}")
    assert found["doors"] == [{"kind": "notice", "id": send["id"]}]
    assert found["revision"] == campaign["revision"] + 1
    doors = {row["code"]: row["door_id"] for row in await given(connection)}
    assert {code for code, door in doors.items() if door == send["id"]} == set(doors) - {own}


async def test_what_one_send_needs_is_promised_to_it(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    people = await add_people(connection, wechat, 4)
    campaign = await pool(service, jobs, "CODE-1", "CODE-2", "CODE-3")
    wanted = body(*people[:2], data=CODED, campaign_id=campaign["id"])
    others = body(*people[2:], data=CODED, campaign_id=campaign["id"])

    answers = await asyncio.gather(post(service, wanted), post(service, others))

    first, second = sorted(answers, key=lambda answer: answer.status_code)
    assert (first.status_code, second.status_code) == (202, 409)
    assert "has 3 left, 2 of them promised to other sends" in second.json()["detail"]
    # Once its notices are sent, nothing is promised any more.
    await run(jobs, first.json()["send_id"])
    last = await post(service, body(people[2], data=CODED, campaign_id=campaign["id"]))
    if first is answers[1]:
        last = await post(service, body(people[0], data=CODED, campaign_id=campaign["id"]))
    assert last.status_code == 202, last.text


async def test_several_workers_and_retries_give_each_person_one_code(
    service: Service,
    wechat: WeChat,
    settings: Settings,
    jobs: Jobs,
    connection: asyncpg.Connection,
    database_url: str,
    clock: WorldClock,
) -> None:
    people = await add_people(connection, wechat, 20)
    campaign = await pool(service, jobs, *(f"CODE-{number:02}" for number in range(20)))
    send = await started(service, data=CODED, campaign_id=campaign["id"])
    wechat.strike(BIZSEND, errcode=-1, count=5)
    databases = [open_database(database_url, pool_size=4) for _ in range(2)]
    workers = [jobs_of(settings, database, wechat) for database in databases]
    for _ in range(10):
        await asyncio.gather(*(run(worker, send["id"]) for worker in workers))
        clock.advance(timedelta(seconds=2))

    assert sorted(one["touser"] for one in bodies_of(wechat)) == people
    assert len(set(values_of(wechat))) == 20
    codes = {row["openid"]: row["code"] for row in await given(connection)}
    assert codes == {
        one["touser"]: one["data"]["character_string1"]["value"] for one in bodies_of(wechat)
    }
    for database in databases:
        await database.close()


async def test_a_message_whose_answer_is_lost_is_repeated_with_the_same_code(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    campaign = await pool(service, jobs, "CODE-1", "CODE-2")
    await known(service, OPENID)
    wechat.state.meet(APPID, OPENID).follow(clock.now())
    wechat.strike(TEMPLATE_SEND, drop=Drop.BEFORE, count=1)
    found = await queued(
        service,
        template_id=MESSAGE,
        data={"character_string1": "{code}"},
        campaign_id=campaign["id"],
    )
    await run_to_the_end(jobs, found["send_id"], clock)

    assert len(wechat.calls(TEMPLATE_SEND)) == 2
    assert values_of(wechat) == ["CODE-1"]
    assert [row["code"] for row in await given(connection)] == ["CODE-1"]


async def test_a_campaign_that_ends_or_is_deleted_meanwhile_gives_no_code(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await decided(service, wechat, times=2)
    for how in ("end", "delete"):
        campaign = await pool(service, jobs, "CODE-1")
        found = await queued(service, data=CODED, campaign_id=campaign["id"])
        if how == "end":
            ends = (service.clock.now()).isoformat()
            over = campaign | {"ends_at": ends}
            answer = await service.api("PUT", f"campaigns/{campaign['id']}", json=over)
        else:
            answer = await service.api("DELETE", f"campaigns/{campaign['id']}")
        assert answer.status_code < 300, answer.text
        assert not await run(jobs, found["send_id"])
        (notice,) = (await service.read("notices", send_id=found["send_id"]))["items"]
        assert notice["status"] == "skipped"
        assert ("not run now" if how == "end" else "is deleted") in notice["errmsg"]
    assert wechat.calls(BIZSEND) == []
    assert await given(connection) == []
    assert await consent(connection) == (0, 0)


async def test_a_key_from_before_the_upgrade_still_names_its_request(
    service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    """The digest of a request without a campaign is what it was."""
    await decided(service, wechat)
    await queued(service, key="k-1")
    (row,) = await rows(connection, "SELECT digest FROM notice_sends")
    assert row["digest"].hex() == DIGEST


# By the release before.
DIGEST = "d9910f9b0db0813a0ddf4d63b5a7665963f09e912c86c2a664bb05b256d208c6"
