"""What a process knows of cooldowns from its spool alone is bounded."""

from dataclasses import replace

import pytest

from app.callback import spooled_cooldowns
from app.callback.record import Claim, Record
from app.callback.spooled_cooldowns import SpooledCooldowns
from tests.callback.makers import record
from tests.service import APPID, WorldClock

MOST = 3


def answered(clock: WorldClock, openid: str) -> Record:
    return replace(record(clock), openid=openid, claims=(Claim(7, 60),))


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
