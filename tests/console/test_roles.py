"""Every route of the console against every role. A route without a decision fails."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.access.roles import Role
from app.console.application import COMMON_ROUTERS, SECTIONS
from app.console.signed_in import ROLE_ATTRIBUTE
from tests.console.operator import FROM_A_PAGE, signed_in, visitor
from tests.service import Service

# Who is not signed in needs these: the files of every page, the way in, the switch of languages.
FOR_EVERYBODY = {
    ("GET", "/static/{digest}/{name:path}"),
    ("GET", "/sign-in/{secret}"),
    ("POST", "/sign-in/{secret}"),
    ("POST", "/language"),
}
NOBODY = "nobody"


@dataclass(frozen=True)
class Route:
    """A route below the console, and the role that it declares."""

    method: str
    path: str
    needed: Role | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def declared_roles(dependant: Dependant) -> Iterator[Role]:
    role = getattr(dependant.call, ROLE_ATTRIBUTE, None)
    if role is not None:
        yield role
    for further in dependant.dependencies:
        yield from declared_roles(further)


def routes_of(router: Any) -> Iterator[APIRoute]:  # noqa: ANN401 - FastAPI's own class for a router in a router
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from routes_of(route.original_router)


def all_routes() -> Iterator[Route]:
    routers = [("", router) for router in COMMON_ROUTERS]
    routers += [(section.path, section.router) for section in SECTIONS]
    for prefix, router in routers:
        for route in routes_of(router):
            needed = max(declared_roles(route.dependant), key=list(Role).index, default=None)
            for method in route.methods or ():
                yield Route(method, f"{prefix}{route.path}", needed)


ROUTES = list(all_routes())


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_route_declares_a_role_or_is_for_everybody(route: Route) -> None:
    assert (route.needed is None) is ((route.method, route.path) in FOR_EVERYBODY)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_what_changes_something_is_no_get(route: Route) -> None:
    assert route.method in {"GET", "POST"}


@pytest.mark.parametrize("role", [NOBODY, Role.VIEWER, Role.EDITOR])
async def test_a_role_that_is_too_small_is_refused_everywhere(service: Service, role: str) -> None:
    refused = [
        route
        for route in ROUTES
        if route.needed is not None and (role == NOBODY or not Role(role).allows(route.needed))
    ]
    answers = {}
    async with signed_in(service, Role.OWNER), visitor(service) as http:
        if role == NOBODY:
            for route in refused:
                path = f"/console{sample(route.path)}"
                answer = await http.request(route.method, path, headers=FROM_A_PAGE)
                answers[str(route)] = answer.status_code
        else:
            async with signed_in(service, Role(role), name=role) as operator:
                for route in refused:
                    path = f"/console{sample(route.path)}"
                    answer = await operator.http.request(route.method, path, headers=FROM_A_PAGE)
                    answers[str(route)] = answer.status_code

    expected = 401 if role == NOBODY else 403
    assert {route: status for route, status in answers.items() if status != expected} == {}


def sample(path: str) -> str:
    """Return a path with a value for each parameter."""
    return re.sub(r"\{[^}]*\}", "00000000-0000-0000-0000-000000000000", path)


def test_each_key_opens_one_page() -> None:
    keys = [section.key for section in SECTIONS]

    assert sorted(keys) == sorted(set(keys))
