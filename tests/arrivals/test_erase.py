"""Arrivals of people who are erased, and pages that were opened long ago."""

from datetime import timedelta
from uuid import uuid4

import asyncpg

from app.arrivals import erase
from app.callback import erase as inbox
from app.privacy.retention import retain
from app.tombstones.subject import ErasureSubject
from app.worker import Jobs
from tests.arrivals.makers import MP_OPENID, UNIONID, launch, people, replied, report
from tests.service import CARD_APPID, OPENID, Json, Service, WeChat, column, rows, wechat_names

ALL = "SELECT * FROM arrivals ORDER BY id"


async def arrived(service: Service, jobs: Jobs, connection: asyncpg.Connection) -> list[Json]:
    """Let the person come by a reply, once by the UnionID alone, and somebody else by theirs."""
    _, ref = await replied(service, connection)
    await wechat_names(service, OPENID, UNIONID)
    await people(service, (CARD_APPID, MP_OPENID, UNIONID))
    await report(
        service,
        launch(service, ref=ref, query="a=1", id="order-1"),
        launch(service, openid=None, unionid=UNIONID, query="a=2"),
        launch(service, openid="oFRIEND", ref=ref, query="a=3"),
        launch(service, openid="oFRIEND", query="a=4"),
    )
    await jobs.settle_arrivals()
    return await rows(connection, ALL)


async def erased(service: Service, jobs: Jobs, connection: asyncpg.Connection) -> None:
    answer = await service.api("DELETE", f"users/{UNIONID}")
    assert answer.status_code == 202, answer.text
    (erasure,) = await rows(connection, "SELECT id FROM erasures")
    await jobs.erase({"erasure_id": str(erasure["id"])})


async def test_an_erased_person_stays_in_the_figures_without_their_ids(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    before = await arrived(service, jobs, connection)
    await erased(service, jobs, connection)
    own, by_unionid, friend, friend_alone = await rows(connection, ALL)

    assert own["openid"].startswith("erased:")
    assert own["unionid"].startswith("erased:")
    assert own["unionid"] == by_unionid["unionid"]
    assert by_unionid["openid"] is None
    assert own["recipient"] == friend["recipient"]
    assert own["recipient"].startswith("erased:")
    assert friend["openid"] == "oFRIEND"
    assert friend_alone == before[3]
    for one, was in zip((own, by_unionid), before, strict=False):
        assert (one["path"], one["query"], one["ref"], one["refs"]) == (None, None, None, [])
        assert one["report_key"] != was["report_key"]
        assert (one["position"], one["door"], one["rule_id"]) == (
            was["position"],
            was["door"],
            was["rule_id"],
        )
    every = str(await rows(connection, ALL))
    assert not [word for word in (OPENID, MP_OPENID, UNIONID) if word in every]
    (certificate,) = await column(connection, "SELECT counts FROM erasures")
    assert '"arrivals": ' in certificate


async def test_a_report_of_what_was_before_the_erasure_is_not_stored_again(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await arrived(service, jobs, connection)
    at = service.clock.now().isoformat()
    await erased(service, jobs, connection)
    service.clock.advance(timedelta(seconds=1))

    again = await report(
        service,
        launch(service, at=at, id="order-1"),
        launch(service, at=at, openid=None, unionid=UNIONID),
        launch(service, openid="oFRIEND", at=at),
    )
    since = await report(service, launch(service))

    assert (again["stored"], again["erased"], again["repeated"]) == (1, 2, 0)
    assert since["stored"] == 1


async def test_who_was_sent_a_reply_is_not_written_while_they_are_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """The erasure has passed the arrivals, and the replies still have the OpenID."""
    _, ref = await replied(service, connection)
    await wechat_names(service, OPENID, UNIONID)
    await report(service, launch(service, ref=ref))
    await erased(service, jobs, connection)
    await connection.execute("UPDATE callbacks SET openid = $1", OPENID)

    await jobs.settle_arrivals()

    ((recipient, door),) = [(row["recipient"], row["door"]) for row in await rows(connection, ALL)]
    assert door == "reply"
    assert recipient.startswith("erased:")


async def test_somebody_known_by_an_arrival_alone_can_be_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await report(service, launch(service, openid="oALONE", unionid="oLONEUNION"))

    answer = await service.api("DELETE", "users/oLONEUNION")
    assert answer.status_code == 202, answer.text
    (erasure,) = await rows(connection, "SELECT id FROM erasures")
    await jobs.erase({"erasure_id": str(erasure["id"])})

    (row,) = await rows(connection, ALL)
    assert (row["openid"], row["unionid"][:7]) == (None, "erased:")


async def test_contents_alone_are_cleared_up_to_the_erased_time(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    until = service.clock.now()
    await report(service, launch(service, query="a=1"))
    service.clock.advance(timedelta(minutes=10))
    await report(service, launch(service, query="a=2"))
    person = ErasureSubject(CARD_APPID, MP_OPENID, until, uuid4(), "erased:x", {})

    async with jobs.database.sessions.begin() as session:
        assert await erase.erase_contents(session, person, 10) == 1
        assert await erase.erase_contents(session, person, 10) == 0

    assert await column(connection, "SELECT query FROM arrivals ORDER BY id") == [None, "a=2"]
    assert await column(connection, "SELECT DISTINCT openid FROM arrivals") == [MP_OPENID]


async def test_old_pages_are_cleared_and_keep_their_door(
    service: Service, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    del wechat
    await arrived(service, jobs, connection)
    service.clock.advance(timedelta(days=1))
    await report(service, launch(service, query="new=1"))
    before = service.clock.now() - timedelta(hours=1)

    assert await retain(jobs.database.sessions, inbox, before) >= 4

    found = await rows(connection, ALL)
    assert [row["query"] for row in found] == [None, None, None, None, "new=1"]
    assert [row["path"] for row in found][:4] == [None] * 4
    # What a query held may be an order number; it is not kept once it is known to be no ref.
    assert [row["refs"] for row in found][:4] == [[]] * 4
    assert found[0]["door"] == "reply"


async def test_what_was_sent_to_somebody_who_came_back_leads_to_them(
    service: Service, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    del wechat
    await replied(service, connection)
    await wechat_names(service, OPENID, UNIONID)
    await erased(service, jobs, connection)
    service.clock.advance(timedelta(minutes=1))
    _, ref = await replied(service, connection)

    await report(service, launch(service, openid="oFRIEND", ref=ref))
    await jobs.settle_arrivals()

    assert await column(connection, "SELECT recipient FROM arrivals") == [OPENID]
