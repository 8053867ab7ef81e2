"""A time without pushes is a silence where many were to be expected, and nowhere else."""

from datetime import date, datetime, time, timedelta

import pytest

from app.clock import SHANGHAI
from app.datacube.silence import MAX_RECKONED, Burst, Silence, silences

DAY = date(2026, 11, 27)
BUSY = [60] * 24
NIGHT = [0] * 7 + [60] * 17


def at(hour: float, day: date = DAY) -> datetime:
    return datetime.combine(day, time(), SHANGHAI) + timedelta(hours=hour)


def every_five_minutes(since: float, until: float) -> list[Burst]:
    found, moment = [], at(since)
    while moment <= at(until):
        found.append(Burst(moment, moment + timedelta(minutes=4)))
        moment += timedelta(minutes=5)
    return found


def found(
    bursts: list[Burst], before: datetime | None = None, usual: list[list[int]] | None = None
) -> list[Silence]:
    return silences(DAY, bursts, before, [BUSY] * 7 if usual is None else usual)


def test_an_hour_in_which_sixty_were_to_be_expected_is_a_silence() -> None:
    bursts = [*every_five_minutes(0, 10), *every_five_minutes(11, 23.9)]
    assert found(bursts) == [Silence(at(10) + timedelta(minutes=4), at(11))]


def test_pauses_that_are_usual_are_none() -> None:
    bursts = every_five_minutes(0, 23.9)
    assert found([*bursts[:60], *bursts[64:]]) == []
    assert found(every_five_minutes(7, 23.9), at(-0.1), [NIGHT] * 7) == []
    few = [[2] * 24] * 7
    assert found([*every_five_minutes(0, 8), *every_five_minutes(16, 23.9)], usual=few) == []


def test_a_silence_begins_on_the_day_before_and_may_go_on_at_the_end() -> None:
    assert found([Burst(at(2), at(2))], at(-3)) == [
        Silence(at(-3), at(2)),
        Silence(at(2), None),
    ]
    assert found([], at(-30)) == [Silence(at(-30), None)]
    assert found([]) == []


def test_of_an_account_that_is_new_nothing_is_known() -> None:
    assert found([Burst(at(2), at(2))], at(-3), [BUSY]) == []


def test_a_silence_of_months_is_not_reckoned_to_its_end() -> None:
    assert found([], at(-24 * 90)) == [Silence(at(-24 * 90), None)]
    assert timedelta(days=90) > MAX_RECKONED


@pytest.mark.parametrize(("expected", "count"), [(19, 0), (20, 1)])
def test_the_bound_is_what_is_to_be_expected(expected: int, count: int) -> None:
    usual = [[expected if hour == 10 else 0 for hour in range(24)]] * 7
    bursts = [Burst(at(0), at(10)), Burst(at(11), at(24) - timedelta(seconds=1))]
    assert len(found(bursts, usual=usual)) == count
