"""Every route and command that changes something leaves an entry in the audit log."""

from collections.abc import Callable, Iterator, Set
from importlib import import_module
from typing import Any

import pytest
import typer

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject
from app.cli.command_list import COMMANDS
from app.console.application import COMMON_ROUTERS, SECTIONS
from app.main import API_ROUTERS
from tests.access.reached import reached
from tests.ops.test_scopes import routes_of

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
# They read, or check what is not stored; or they are about the person's own screen alone. The first
# part of an import of rules changes none, and the worker records the second in the operator's name.
UNRECORDED = {
    "articles.router.get_article_markup",
    "console.doctor_page.check",
    "console.followers.list_page.find",
    "console.language_switch.choose",
    "console.menus.match_page.match",
    "console.rules.import_page.import_file",
    "console.rules.import_page.import_from_wechat",
    "console.rules.one_import_page.begin_import",
    "console.rules.replay_page.replay_draft",
    "console.rules.try_page.try_draft",
    "doctor.router.check_now",
    "menus.router.check",
    "menus.router.try_match",
    "notices.sends_router.count_audience",
    "rules.http.explain_router.explain_rules",
    "tags.router.count_people",
}
# The rest only read. What starts a process changes nothing in anybody's name, and `migrate` may
# have no audit log yet.
RECORDING_COMMANDS = {
    "alarms add",
    "alarms delete",
    "alarms test",
    "alarms threshold",
    "articles draft",
    "campaigns import",
    "followers sync",
    "links delete",
    "links make",
    "links renew",
    "menus publish",
    "menus restore",
    "notices pause",
    "notices resume",
    "notices stop",
    "operators add",
    "operators disable",
    "operators enable",
    "operators link",
    "operators role",
    "qrcodes import",
    "quota clear",
    "rules import",
    "secrets rewrite",
    "tags create",
    "tags delete",
    "tags pull",
    "tags rename",
    "tags stop",
    "tags tag",
    "tags untag",
    "tokens add",
    "tokens revoke",
    "users erase",
}
READING_COMMANDS = {
    "alarms list",
    "alarms receivers",
    "alarms thresholds",
    "articles markup",
    "campaigns export",
    "campaigns list",
    "campaigns show",
    "doctor",
    "links list",
    "menus diff",
    "menus pull",
    "menus versions",
    "migrate",
    "notices sends",
    "operators list",
    "qrcodes list",
    "qrcodes pictures",
    "qrcodes progress",
    "rules explain",
    "rules export",
    "serve",
    "simulate",
    "tags list",
    "tags runs",
    "tokens list",
    "worker",
}


def routes(methods: Set[str]) -> Iterator[Callable[..., Any]]:
    """Yield the functions of the routes of `/api` and the console that have one of the methods."""
    of_console = (*COMMON_ROUTERS, *(section.router for section in SECTIONS))
    for router in (*API_ROUTERS, *of_console):
        for route in routes_of(router):
            if not methods.isdisjoint(route.methods or ()):
                yield route.endpoint


def commands(group: typer.Typer, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield each command of a group, with its function."""
    for one in group.registered_commands:
        assert one.callback is not None
        own = one.name or one.callback.__name__.replace("_", "-")
        single = len(group.registered_commands) == 1 and group.registered_callback is None
        yield name if single else f"{name} {own}", one.callback


def all_commands() -> Iterator[tuple[str, Callable[..., Any]]]:
    for listed in COMMANDS:
        group = getattr(import_module(f"app.cli.{listed.name}"), listed.name)
        yield from commands(group, listed.name)


def test_every_route_that_changes_something_leaves_an_entry() -> None:
    unrecorded = {one for one in routes(UNSAFE) if not reached(one)}
    names = {f"{one.__module__.removeprefix('app.')}.{one.__name__}" for one in unrecorded}

    assert names == UNRECORDED


def test_every_command_that_changes_something_leaves_an_entry() -> None:
    found = dict(all_commands())

    assert found.keys() == RECORDING_COMMANDS | READING_COMMANDS
    assert {name for name in RECORDING_COMMANDS if not reached(found[name])} == set()


def test_every_action_is_recorded_by_a_route_or_a_command() -> None:
    # Those of a GET: what is downloaded.
    everything = [*routes(UNSAFE | {"GET"}), *dict(all_commands()).values()]
    recorded = frozenset().union(*(reached(function) for function in everything))

    assert set(Action) - recorded == set()


class Keeper:
    """What a route calls by way of an annotation."""

    async def keep(self, actor: Actor, subject: Subject) -> None:
        await self._note(actor, subject)

    async def look(self) -> None:
        """Look, and record nothing."""

    async def _note(self, actor: Actor, subject: Subject) -> None:
        await audit.record(None, actor, Action.RULE_ADDED, subject)  # type: ignore[arg-type]  # never called


def keeper_of(state: Any) -> Keeper:  # noqa: ANN401 - never called
    keeper: Keeper = state.keeper
    return keeper


async def keep(state: Any) -> None:  # noqa: ANN401 - never called
    await keeper_of(state).keep(state.actor, state.subject)


async def look(state: Any) -> None:  # noqa: ANN401 - never called
    await keeper_of(state).look()


def test_what_is_recorded_behind_a_method_is_seen_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.access.reached.OURS", (__name__,))

    assert reached(keep) == {Action.RULE_ADDED}
    assert reached(look) == set()
