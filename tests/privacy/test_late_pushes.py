"""What comes late, or was stored in a gap, is erased; what is merely reported keeps nobody."""

from datetime import timedelta

import asyncpg
import pytest

from app.worker import Jobs
from tests.privacy.makers import TEXT, UNIONID, found, leave, live, privacy, work
from tests.service import (
    APPID,
    OPENID,
    Json,
    Service,
    column,
    event,
    message,
    rows,
)

SECONDS = timedelta(seconds=5)
PLACE = "31.224361"
SENT = {"List": {"TemplateId": "tpl", "MsgID": "17", "ErrorCode": "0", "ErrorStatus": "success"}}


def sent(service: Service) -> Json:
    """WeChat's report of what became of a subscription notification."""
    return event(service.clock, "subscribe_msg_sent_event", SubscribeMsgSentEvent=SENT)


async def test_a_push_of_a_revoked_class_that_comes_late_is_erased_and_a_later_one_is_not(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    late = event(service.clock, "LOCATION", Latitude=PLACE)
    late_words = message(service.clock, "words of before")
    service.clock.advance(SECONDS)
    await service.push(privacy(service, "user_authorization_revoke", RevokeInfo="206"))
    await work(jobs, connection)
    service.clock.advance(SECONDS)

    await service.push(late)
    await service.push(late_words)
    await service.push(event(service.clock, "LOCATION", Latitude="48.1371"))
    await work(jobs, connection)

    assert await found(connection, PLACE) == {}
    assert (await found(connection, "words of before")).keys() == {"callbacks"}
    assert (await found(connection, "48.1371")).keys() == {"callbacks"}


async def test_an_earlier_revocation_that_arrives_later_does_not_undo_a_later_one(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    earlier = privacy(service, "user_authorization_revoke", RevokeInfo="206")
    service.clock.advance(SECONDS)
    late = event(service.clock, "LOCATION", Latitude=PLACE)
    service.clock.advance(SECONDS)
    for revoked in (privacy(service, "user_authorization_revoke", RevokeInfo="206"), earlier):
        await service.push(revoked)
        await work(jobs, connection)

    await service.push(late)
    await work(jobs, connection)

    assert await found(connection, PLACE) == {}


async def test_late_contents_of_an_unknown_person_who_revoked_a_class_are_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    late = event(service.clock, "LOCATION", Latitude=PLACE)
    service.clock.advance(SECONDS)
    await service.push(privacy(service, "user_authorization_revoke", RevokeInfo="206"))
    await work(jobs, connection)

    await service.push(late)
    await work(jobs, connection)

    assert await found(connection, PLACE) == {}


async def test_a_push_that_is_stored_between_a_new_follow_and_the_look_at_it_is_erased(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    late = message(strict.clock, "words of before")
    strict.clock.advance(SECONDS)
    await strict.push(leave(strict))
    await work(strict_jobs, connection)
    strict.clock.advance(SECONDS)

    await strict.push(event(strict.clock, "subscribe"))
    await strict.push(late)
    await work(strict_jobs, connection)

    assert await found(connection, "words of before") == {}
    assert await column(connection, "SELECT following FROM followers") == [True]
    assert await column(
        connection, "SELECT count(*) FROM follow_events WHERE openid = $1", OPENID
    ) == [1]


@pytest.mark.parametrize("when", ["in the moment of grace", "long after"])
async def test_a_report_of_a_delivery_keeps_nobody_who_has_left(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection, when: str
) -> None:
    await live(strict, connection)
    strict.clock.advance(SECONDS)
    await strict.push(leave(strict))
    if when == "long after":
        await work(strict_jobs, connection)
    strict.clock.advance(SECONDS)

    await strict.push(sent(strict))
    await work(strict_jobs, connection)

    assert await found(connection, OPENID) == {}
    assert await found(connection, UNIONID) == {}
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}


async def test_an_unfollow_after_an_erasure_on_request_adds_no_openid(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)
    service.clock.advance(timedelta(days=3))

    await service.push(leave(service))
    await work(jobs, connection)

    assert await found(connection, OPENID) == {}


STANDING = "SELECT openid LIKE 'erased:%' AS erased, following FROM followers ORDER BY openid"


async def figures(service: Service) -> tuple[int, int, int, int]:
    total = (await service.read("stats/followers", appid=APPID))["total"]
    return total["start"], total["new"], total["lost"], total["start"] + total["net"]


async def test_an_erased_follower_is_counted_until_the_unfollow(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    before = await figures(service)
    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)
    erased = await figures(service)
    standing = await rows(connection, STANDING)
    service.clock.advance(SECONDS)
    await service.push(leave(service))
    await work(jobs, connection)

    assert before == erased == (0, 1, 0, 1)
    assert standing == [{"erased": True, "following": True}]
    assert await figures(service) == (0, 1, 1, 0)
    assert await rows(connection, STANDING) == []


async def test_an_erased_follower_who_writes_again_counts_once_and_so_does_their_leaving(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)
    service.clock.advance(SECONDS)

    await service.push(message(service.clock, "hello again"))
    await work(jobs, connection)
    back = await figures(service)
    standing = await rows(connection, STANDING)
    service.clock.advance(SECONDS)
    await service.push(leave(service))
    await work(jobs, connection)

    assert back == (0, 1, 0, 1)
    assert standing == [{"erased": False, "following": True}]
    assert await figures(service) == (0, 1, 1, 0)


async def test_a_new_follow_of_an_erased_follower_implies_an_unfollow(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)
    service.clock.advance(SECONDS)

    await service.push(event(service.clock, "subscribe"))
    await work(jobs, connection)

    assert await figures(service) == (0, 2, 1, 1)
    assert await rows(connection, STANDING) == [{"erased": False, "following": True}]
