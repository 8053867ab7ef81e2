"""Send windows, decided without HTTP."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import ApiError
from simulator.windows import QUOTAS, SendWindows, Trigger

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TRIGGERS = st.sampled_from(Trigger)
OPENINGS = st.lists(st.tuples(TRIGGERS, st.timedeltas(timedelta(), timedelta(days=3))))


def allowed(windows: SendWindows, now: datetime) -> int:
    count = 0
    while True:
        try:
            windows.spend(now)
        except ApiError:
            return count
        count += 1


@given(OPENINGS, st.timedeltas(timedelta(days=3), timedelta(days=6)))
def test_as_many_sends_as_the_windows_still_open_hold(
    openings: list[tuple[Trigger, timedelta]], later: timedelta
) -> None:
    windows = SendWindows()
    newest: dict[Trigger, datetime] = {}
    for trigger, after in sorted(openings, key=lambda opening: opening[1]):
        newest[trigger] = NOON + after
        windows.open(trigger, newest[trigger])

    now = NOON + later

    still_open = [t for t, at in newest.items() if now < at + QUOTAS[t][1]]
    assert allowed(windows, now) == sum(QUOTAS[trigger][0] for trigger in still_open)


@given(TRIGGERS, st.integers(0, 10))
def test_a_new_action_refreshes_a_window_but_does_not_add_to_it(
    trigger: Trigger, spent: int
) -> None:
    windows = SendWindows()
    windows.open(trigger, NOON)
    for _ in range(min(spent, QUOTAS[trigger][0])):
        windows.spend(NOON)

    windows.open(trigger, NOON)

    assert allowed(windows, NOON) == QUOTAS[trigger][0]
