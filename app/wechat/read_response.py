"""Reads the response of a call to WeChat's API. Pure.

A call has succeeded if HTTP 200 came with a JSON object that has the member which the call promises
and no errcode but 0, or, for a call that promises nothing, whose errcode is 0. Nothing else is a
success: gateways and captive portals between here and WeChat answer with JSON of their own.
"""

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

from app.wechat.errcodes import action_for
from app.wechat.errors import ApiError, TransportError

_RID = re.compile(r"\s*\brid:\s*(\S+)\s*$")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_END_OF_NUMBERS = 10**18
# Postgres stores neither.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# WeChat's errcodes have at most nine digits; what is beyond is no errcode.
_MAX_ERRCODE = 2**31 - 1
_CHECK = "check WECHAT_API_BASE_URL and the proxies on the way"
MAX_ERRMSG = 500
MAX_RID = 100
MAX_HOST = 100


def read_response(
    status: int, content: bytes, *, promised: Sequence[str] = (), location: str | None = None
) -> dict[str, Any]:
    """Return the members of a successful response. Raises ApiError or its subclass TransportError.

    promised: a success has one of these members; without any, it has errcode 0. location: of a
    redirect.

    What was done at WeChat: after HTTP 3xx, 4xx and 5xx nothing, but HTTP 504 comes from a gateway
    that stopped waiting, so the outcome is unknown, as it is after a success that can't be read.
    Source: protocol, introduction and 11.
    """
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        unknown = status == HTTPStatus.GATEWAY_TIMEOUT
        raise TransportError(
            f"HTTP {status} came instead of an answer: if this does not end in some minutes, "
            f"{_CHECK}",
            outcome_unknown=unknown,
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise TransportError(
            f"HTTP {status} redirects to {_target(location)}, and redirects are not followed: "
            f"{_CHECK}",
            outcome_unknown=False,
        )
    members = _members(status, content)
    errcode = _errcode(status, members.get("errcode"))
    if errcode:
        raise _api_error(errcode, members.get("errmsg"))
    if status != HTTPStatus.OK:
        raise unreadable_response(status)
    if promised:
        is_success = any(members.get(name) is not None for name in promised)
    else:
        is_success = errcode is not None
    if not is_success:
        raise unreadable_response(status)
    return members


def unreadable_response(status: int = HTTPStatus.OK) -> TransportError:
    """Return the error for a response that is not one of WeChat's API."""
    return TransportError(
        f"unreadable answer, HTTP {status}, which is not one of WeChat's API: {_CHECK}",
        outcome_unknown=status < HTTPStatus.MULTIPLE_CHOICES,
    )


def number_of(value: object) -> int | None:
    """Return an integer that WeChat wrote as a number or as text; None for anything else.

    It has at most 18 digits: no number of WeChat has more, and the database holds no more.
    """
    if isinstance(value, str):
        text = value.strip()
        return int(text) if _INTEGER.fullmatch(text) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < _END_OF_NUMBERS else None


def _members(status: int, content: bytes) -> dict[str, Any]:
    for encoding in ("utf-8-sig", "gb18030"):
        # A nickname that is cut off in the middle of a character must not cost the answer, so GBK
        # is tried last: it would read almost any bytes, and change all other characters.
        text = content.decode(encoding, "replace")
        try:
            # Not strict, since texts of people may hold raw control characters.
            members = json.loads(
                text, strict=False, parse_float=_finite, parse_constant=lambda _: None
            )
            if not _is_storable(text):
                members = _storable(members)
        except (ValueError, RecursionError):
            continue
        if isinstance(members, dict):
            return members
    raise unreadable_response(status)


def _finite(text: str) -> float | None:
    """Return a number; None for one that only Python has, as NaN: no column of JSON holds it."""
    number = float(text)
    return number if isfinite(number) else None


def _is_storable(text: str) -> bool:
    return "\\u" not in text and _UNSTORABLE.search(text) is None


def _storable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    match value:
        case str():
            return _UNSTORABLE.sub("", value)
        case dict():
            return {_storable(name): _storable(member) for name, member in value.items()}
        case list():
            return [_storable(item) for item in value]
    return value


def _errcode(status: int, value: object) -> int | None:
    if value is None:
        return None
    errcode = number_of(value)
    if errcode is None or abs(errcode) > _MAX_ERRCODE:
        raise unreadable_response(status)
    return errcode


def _api_error(errcode: int, errmsg: object) -> ApiError:
    text = errmsg if isinstance(errmsg, str) else ""
    rid = _RID.search(text)
    if rid:
        text = text[: rid.start()]
    return ApiError(
        errcode, text[:MAX_ERRMSG], action_for(errcode), rid[1][:MAX_RID] if rid else None
    )


def _target(location: str | None) -> str:
    """Return where a redirect leads, without the path and the query, which may hold a token."""
    try:
        parts = urlsplit(location or "")
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        return "another address of the same host" if location else "no address"
    scheme = parts.scheme or "https"
    return f"{scheme}://{_UNSTORABLE.sub('', host)[:MAX_HOST]}"
