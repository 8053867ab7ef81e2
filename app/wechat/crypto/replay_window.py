"""How old the signed timestamp of a callback may be."""

from datetime import datetime

from app.wechat.errors import Stale

_LONGEST_TIMESTAMP = 12


def check_freshness(timestamp: str | None, *, now: datetime, window_seconds: int) -> None:
    """Raise Stale (outside_replay_window) unless the timestamp is within the window around now.

    timestamp: the query's, Unix seconds as text; whatever is not digits is stale.
    window_seconds: both ways; 0 turns the check off. Source: protocol 1.3.
    """
    if window_seconds == 0:
        return
    if timestamp is None or not _is_unix_seconds(timestamp):
        raise Stale("outside_replay_window")
    if abs(now.timestamp() - int(timestamp)) > window_seconds:
        raise Stale("outside_replay_window")


def _is_unix_seconds(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_TIMESTAMP
