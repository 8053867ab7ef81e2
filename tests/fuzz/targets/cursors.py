"""Cursors of every list, and the filters beside them, as they stand in an address.

An input is an address: the path of a route, or anything else that stands for one, and the query.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import astuple, is_dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from fastapi.dependencies.utils import request_params_to_args
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.datastructures import QueryParams

from app.callback.message_filter import MessageFilter
from app.callback.message_store import CLOCK_SLACK
from app.console.application import SECTIONS
from app.console.date_range_form import BadRange, RangeQuery
from app.console.message_pages.query import MessageFilters
from app.console.rules.try_page import Trial
from app.first_id import first_id
from app.funnel.steps import Basis
from app.main import API_ROUTERS
from tests.fuzz.target import Target, Values

_ROUTES: Final = {
    f"{path}{route.path}".encode(): route
    for path, router in (
        *(("", router) for router in API_ROUTERS),
        *((section.path, section.router) for section in SECTIONS),
    )
    for route in router.routes
    if isinstance(route, APIRoute)
    and "GET" in (route.methods or ())
    and route.dependant.query_params
}
_PATHS: Final = tuple(_ROUTES)
_TODAY: Final = date(2026, 11, 28)
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_BASIS: Final = Basis(_ZONE.key, 7, 30)
# What a route makes of its query before it asks the database.
_STEPS: Final = ("page_query", "list_query", "page", "audit_filter")


def try_case(data: bytes) -> Values:
    """Read the query as the route does, and return what it would ask the database for."""
    path, _, text = data.partition(b"?")
    route = _ROUTES.get(path) or _ROUTES[_PATHS[sum(path) % len(_PATHS)]]
    query = QueryParams(parse_qsl(text.decode("latin-1"), keep_blank_values=True))
    values, errors = request_params_to_args(route.dependant.query_params, query)
    if errors:
        return ()
    return [inner for value in values.values() for inner in _asked(value)]


def _asked(value: object) -> list[Any]:
    if not isinstance(value, BaseModel):
        return [value]
    if isinstance(value, Trial):
        return []  # it becomes a push, and the database is asked for what is read from that
    found = [_flat(getattr(value, name)()) for name in _STEPS if hasattr(value, name)]
    members = dict(value)
    if hasattr(value, "filter"):
        # The members are of the pages' time zone, and the filter has what the database is asked.
        zone = _BASIS if isinstance(value, MessageFilters) else _ZONE
        wanted = value.filter(zone)
        found.append(_flat(wanted))
        moments = [members.pop("since", None), members.pop("until", None)]
        if isinstance(wanted, MessageFilter) and any(moments):
            found += [[first_id(one + CLOCK_SLACK)] for one in (wanted.since, wanted.until) if one]
    if isinstance(value, RangeQuery):
        with suppress(BadRange):
            found.append(_flat(value.date_range(_TODAY, _ZONE.key)))
    return [*members.values(), *found]


def _flat(value: object) -> list[object]:
    if is_dataclass(value) and not isinstance(value, type):
        return list(astuple(value))
    return [value]


def seeds() -> Iterable[bytes]:
    """Give each route its own parameters, with values of every kind of cursor."""
    values = [
        "a-7",
        "t-9-1795500000000000-7",
        "-100.7",
        "7",
        "019ac9a0-0000-7000-8000-000000000000",
    ]
    values += ["", "2026-11-24T00:00:00Z", "2026-11-24T08:00", "2026-11-24", "true", "on", "text"]
    for path, route in _ROUTES.items():
        names = sorted(_names(route))
        for name in names:
            for value in values:
                yield path + f"?{name}={value}".encode()
        yield path + f"?{'&'.join(f'{name}=1' for name in names)}".encode()


def _names(route: APIRoute) -> set[str]:
    names: set[str] = set()
    for field in route.dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names |= {member.alias or name for name, member in kind.model_fields.items()}
        else:
            names.add(field.alias)
    return names


_WORDS: Final = (
    *sorted({name + "=" for route in _ROUTES.values() for name in _names(route)}),
    *(
        "a-",
        "t-",
        "&",
        "%00",
        "%ED%A0%80",
        "%D9%A1",
        "9999-12-31",
        "0001-01-01T00:00:00Z",
        "+23:59",
    ),
    *("9" * 18, "-", ".", "999999999", "9223372036854775807", "T23:59:59.999999Z", "1e3", "null"),
)

TARGET: Final = Target(try_case, seeds, _WORDS, max_bytes=400)
