"""Somebody leaves: what goes with them, under either policy, and what comes afterwards."""

from datetime import timedelta

import asyncpg
import pytest

from app.db.engine import Database
from app.settings import Settings
from app.worker import Jobs
from tests.privacy.makers import TEXT, UNIONID, found, leave, live, work
from tests.service import (
    APPID,
    OPENID,
    Service,
    WeChat,
    WorldClock,
    column,
    event,
    jobs_of,
    message,
    of_answers,
    rows,
    running,
)

NEWER = "something that came later"


async def test_by_default_contents_go_and_the_history_stays(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    before = await found(connection, TEXT)

    await service.push(leave(service))
    stored = await rows(connection, "SELECT action, unionid FROM follow_events ORDER BY id")
    await work(jobs, connection)

    assert {"callbacks", "replies", "pgqueuer_log"} <= before.keys()
    # The rule is the operator's own text.
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    for word in ("23.137466", "T-7", "qrscene"):
        assert await found(connection, word) == {}
    assert await rows(connection, "SELECT action, unionid FROM follow_events ORDER BY id") == stored
    assert [row["unionid"] for row in stored] == [UNIONID] * 2
    assert await column(connection, "SELECT scene FROM follow_events") == [None, None]
    assert await column(connection, "SELECT count(*) FROM send_windows") == [0]
    assert await column(connection, "SELECT count(messaged_at) FROM openids") == [0]
    assert await column(connection, "SELECT count(*) FROM rule_firings") == [0]
    statuses = of_answers("SELECT DISTINCT status FROM answers ORDER BY 1")
    assert await column(connection, statuses) == ["sent", "skipped"]


async def test_everything_leaves_only_hashes_and_the_figures(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    figures = await strict.read("stats/followers", appid=APPID)
    before = await found(connection, OPENID)
    other = await found(connection, "oSOMEBODY-ELSE")

    strict.clock.advance(timedelta(seconds=5))
    await strict.push(leave(strict))
    with_leaving = await strict.read("stats/followers", appid=APPID)
    await work(strict_jobs, connection)

    assert before.keys() >= {
        *("callbacks", "openids", "follow_events", "subscription_events", "followers", "consents"),
        *("replies", "send_windows", "rule_firings", "identity_events", "follower_marks"),
        *("follower_syncs", "pgqueuer", "pgqueuer_log"),
    }
    assert await found(connection, OPENID) == {}
    assert await found(connection, UNIONID) == {}
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert await found(connection, "oSOMEBODY-ELSE") == {**other, "callbacks": 1}
    after = await strict.read("stats/followers", appid=APPID)
    assert [day["new"] for day in after["days"]] == [day["new"] for day in figures["days"]]
    assert after["days"] == with_leaving["days"]
    assert after["total"]["lost"] == 1
    assert len(set(await column(connection, "SELECT openid FROM follow_events"))) == 1


async def test_the_certificate_tells_what_was_done_and_not_to_whom(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    await strict.push(leave(strict))
    (erasure_id,) = await column(connection, "SELECT id FROM erasures")
    waiting = await strict.read(f"erasures/{erasure_id}")
    await work(strict_jobs, connection)

    certificate = await strict.read(f"erasures/{erasure_id}")

    assert (waiting["finished_at"], waiting["erased"]) == (None, [])
    assert certificate["finished_at"] is not None
    assert (certificate["trigger"], certificate["scope"]) == ("unsubscribe", "everything")
    assert certificate["requested_by"] == "wechat"
    assert certificate["counts"]["follow_events"] == 3  # the scene of one, the ids of two
    assert certificate["counts"]["openids"] == 1
    ((appid, pseudonym),) = certificate["erased"]
    assert appid == APPID
    assert await column(connection, "SELECT DISTINCT openid FROM follow_events") == [pseudonym]


async def test_a_second_run_and_a_repeated_push_change_nothing(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    left = leave(strict)
    await strict.push(left)
    (erasure_id,) = await column(connection, "SELECT id FROM erasures")
    await work(strict_jobs, connection)
    stored = await rows(connection, "SELECT * FROM callbacks ORDER BY id")
    certificate = await rows(connection, "SELECT * FROM erasures")

    await strict.push(left)
    await strict_jobs.erase({"erasure_id": str(erasure_id)})
    await work(strict_jobs, connection)

    assert await rows(connection, "SELECT * FROM callbacks ORDER BY id") == stored
    assert await rows(connection, "SELECT * FROM erasures") == certificate
    assert await found(connection, OPENID) == {}


async def test_a_person_who_follows_again_starts_without_earlier_data(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    strict.clock.advance(timedelta(seconds=5))
    await strict.push(leave(strict))
    await work(strict_jobs, connection)
    strict.clock.advance(timedelta(seconds=5))

    await strict.push(event(strict.clock, "subscribe", openid=OPENID))
    await strict.push(message(strict.clock, NEWER, openid=OPENID))
    await work(strict_jobs, connection)

    person = await strict.read("users", appid=APPID, openid=OPENID)
    assert [entry["action"] for entry in person["timeline"]["items"]] == ["follow"]
    assert person["consents"] == []
    assert person["unionid"] is None
    assert (await found(connection, NEWER)).keys() == {"callbacks"}
    (total,) = [(await strict.read("stats/followers", appid=APPID))["total"]]
    assert (total["new"], total["lost"], total["net"]) == (2, 1, 1)


async def test_a_follow_before_the_job_runs_keeps_what_came_since(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    strict.clock.advance(timedelta(seconds=5))
    await strict.push(leave(strict))
    strict.clock.advance(timedelta(seconds=5))
    await strict.push(event(strict.clock, "subscribe", openid=OPENID))
    await strict.push(message(strict.clock, NEWER, openid=OPENID))

    await work(strict_jobs, connection)

    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert (await found(connection, NEWER)).keys() == {"callbacks"}
    assert await column(connection, "SELECT following FROM followers") == [True]
    assert await column(
        connection, "SELECT count(*) FROM follow_events WHERE openid = $1", OPENID
    ) == [1]
    assert await column(connection, "SELECT trigger FROM send_windows") == ["follow"]
    assert await column(
        connection, "SELECT messaged_at FROM openids WHERE openid = $1", OPENID
    ) == [strict.clock.now()]
    assert await column(
        connection,
        "SELECT extract(epoch FROM first_seen_at)::int FROM openids WHERE openid = $1",
        OPENID,
    ) == [strict.clock.seconds]


@pytest.mark.parametrize("policy", ["content", "everything"])
async def test_a_message_from_before_that_comes_late_brings_nothing_back(
    policy: str,
    settings: Settings,
    clock: WorldClock,
    database: Database,
    wechat: WeChat,
    connection: asyncpg.Connection,
) -> None:
    async with running(settings.model_copy(update={"on_unfollow": policy}), clock) as service:
        jobs = jobs_of(service.settings, database, wechat)
        await live(service, connection)
        late = message(clock, TEXT + ", again", openid=OPENID)
        late_follow = event(clock, "subscribe", openid=OPENID, EventKey="qrscene_8")
        clock.advance(timedelta(seconds=5))
        await service.push(leave(service))
        await work(jobs, connection)
        clock.advance(timedelta(seconds=5))
        gone = await found(connection, OPENID)

        await service.push(late)
        await service.push(late_follow)
        between = await found(connection, TEXT + ", again")
        await work(jobs, connection)

    assert between.keys() == {"callbacks"}
    assert await found(connection, TEXT + ", again") == {}
    assert await found(connection, "qrscene_8") == {}
    if policy == "everything":
        assert await found(connection, OPENID) == gone == {}
    assert await column(connection, "SELECT count(*) FROM send_windows") == [0]
    assert await column(connection, "SELECT count(*) FROM followers WHERE following") == [0]


async def test_a_late_message_of_a_person_who_returned_is_erased(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    late = message(strict.clock, TEXT + ", again", openid=OPENID)
    strict.clock.advance(timedelta(seconds=5))
    await strict.push(leave(strict))
    await work(strict_jobs, connection)
    strict.clock.advance(timedelta(seconds=5))
    await strict.push(event(strict.clock, "subscribe", openid=OPENID))
    await strict.push(message(strict.clock, NEWER, openid=OPENID))
    await work(strict_jobs, connection)

    await strict.push(late)
    await work(strict_jobs, connection)

    assert await found(connection, TEXT + ", again") == {}
    assert (await found(connection, NEWER)).keys() == {"callbacks"}
    assert await column(connection, "SELECT following FROM followers") == [True]


async def test_a_copy_of_an_erased_push_is_still_a_copy(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    said = message(strict.clock, TEXT, openid=OPENID)
    await strict.push(said)
    await strict.push(leave(strict))
    await work(strict_jobs, connection)
    (stored,) = await column(connection, "SELECT count(*) FROM callbacks")

    await strict.push(said)

    assert await column(connection, "SELECT count(*) FROM callbacks") == [stored]
    assert await found(connection, OPENID) == {}


async def test_a_day_later_not_even_the_dedupe_keys_lead_to_the_person(
    strict: Service, strict_jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await live(strict, connection)
    await strict.push(leave(strict))
    await work(strict_jobs, connection)
    keys = "SELECT dedupe_key FROM callbacks WHERE openid LIKE 'erased:%' ORDER BY id"
    before = await column(connection, keys)

    await strict_jobs.sweep()
    same = await column(connection, keys)
    strict.clock.advance(timedelta(days=1, seconds=1))
    await strict_jobs.sweep()

    assert same == before
    assert not set(await column(connection, keys)) & set(before)
    assert await column(connection, "SELECT count(*) FROM erasures WHERE unlinked_at IS NULL") == [
        0
    ]
