"""Conditions at the edges of their values."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app.rules.definition.conditions import Conditions, Hours, Share
from app.rules.matching.check_conditions import UnmetCondition, in_share, unmet_for_everyone
from app.rules.matching.follower_facts import Facts
from app.rules.matching.rule_set import compile_rules
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound
from tests.rules.makers import APPID, NOON, OTHER_APPID, follow, rule, text, text_rule

NOBODY = Facts()
EVERY_QUESTION: list[dict[str, Any]] = [
    {"cooldown_seconds": 1},
    {"unionid": "unknown"},
    {"follower": {}},
]


def answers(
    conditions: Mapping[str, Any],
    facts: Facts | None = NOBODY,
    *,
    now: datetime = NOON,
    message: Inbound | None = None,
) -> bool:
    rules = [
        text_rule(7, "exact", "a", conditions=dict(conditions)),
        rule(8, "subscribe", conditions=dict(conditions)),
    ]
    said = message or text("a")
    return bool(compile_rules(rules, 1).choose(AppId(APPID), said, facts, now))


def ago(**time: float) -> datetime:
    return NOON - timedelta(**time)


def test_a_period_includes_its_start_and_excludes_its_end() -> None:
    period = {"from": "2026-11-24T20:00:00+08:00", "until": "2026-11-24T13:00:00Z"}

    assert answers(period)
    assert not answers(period, now=ago(microseconds=1))
    assert not answers(period, now=NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-24T21:59:00", False),
        ("2026-11-24T22:00:00", True),
        ("2026-11-25T01:59:59", True),
        ("2026-11-25T02:00:00", False),
        ("2026-11-25T22:00:00", False),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_starts(moment: str, inside: bool) -> None:
    tuesday = Hours(start="22:00", end="02:00", tz="UTC", days=(2,))

    assert tuesday.hold(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is inside


def test_a_whole_day_has_no_last_minute_left_out() -> None:
    tuesday = Hours(start="00:00", end="24:00", tz="UTC", days=(2,))

    assert tuesday.hold(datetime(2026, 11, 24, tzinfo=UTC))
    assert tuesday.hold(datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC))
    assert not tuesday.hold(datetime(2026, 11, 25, tzinfo=UTC))
    assert not tuesday.hold(datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC))


def test_hours_follow_the_clock_of_their_time_zone_through_the_summer() -> None:
    hours = Hours(start="09:00", end="10:00", tz="Europe/Berlin")

    assert hours.hold(datetime(2026, 1, 5, 8, 30, tzinfo=UTC))
    assert hours.hold(datetime(2026, 7, 6, 7, 30, tzinfo=UTC))
    assert not hours.hold(datetime(2026, 7, 6, 8, 30, tzinfo=UTC))


def test_a_share_is_the_same_followers_every_time_and_about_as_many_as_asked() -> None:
    quarter = Share(percent=25, salt="spring")
    people = [f"o{number}" for number in range(4000)]

    drawn = [person for person in people if in_share(quarter, APPID, person)]

    assert drawn == [person for person in people if in_share(quarter, APPID, person)]
    assert len(drawn) == pytest.approx(1000, rel=0.1)
    assert in_share(Share(percent=100), APPID, "anybody")
    other = [person for person in people if in_share(Share(percent=25), APPID, person)]
    assert drawn != other


def test_a_larger_share_holds_the_smaller_one() -> None:
    for number in range(500):
        if in_share(Share(percent=10, salt="s"), APPID, f"o{number}"):
            assert in_share(Share(percent=30, salt="s"), APPID, f"o{number}")


def test_who_has_not_left_counts_as_following() -> None:
    following, gone = {"follower": {"state": "following"}}, {"follower": {"state": "not_following"}}

    assert answers(following, Facts(following=None))
    assert answers(following, Facts(following=True))
    assert not answers(following, Facts(following=False))
    assert answers(gone, Facts(following=False))


def test_an_age_that_nobody_knows_fits_no_limit() -> None:
    young = {"follower": {"max_age_seconds": 60}}

    assert answers(young, Facts(followed_at=ago(seconds=60)))
    assert not answers(young, Facts(followed_at=ago(seconds=61)))
    assert not answers(young, Facts())


def test_a_follow_itself_makes_a_new_follower() -> None:
    young = {"follower": {"state": "following", "max_age_seconds": 60}}
    old = Facts(following=False, followed_at=ago(days=300))

    assert answers(young, old, message=follow(), now=datetime.fromtimestamp(1795500005, UTC))


def test_a_cooldown_ends_to_the_second() -> None:
    cooldown = {"cooldown_seconds": 60}

    assert answers(cooldown, Facts(fired={7: ago(seconds=60)}))
    assert not answers(cooldown, Facts(fired={7: ago(seconds=59)}))
    assert answers(cooldown, Facts(fired={9: NOON}))


def test_rules_that_ask_for_facts_stay_silent_while_nobody_knows_them() -> None:
    for conditions in EVERY_QUESTION:
        assert not answers(conditions, None)


def test_facts_are_asked_for_only_when_a_rule_that_fits_needs_them() -> None:
    rules = compile_rules(
        [
            text_rule(1, "exact", "a", conditions={"cooldown_seconds": 9}, priority=1),
            text_rule(2, "exact", "b", conditions={"hours": {"start": "00:00", "end": "23:59"}}),
            text_rule(3, "exact", "a", priority=2),
        ],
        1,
    )

    assert not rules.find(AppId(APPID), text("a"), NOON).asks_facts
    assert not rules.find(AppId(APPID), text("b"), NOON).asks_facts
    only = compile_rules([text_rule(1, "exact", "a", conditions={"cooldown_seconds": 9})], 1)
    assert only.find(AppId(APPID), text("a"), NOON).asks_facts


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ({"from": "2026-11-24T12:00:00"}, "timezone"),
        ({"from": "2026-11-24T12:00:00Z", "until": "2026-11-24T12:00:00Z"}, "never answers"),
        ({"hours": {"start": "9:00", "end": "10:00"}}, "like 09:30"),
        ({"hours": {"start": "09:00", "end": "09:00"}}, "same as start"),
        ({"hours": {"start": "24:00", "end": "09:00"}}, "like 09:30"),
        ({"hours": {"start": "09:00", "end": "10:00", "tz": "Mars/Base"}}, "Asia/Shanghai"),
        ({"hours": {"start": "09:00", "end": "10:00", "days": [8]}}, "7"),
        ({"follower": {"min_age_seconds": 9, "max_age_seconds": 8}}, "no follower matches"),
        ({"cooldown_seconds": 0}, "1"),
        ({"share": {"percent": 101}}, "100"),
        ({"share": {"percent": 0.001}}, "0.01"),
        ({"weather": "rain"}, "Extra"),
    ],
)
def test_conditions_that_can_not_work_are_refused(conditions: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Conditions.model_validate(conditions)


@pytest.mark.parametrize(
    ("conditions", "message", "expected"),
    [
        ({}, follow(), None),
        ({"from": "2026-11-24T12:00:01Z"}, text("a"), UnmetCondition.NOT_BEGUN),
        ({"until": "2026-11-24T12:00:00Z"}, follow(), UnmetCondition.OVER),
        (
            {"hours": {"start": "13:00", "end": "14:00", "tz": "UTC"}},
            text("a"),
            UnmetCondition.HOURS,
        ),
        ({"follower": {"state": "not_following"}}, follow(), UnmetCondition.STATE),
        ({"follower": {"state": "not_following"}}, text("a"), None),
        ({"follower": {"state": "following"}}, follow(), None),
        ({"follower": {"min_age_seconds": 60 * 60 * 24 * 365}}, follow(), UnmetCondition.TOO_YOUNG),
        ({"follower": {"max_age_seconds": 6 * 3600}}, follow(), None),
        ({"follower": {"max_age_seconds": 6 * 3600 - 1}}, follow(), UnmetCondition.TOO_OLD),
        ({"unionid": "known", "cooldown_seconds": 5}, follow(), None),
    ],
)
def test_a_condition_that_nobody_can_meet_is_known_without_the_follower(
    conditions: dict[str, Any], message: Inbound, expected: UnmetCondition | None
) -> None:
    made = Conditions.model_validate(conditions)

    assert unmet_for_everyone(made, message, NOON) == expected


def test_facts_as_of_a_moment_leave_out_what_came_later() -> None:
    fired = {1: ago(hours=2), 2: ago(hours=1), 3: NOON}
    facts = Facts(True, ago(hours=1), unionid_known=True, fired=fired)

    assert facts.until(NOON) == facts
    del fired[3]
    assert facts.until(ago(hours=1)) == Facts(True, ago(hours=1), unionid_known=True, fired=fired)
    before = facts.until(ago(hours=1, microseconds=1))
    assert before == Facts(None, None, unionid_known=True, fired={1: ago(hours=2)})
    never = Facts(False, None, fired={3: NOON})
    assert never.until(ago(hours=9)) == Facts(False, None)


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-11-24T08:59:59.999999", False),
        ("2026-11-24T09:00:00", True),
        ("2026-11-24T17:59:59.999999", True),
        ("2026-11-24T18:00:00", False),
        ("2026-11-25T12:00:00", False),
    ],
)
def test_hours_of_one_day_include_their_first_moment_and_not_their_last(
    moment: str, inside: bool
) -> None:
    tuesday = Hours(start="09:00", end="18:00", tz="UTC", days=(2,))

    assert tuesday.hold(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is inside


@pytest.mark.parametrize(
    ("age", "fits"), [(59, False), (59.999, False), (60, True), (120, True), (120.001, False)]
)
def test_an_age_may_be_just_the_least_or_just_the_longest(age: float, fits: bool) -> None:
    ages = {"follower": {"min_age_seconds": 60, "max_age_seconds": 120}}

    assert answers(ages, Facts(True, ago(seconds=age))) is fits


def test_a_rule_answers_the_followers_of_its_share_at_their_account() -> None:
    half = Share(percent=50)
    rules = compile_rules([text_rule(7, "exact", "a", conditions={"share": {"percent": 50}})], 1)
    people = [(appid, f"o{number}") for appid in (APPID, OTHER_APPID) for number in range(40)]

    answered = [
        bool(rules.choose(AppId(appid), replace(text("a"), from_user=openid), None, NOON))
        for appid, openid in people
    ]

    assert answered == [in_share(half, appid, openid) for appid, openid in people]
    assert set(answered) == {True, False}


@pytest.mark.parametrize("day", range(1, 8))
def test_a_night_of_each_day_of_the_week_ends_on_the_next(day: int) -> None:
    night = Hours(start="22:00", end="02:00", tz="UTC", days=(day,))
    monday = datetime(2026, 11, 23, 1, tzinfo=UTC)

    early = [moment for moment in range(7) if night.hold(monday + timedelta(days=moment))]

    assert early == [day % 7]
