"""No push is lost for its oddness: each is stored whole, acknowledged, and read through the API."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.settings import Settings
from simulator.envelopes import new_stamp, seal
from simulator.replies import read_answer
from tests.callback.makers import drained
from tests.callback.odd_documents import SAMPLES, Odd, mutated
from tests.service import ACCOUNT, Service, WorldClock, card, counted, event, running, settings_for
from tests.waiting import eventually

# Each push is of a second of its own, so that none is a copy of another.
_seconds = count(1)


@pytest.fixture
async def anybody(database_url: str, tmp_path: Path, clock: WorldClock) -> AsyncIterator[Service]:
    """The service for an account whose original id is not known: the samples have many."""
    configured: Settings = settings_for(database_url, tmp_path, wechat_original_id=None)
    async with running(configured, clock) as service:
        yield service


async def push(service: Service, odd: Odd) -> tuple[int, bytes]:
    account = ACCOUNT.model_copy(update={"format": odd.format})
    answer = await service.post(seal(odd.write(), account, "", new_stamp(service.clock.now())))
    return answer.status_code, answer.content


async def newest(service: Service) -> dict[str, object]:
    await eventually(drained(service.inbox))
    [listed] = (await service.read("callbacks", limit=1))["items"]
    return await service.read(f"callbacks/{listed['id']}")


@settings(
    max_examples=8,
    deadline=None,
    # To shrink so many documents takes minutes, and the failed assertion shows the one at fault.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
@given(pushes=st.tuples(*map(mutated, SAMPLES)))
async def test_every_sample_is_stored_whole_however_it_is_mutated(
    anybody: Service, clock: WorldClock, pushes: tuple[Odd, ...]
) -> None:
    for undated in pushes:
        odd = undated.dated(clock.seconds - 1_000_000 + next(_seconds))

        answer = await push(anybody, odd)
        stored = await newest(anybody)

        assert answer == (200, b"success"), odd.write()
        assert stored["payload"] == odd.stored()
    assert anybody.inbox.spool_status().dead_letters == 0


@pytest.mark.parametrize("members", [{}, {"FromUserName": "", "ToUserName": " "}])
async def test_an_event_of_nobody_is_stored_counted_and_answered_by_no_rule(
    service: Service, clock: WorldClock, members: dict[str, str]
) -> None:
    await service.add_rule(card(), trigger={"on": "fallback"})
    document = event(clock, "minigame_coin_deliver_completed", OrderId="7")
    del document["FromUserName"], document["ToUserName"]
    labels = {"appid": ACCOUNT.appid, "type": "unknown", "result": "stored"}
    before = counted("callbacks_total", **labels)

    answer = await service.push(document | members)

    assert answer.content == b"success"
    assert counted("callbacks_total", **labels) == before + 1
    stored = await newest(service)
    assert (stored["openid"], stored["event"]) == ("", "minigame_coin_deliver_completed")
    assert (await service.read("replies"))["items"] == []


async def test_a_reply_names_the_account_where_a_push_does_not(
    service: Service, clock: WorldClock
) -> None:
    await service.add_rule({"msgtype": "text", "via": "passive", "content": "hello"})
    document = {
        "FromUserName": "oDEMO0aBcDeFgHiJkLmNoPqRsTuV",
        "CreateTime": clock.seconds,
        "MsgType": "text",
        "Content": "shop",
    }

    stamp = new_stamp(clock.now())
    answer = await service.push(document, stamp=stamp)

    expected = document | {"ToUserName": ACCOUNT.original_id}
    read = read_answer(answer.status_code, answer.content, ACCOUNT, stamp, expected)
    assert read.reply["FromUserName"] == ACCOUNT.original_id
