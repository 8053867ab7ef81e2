"""Reports of arrivals: the body of a request, read as the route reads it."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from app import refs
from app.arrivals.new_arrival import BadReport, new_arrival
from app.arrivals.schemas import Invalid, Reports
from tests.fuzz.target import Target, Values

_NOW: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
_LAUNCH: Final = {
    "id": "m3x9qk2v8c4d",
    "kind": "launch",
    "appid": "wx0123456789abcdef",
    "openid": "oLVPpjqs9BhvzwPj5A-vTYAX3GLc",
    "unionid": "o6_bmasdasdsad6_2sgVt7hMZOPfL",
    "at": "2026-11-28T12:00:00+08:00",
    "scene": 1074,
    "path": "pages/shop/index",
    "query": {"ref": "hV3kQ9_x2A", "from": "01a20c23c3007000b49644867b0897ea"},
    "referrer_appid": "",
}
_CONVERSION: Final = {
    "id": "order-1",
    "kind": "conversion",
    "appid": "wx0123456789abcdef",
    "at": "2026-11-28T11:00:00Z",
    "ref": "summer26.abcdefghijkl",
    "name": "purchase",
    "value": 99.5,
    "currency": "CNY",
}


def try_case(data: bytes) -> Values:
    """Read a body, and return what the database would get."""
    try:
        reports = Reports.model_validate(json.loads(data)).reports
    except (ValidationError, ValueError, RecursionError):
        return ()
    stored = []
    for report in reports:
        if isinstance(report, Invalid):
            continue
        with suppress(BadReport):
            stored.append(new_arrival(report, _NOW))
    for one in stored:
        for ref in one.refs:
            _read(ref)
    return [value for one in stored for value in astuple(one) if not isinstance(value, list)] + [
        ref for one in stored for ref in one.refs
    ]


def _read(ref: str) -> None:
    if refs.is_short(ref):
        refs.reply_trace(ref).second_before(_NOW)
        refs.notice_end(ref)
        refs.link_end(ref)
        refs.position_of(ref)
    refs.id_in(ref)
    refs.dotted_parts(ref)


def _seeds() -> Iterable[bytes]:
    yield json.dumps({"reports": [_LAUNCH, _CONVERSION]}).encode()
    yield json.dumps({"reports": [_LAUNCH | {"query": "?scene=hV3kQ9_x2A&a=%E5%95%86"}]}).encode()
    yield json.dumps({"reports": [_LAUNCH | {"query": {"a": 1, "b": True, "c": 1.5}}]}).encode()


TARGET: Final = Target(
    try_case,
    _seeds,
    words=(*_LAUNCH, *_CONVERSION, '"reports"', "\\u0000", "\\ud800", "%00", "1e999", "NaN"),
)
