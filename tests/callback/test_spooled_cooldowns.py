"""What a process knows of cooldowns from its spool alone is bounded."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.callback import spooled_cooldowns
from app.callback.record import Claim, Record
from app.callback.spooled_cooldowns import SpooledCooldowns
from tests.callback.makers import record
from tests.service import APPID, WorldClock

MOST = 3


def answered(clock: WorldClock, openid: str = "o1", key: bytes | None = None) -> Record:
    made = replace(record(clock), openid=openid, claims=(Claim(7, 60), Claim(8, 30)))
    return made if key is None else replace(made, dedupe_key=key)


def test_beyond_the_bound_the_follower_who_was_answered_first_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, clock: WorldClock
) -> None:
    monkeypatch.setattr(spooled_cooldowns, "MAX_FOLLOWERS", MOST)
    cooldowns = SpooledCooldowns()
    openids = [f"o{number}" for number in range(MOST + 1)]
    for openid in openids[:MOST]:
        cooldowns.remember(answered(clock, openid))
    before = [openid for openid in openids if cooldowns.fired(APPID, openid)]
    cooldowns.remember(answered(clock, openids[0]))  # the latest now
    cooldowns.remember(answered(clock, openids[MOST]))
    after = [openid for openid in openids if cooldowns.fired(APPID, openid)]

    assert before == openids[:MOST]
    assert after == [openids[0], *openids[2:]]


def test_of_one_batch_the_first_push_wins_and_its_copies_with_it(clock: WorldClock) -> None:
    batch = [
        answered(clock, key=b"one"),
        answered(clock, key=b"two"),
        answered(clock, key=b"one"),
        answered(clock, "o2", key=b"two"),
        replace(answered(clock, key=b"three"), claims=()),
        replace(answered(clock, key=b"four"), claims=(Claim(9, 60),)),
    ]

    cooldowns = SpooledCooldowns()

    assert cooldowns.lost(batch) == [frozenset(), {7, 8}, *[frozenset()] * 4]
    assert not cooldowns.fired(APPID, "o1")


def test_a_push_loses_to_one_that_was_spooled_until_the_cooldown_is_over(
    clock: WorldClock,
) -> None:
    cooldowns = SpooledCooldowns()
    cooldowns.remember(answered(clock, key=b"one"))
    lost = []
    for seconds in (1, 28, 1, 29, 1):
        clock.advance(timedelta(seconds=seconds))
        lost += cooldowns.lost([answered(clock, key=b"two")])

    assert lost == [{7, 8}, {7, 8}, {7}, {7}, frozenset()]
    assert cooldowns.lost([answered(clock, key=b"one")]) == [frozenset()]
