"""How old a push may be, and what a rotation of Token and key lets through."""

import hmac
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from app.wechat.crypto import msg_signature
from simulator.accounts import Account
from simulator.documents import read
from simulator.envelopes import Stamp, new_stamp
from simulator.replies import Verdict, read_answer
from tests.service import (
    ACCOUNT,
    Service,
    WorldClock,
    column,
    event,
    message,
    running,
    settings_for,
    text_reply,
)

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
OTHER_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

ROTATED = ACCOUNT.model_copy(update={"token": "newToken02", "encoding_aes_key": OTHER_KEY})


@pytest.mark.parametrize(("seconds", "status"), [(-601, 403), (-600, 200), (600, 200), (601, 403)])
async def test_a_timestamp_counts_up_to_the_edge_of_the_window_both_ways(
    tmp_path: Path, clock: WorldClock, seconds: int, status: int
) -> None:
    async with running(settings_for(NOWHERE, tmp_path), clock) as service:
        stamp = new_stamp(clock.now() + timedelta(seconds=seconds))
        answer = await service.push(message(clock), stamp=stamp)

    assert answer.status_code == status


@pytest.mark.parametrize(("ahead", "follows"), [(590, False), (5, True)])
async def test_what_a_push_from_the_future_says_does_not_outrank_what_comes_after_it(
    service: Service, connection: asyncpg.Connection, ahead: int, follows: bool
) -> None:
    # Up to five seconds two clocks may differ: then the CreateTimes say what was first.
    of_future = event(service.clock, "subscribe") | {"CreateTime": service.clock.seconds + ahead}
    await service.push(of_future)
    service.clock.advance(timedelta(seconds=1))
    await service.push(event(service.clock, "unsubscribe"))

    assert await column(connection, "SELECT following FROM followers") == [follows]


@pytest.mark.parametrize("timestamp", ["", "soon", "-1795500000", "1e9", "9" * 40, "١٧٩٥٥٠٠٠٠٠"])
async def test_a_timestamp_that_is_no_number_is_outside_the_window(
    tmp_path: Path, clock: WorldClock, timestamp: str
) -> None:
    async with running(settings_for(NOWHERE, tmp_path), clock) as service:
        answer = await service.push(message(clock), stamp=Stamp(timestamp, "1234567890"))

    assert answer.status_code == 403


async def test_a_window_of_zero_takes_any_age(tmp_path: Path, clock: WorldClock) -> None:
    settings = settings_for(NOWHERE, tmp_path, replay_window_seconds=0)
    async with running(settings, clock) as service:
        old = await service.push(message(clock), stamp=Stamp("1", "1234567890"))
        odd = await service.push(message(clock), stamp=Stamp("soon", "1234567890"))

    # Whatever its age, a timestamp has the shape that WeChat gives it.
    assert (old.status_code, odd.status_code) == (200, 400)


@pytest.mark.parametrize(
    "account",
    [
        ACCOUNT,
        ROTATED,
        ACCOUNT.model_copy(update={"token": ROTATED.token}),
        ACCOUNT.model_copy(update={"encoding_aes_key": OTHER_KEY}),
    ],
    ids=["both old", "both new", "new token, old key", "old token, new key"],
)
async def test_during_a_rotation_old_and_new_are_taken_and_the_reply_is_new(
    database_url: str, tmp_path: Path, clock: WorldClock, account: Account
) -> None:
    settings = settings_for(
        database_url,
        tmp_path,
        wechat_token=ROTATED.token,
        wechat_token_previous=ACCOUNT.token,
        wechat_encoding_aes_key=ROTATED.encoding_aes_key,
        wechat_encoding_aes_key_previous=ACCOUNT.encoding_aes_key,
    )
    async with running(settings, clock) as service:
        await service.add_rule(text_reply("hello"))
        document, stamp = message(clock), new_stamp(clock.now())
        response = await service.push(document, account=account, stamp=stamp)

    answer = read_answer(response.status_code, response.content, ROTATED, stamp, document)
    assert (answer.verdict, answer.reply.get("Content")) == (Verdict.PASSIVE, "hello")


async def test_after_the_rotation_the_old_ones_are_refused(
    tmp_path: Path, clock: WorldClock
) -> None:
    settings = settings_for(
        NOWHERE, tmp_path, wechat_token=ROTATED.token, wechat_encoding_aes_key=OTHER_KEY
    )
    old_key = ROTATED.model_copy(update={"encoding_aes_key": ACCOUNT.encoding_aes_key})
    async with running(settings, clock) as service:
        token = await service.push(message(clock), account=ACCOUNT)
        key = await service.push(message(clock), account=old_key)

    assert (token.status_code, key.status_code) == (403, 400)


async def test_a_sealed_reply_is_signed_over_its_own_timestamp_and_the_pushs_nonce(
    service: Service, clock: WorldClock
) -> None:
    await service.add_rule(text_reply("hello"))
    stamp = Stamp(str(clock.seconds - 300), "aNonce42")

    response = await service.push(message(clock), stamp=stamp)

    outer = read(response.text, ACCOUNT.format)
    assert (outer["TimeStamp"], outer["Nonce"]) == (str(clock.seconds), "aNonce42")
    expected = msg_signature(ACCOUNT.token, str(clock.seconds), "aNonce42", str(outer["Encrypt"]))
    assert hmac.compare_digest(str(outer["MsgSignature"]), expected)
