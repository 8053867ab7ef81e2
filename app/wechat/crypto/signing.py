"""Signatures of a callback, and how old a signed timestamp may be."""

import hashlib
import hmac
from datetime import datetime

from app.wechat.errors import Stale

_LONGEST_TIMESTAMP = 12


def signature(token: str, timestamp: str, nonce: str) -> str:
    """Return the 40 hex digits that prove knowledge of the Token; they cover no body.

    Source: protocol 1.2.
    """
    return _digest(token, timestamp, nonce)


def msg_signature(token: str, timestamp: str, nonce: str, encrypt: str) -> str:
    """Return the 40 hex digits that also cover the ciphertext.

    encrypt: the text of Encrypt as received, base64. Source: protocol 1.3.
    """
    return _digest(token, timestamp, nonce, encrypt)


def same(given: str, expected: str) -> bool:
    """Compare two signatures in constant time, also where `given` is not ASCII."""
    return hmac.compare_digest(given.encode(), expected.encode())


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


def _digest(*parts: str) -> str:
    # SHA-1 is what the protocol asks for, here as a keyed checksum.
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()
