"""Receivers are told of an alarm once, then daily, and once that it is over."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import orjson
import pytest
from pydantic import SecretStr

from app.alarms import delivery_store
from app.alarms.send import SendResult
from app.alarms.watch import ENDS_AFTER
from app.settings import Settings
from app.worker import Jobs
from tests.alarms.makers import MINUTE, TAKE, Group, added, calm, refuse, state_of, tell, watch
from tests.service import Service, WeChat, WorldClock, jobs_of, rows


async def test_an_alarm_is_told_once_and_its_end_once(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await added(service, group.receiver())
    await refuse(connection, clock.now())

    for _ in range(3):
        await watch(jobs, connection)
        clock.advance(MINUTE)

    assert len(group.texts) == 1
    assert "[ALARM] 100 pushes were refused" in group.texts[0]

    await calm(connection)
    for _ in range(3):
        clock.advance(ENDS_AFTER)
        await watch(jobs, connection)

    assert len(group.texts) == 2
    assert "[OVER] 100 pushes were refused" in group.texts[1]


async def test_an_alarm_that_lasts_is_repeated_daily(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await added(service, group.receiver())
    for _ in range(8):
        await refuse(connection, clock.now())
        await watch(jobs, connection)
        clock.advance(timedelta(hours=6))

    assert ["[ALARM]" in text for text in group.texts] == [True, False]
    assert "[STILL]" in group.texts[1]


async def test_alarms_of_one_minute_share_a_message(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await added(service, group.receiver())
    await refuse(connection, clock.now())
    await connection.execute(
        "INSERT INTO doctor_findings VALUES ('access-token', '', 'fault', $1, $1)", clock.now()
    )

    await watch(jobs, connection)

    assert len(group.texts) == 1
    assert group.texts[0].count("[ALARM]") == 2


async def test_what_is_too_long_for_one_message_is_told_in_the_next(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await added(service, group.receiver())
    for number in range(30):
        await connection.execute(
            "INSERT INTO doctor_findings VALUES ($2, '', 'fault', $1, $1)",
            clock.now(),
            f"check-{number}",
        )
    for _ in range(10):
        await watch(jobs, connection)
        clock.advance(MINUTE)

    assert len(group.texts) > 1
    told = "\n".join(group.texts)
    assert [told.count(f"check-{number} ") for number in range(30)] == [1] * 30


async def test_two_workers_at_once_tell_it_once(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await added(service, group.receiver())
    await refuse(connection, clock.now())

    await asyncio.gather(*(jobs.watch_alarms() for _ in range(4)))
    queued = [orjson.loads(job["payload"]) for job in await connection.fetch(TAKE)]
    await asyncio.gather(*(jobs.send_alarms(job) for job in queued * 4))

    assert len(group.texts) == 1


class WorkerDies(BaseException):
    """What a kill is to the code that runs."""


async def test_what_a_killed_worker_was_sending_is_told_once_more_and_says_so(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await added(service, group.receiver())
    await refuse(connection, clock.now())
    with monkeypatch.context() as patched:
        patched.setattr("app.alarms.deliver._record", _die)
        for _ in range(5):
            with pytest.raises(WorkerDies):
                await watch(jobs, connection)
            clock.advance(delivery_store.LEASE)
            if len(group.texts) == 2:
                break

    for _ in range(3):
        await refuse(connection, clock.now())
        await watch(jobs, connection)
        clock.advance(MINUTE)

    assert len(group.texts) == 2
    assert "may have arrived before" not in group.texts[0]
    assert "may have arrived before" in group.texts[1]


async def test_while_a_worker_sends_no_other_one_does(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver = await added(service, group.receiver())
    await refuse(connection, clock.now())
    with monkeypatch.context() as patched:
        patched.setattr("app.alarms.deliver._record", _die)
        with pytest.raises(WorkerDies):
            await watch(jobs, connection)

    await jobs.send_alarms({"receiver_id": receiver["id"]})

    assert len(group.texts) == 1


async def test_a_receiver_that_refuses_is_tried_again_with_growing_pauses(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    receiver = await added(service, group.receiver())
    group.robots.refusing = {"errcode": 93000, "errmsg": "invalid webhook url"}
    began, pauses = clock.now(), []
    for _ in range(8):
        await refuse(connection, clock.now())
        await watch(jobs, connection)
        next_at = datetime.fromisoformat((await state_of(service, receiver))["next_at"])
        pauses.append(next_at - clock.now())
        clock.advance(next_at - clock.now() - timedelta(seconds=1))
        await watch(jobs, connection)
        clock.advance(timedelta(seconds=1))

    assert [pause // MINUTE for pause in pauses] == [1, 2, 5, 15, 30, 60, 60, 60]
    assert len(group.robots.requests) == 8
    state = await state_of(service, receiver)
    assert state["failures"] == 8
    assert state["failing_since"] == f"{began:%Y-%m-%dT%H:%M:%SZ}"
    assert state["error"] == "errcode 93000: invalid webhook url"

    group.robots.refusing = None
    await refuse(connection, clock.now())
    await watch(jobs, connection)

    assert len(group.texts) == 1
    state = await state_of(service, receiver)
    assert (state["failures"], state["failing_since"], state["error"]) == (0, None, None)


async def test_dingtalk_is_left_alone_for_ten_minutes_once_it_is_too_fast(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    receiver = await added(service, group.receiver("dingtalk"))
    group.robots.refusing = {"errcode": 130101, "errmsg": "send too fast"}
    await refuse(connection, clock.now())

    await watch(jobs, connection)

    state = await state_of(service, receiver)
    assert state["next_at"] == f"{clock.now() + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}"


async def test_an_answer_in_doubt_is_repeated_with_a_note(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await added(service, group.receiver())
    await refuse(connection, clock.now())

    async def no_answer(*_: object) -> SendResult:
        return SendResult("no answer in time", uncertain=True)

    with monkeypatch.context() as patched:
        patched.setattr("app.alarms.deliver.send", no_answer)
        await watch(jobs, connection)
    clock.advance(MINUTE)
    await watch(jobs, connection)

    assert ["may have arrived before" in text for text in group.texts] == [True]


async def test_nothing_is_told_to_a_receiver_that_is_off_or_deleted(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await added(service, group.receiver(enabled=False))
    deleted = await added(service, group.receiver())
    await refuse(connection, clock.now())
    await jobs.watch_alarms()
    answer = await service.api("DELETE", f"alarms/receivers/{deleted['id']}")
    assert answer.status_code == 204

    await tell(jobs, connection)

    assert group.texts == []


async def test_a_receiver_that_is_new_is_told_of_what_lasts_and_not_of_what_is_over(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await refuse(connection, clock.now())
    await watch(jobs, connection)
    await calm(connection)
    clock.advance(ENDS_AFTER)
    await watch(jobs, connection)
    clock.advance(MINUTE)
    await added(service, group.receiver())
    await connection.execute(
        "INSERT INTO doctor_findings VALUES ('rules', '', 'fault', $1, $1)", clock.now()
    )

    await watch(jobs, connection)

    assert len(group.texts) == 1
    assert "refused" not in group.texts[0]
    assert "The doctor finds a fault: Rules" in group.texts[0]


async def test_the_text_is_in_the_language_and_zone_of_the_setting(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    await added(service, group.receiver(language="zh"))
    await refuse(connection, clock.now())

    await watch(jobs, connection)

    shanghai = clock.now() + timedelta(hours=8)
    assert "【告警】本小时与上一小时共有 100 次推送被拒绝（阈值 20）" in group.texts[0]
    assert f"开始于 {shanghai:%Y-%m-%d %H:%M}" in group.texts[0]


async def test_secrets_are_encrypted_and_a_wrong_key_is_told(
    service: Service,
    settings: Settings,
    jobs: Jobs,
    wechat: WeChat,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
) -> None:
    receiver = await added(service, group.receiver("feishu"))
    [stored] = await rows(connection, "SELECT secrets FROM alarm_receivers")
    assert stored["secrets"].startswith("sealed:")
    await refuse(connection, clock.now())
    other = settings.model_copy(update={"secret_key": SecretStr("x" * 20)})

    await watch(jobs_of(other, jobs.database, wechat), connection)

    state = await state_of(service, receiver)
    assert "SECRET_KEY" in state["error"]
    assert group.texts == []


async def _die(*_: object) -> None:
    raise WorkerDies
