"""Keeps a part of the day's quota for notices that people wait for. Source: protocol 7.4.

An audience may use nine tenths of what WeChat allows in a day. WeChat is asked once a minute. When
it does not say, the send goes on, and stops when a call is refused for the quota. No limit is
printed for subscription notices, so that a limit of 0 says nothing either (linkage 2.4).
"""

from datetime import datetime, timedelta
from typing import Final

from app.notices.models import NoticeKind
from app.wechat.api_responses import Quota

PATHS: Final = {
    NoticeKind.SUBSCRIPTION: "/cgi-bin/message/subscribe/bizsend",
    NoticeKind.TEMPLATE: "/cgi-bin/message/template/send",
}
LOOK_AGAIN: Final = timedelta(minutes=1)
KEPT_SHARE: Final = 10


def is_due(checked_at: datetime | None, now: datetime) -> bool:
    """Return whether WeChat is to be asked again."""
    return checked_at is None or now - checked_at >= LOOK_AGAIN


def room_of(quota: Quota) -> int | None:
    """Return how many notices an audience may still get today; None if WeChat names no limit."""
    if quota.daily_limit <= 0:
        return None
    return max(quota.daily_limit - quota.daily_limit // KEPT_SHARE - quota.used, 0)
