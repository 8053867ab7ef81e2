"""The replay window: how far from now the signed timestamp of a callback may be."""

from datetime import datetime

from app.wechat.errors import Stale

_MAX_TIMESTAMP_DIGITS = 12


def check_freshness(timestamp: str | None, *, now: datetime, window_seconds: int) -> None:
    """Raise Stale (outside_replay_window) unless the timestamp is within the window around now.

    timestamp: of the query, Unix seconds as text; any other text counts as stale.
    window_seconds: before and after now; 0 turns the check off. Source: protocol 1.3.
    """
    if window_seconds == 0:
        return
    if timestamp is None or not _is_unix_seconds(timestamp):
        raise Stale("outside_replay_window")
    if abs(now.timestamp() - int(timestamp)) > window_seconds:
        raise Stale("outside_replay_window")


def _is_unix_seconds(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_TIMESTAMP_DIGITS
