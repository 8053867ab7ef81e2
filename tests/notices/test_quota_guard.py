"""How much of the day's quota an audience may use."""

import pytest

from app.notices.quota_guard import room_of
from app.wechat.api_responses import Quota


@pytest.mark.parametrize(
    ("limit", "used", "room"),
    [(100, 0, 90), (100, 89, 1), (100, 90, 0), (100, 100, 0), (1, 0, 1), (0, 0, None)],
)
def test_a_tenth_is_left_to_others(limit: int, used: int, room: int | None) -> None:
    assert room_of(Quota(daily_limit=limit, used=used)) == room
