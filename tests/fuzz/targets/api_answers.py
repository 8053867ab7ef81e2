"""Answers of WeChat's API: status, body, and where a redirect leads.

An input: a byte that chooses the status, a byte that chooses the promised member, then the body.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from app.wechat import api_responses
from app.wechat.errors import ApiError
from app.wechat.read_response import MAX_ERRMSG, MAX_RID, read_response
from tests.fuzz.target import Target, Values

_STATUSES: Final = (200, 200, 200, 200, 201, 204, 301, 307, 400, 403, 404, 429, 500, 502, 504)
_PROMISED: Final = ("access_token", "media_id", "openid", "user_info_list", "total", "ip_list")
_READERS: Final[tuple[Callable[[Mapping[str, Any]], object], ...]] = (
    api_responses.stable_token,
    api_responses.uploaded_media,
    api_responses.user_info,
    api_responses.user_infos,
    api_responses.follower_page,
    api_responses.callback_ips,
    api_responses.callback_addresses,
    api_responses.quota,
    api_responses.qr_ticket,
)


def try_case(data: bytes) -> Values:
    """Read an answer in every way in which one may be read."""
    choice, body = data[:2].ljust(2, b"\0"), data[2:]
    status = _STATUSES[choice[0] % len(_STATUSES)]
    promised = _PROMISED[choice[1] % len(_PROMISED)]
    values: list[object] = []
    try:
        members = read_response(
            status, body, promised=(promised,), location=body[:300].decode("latin-1")
        )
    except ApiError as error:
        return _of_error(error)
    for read in _READERS:
        try:
            values += _flat(read(members))
        except ApiError as error:
            values += _of_error(error)
    return values


def _of_error(error: ApiError) -> list[object]:
    assert len(error.errmsg) <= MAX_ERRMSG
    assert len(error.rid or "") <= MAX_RID
    return [error.errcode, error.errmsg, error.rid]


def _flat(value: object) -> list[object]:
    if isinstance(value, list):
        return [inner for one in value for inner in _flat(one)]
    names = getattr(type(value), "__slots__", ())
    return [getattr(value, name) for name in names] if names else [value]


_ANSWERS: Final = (
    {"errcode": 0, "errmsg": "ok"},
    {"errcode": 40001, "errmsg": "invalid credential rid: 6a-7b-8c"},
    {"errcode": "45009", "errmsg": "reach max api daily quota limit rid: 1-2-3"},
    {"access_token": "TOKEN", "expires_in": 7200},
    {"type": "image", "media_id": "MEDIA", "created_at": 1795500000},
    {
        "subscribe": 1,
        "openid": "oDEMO0aBcDeFgHiJkLmNoPqRsTuV",
        "unionid": "uDEMO",
        "subscribe_time": 1795500000,
        "subscribe_scene": "ADD_SCENE_QR_CODE",
        "qr_scene": 98765,
        "qr_scene_str": "shop",
    },
    {"user_info_list": [{"subscribe": 0, "openid": "o1"}, {"openid": None}]},
    {"total": 2, "count": 2, "data": {"openid": ["o1", "o2"]}, "next_openid": "o2"},
    {"ip_list": ["101.226.62.77", "101.226.103.0/25"]},
    {"errcode": 0, "quota": {"daily_limit": 1000, "used": 3, "remain": 997}},
    {"dns": [{"ip": "1.2.3.4", "real_operator": "UNICOM"}], "ping": []},
    {"code": 500, "message": "Forbidden"},
)
_WORDS: Final = (
    *{name for answer in _ANSWERS for name in answer},
    *("null", "true", "false", "NaN", "Infinity", "1e999", "1e-9", "-0", "\\u0000", "\\ud800"),
    *("\\udc00", "﻿", "rid: ", "https://", "//", "[", "]", "99999999999999999999"),
)


def seeds() -> Iterable[bytes]:
    """Give the answers of the reference, and some of others."""
    for number, answer in enumerate(_ANSWERS):
        body = json.dumps(answer).encode()
        for choice in range(len(_PROMISED)):
            yield bytes([0, choice]) + body
        yield bytes([number, 0]) + body
    yield b"\x00\x00" + json.dumps(_ANSWERS[5], ensure_ascii=False).encode("gb18030")
    yield b"\x06\x00https://portal.example.com/login?token=1"
    yield b"\x00\x00" + b"[" * 2000


TARGET: Final = Target(try_case, seeds, _WORDS)
