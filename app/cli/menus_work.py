"""What the commands of `oa-bridge menus` do."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
import typer
from rich.console import Console

from app.cli.account_command import err
from app.cli.actor import cli_actor
from app.cli.database import opened
from app.cli.errors import CommandFailed
from app.clock import Clock, SystemClock
from app.db.clock_watch import compare
from app.db.engine import Database
from app.menus import present, publish, store, yaml_document
from app.menus.as_read import LeftOut
from app.menus.check import MenuProblem, check_menu
from app.menus.difference import Change, ChangeKind
from app.menus.document import Menu
from app.menus.errors import MenuError
from app.menus.live_version import live_version
from app.menus.models import MenuVersion, VersionState
from app.menus.wechat_menus import WeChatMenus
from app.secret_box import secret_box
from app.settings import Settings
from app.wechat.api import WeChatApi
from app.wechat.client import ApiClient
from app.wechat.errcodes import explain
from app.wechat.ids import AppId
from app.wechat_client.tokens import AccessTokens

MAX_SHOWN: Final = 20
LOOK_SECONDS: Final = 0.5
SIGNS: Final = {ChangeKind.ADDED: "+", ChangeKind.CHANGED: "~", ChangeKind.REMOVED: "-"}


@dataclass(frozen=True, slots=True)
class _Tools:
    database: Database
    clock: Clock
    wechat: WeChatMenus


async def pull(settings: Settings, appid: AppId) -> None:
    """Write what followers see as YAML. Raises ApiError."""
    async with _tools(settings) as tools:
        found = await _present(tools, appid)
    sys.stdout.write(yaml_document.write(found.rebuilt).decode())
    _show_left_out(found.left_out)


async def diff(settings: Settings, appid: AppId, file: Path | None, out: Console) -> None:
    """Show what publishing a file, or the draft, would change. Raises ApiError."""
    async with _tools(settings) as tools:
        menu = (await _draft(tools, appid))[1] if file is None else await _read(file)
        _require_sound(menu, settings)
        _show_changes(out, await _changes(tools, appid, menu))


async def publish_menu(
    settings: Settings, appid: AppId, file: Path | None, out: Console, *, yes: bool
) -> None:
    """Publish a file, or the draft, and wait until that is over. Raises ApiError, CommandFailed."""
    async with _tools(settings) as tools:
        revision = None
        if file is None:
            revision, menu = await _draft(tools, appid)
        else:
            menu = await _read(file)
        _require_sound(menu, settings)
        _show_changes(out, await _changes(tools, appid, menu))
        if not yes:
            _confirm()  # nothing is held meanwhile
        version = await _order(tools, appid, menu, revision)
        done = await _published(tools, version.id)
    _show_result(done, out)


async def show_versions(settings: Settings, appid: str, out: Console) -> None:
    """List the latest versions."""
    async with opened(settings) as database, database.sessions.begin() as session:
        found = await store.versions(session, appid, before=None, limit=MAX_SHOWN)
    for version in found:
        who = version.actor_name or "WeChat"
        out.print(
            f"{version.number}  {version.created_at:%Y-%m-%d %H:%M}Z  {version.state}  {who}",
            markup=False,
        )
    if not found:
        out.print("There is no version yet.")


async def restore_version(settings: Settings, appid: str, number: int, out: Console) -> None:
    """Make a version the draft. Raises CommandFailed."""
    async with _tools(settings) as tools, tools.database.sessions.begin() as session:
        try:
            account = await store.restore(session, cli_actor(), appid, number, tools.clock.now())
        except MenuError as error:
            raise CommandFailed(str(error)) from None
        out.print(f"Version {number} is the draft now (revision {account.revision}).")


@asynccontextmanager
async def _tools(settings: Settings) -> AsyncIterator[_Tools]:
    async with opened(settings) as database, ApiClient() as client:
        clock = SystemClock()
        await compare(database, clock)
        api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
        tokens = AccessTokens(
            database, api, settings.accounts, clock, secret_box(settings), logs=False
        )
        try:
            yield _Tools(database, clock, WeChatMenus(api, tokens))
        finally:
            await tokens.store()


async def _present(tools: _Tools, appid: AppId) -> present.Present:
    async with tools.database.sessions.begin() as session:
        live = await live_version(session, appid)
    return await present.read(tools.wechat, appid, live)


async def _changes(tools: _Tools, appid: AppId, menu: Menu) -> list[Change]:
    async with tools.database.sessions.begin() as session:
        live = await live_version(session, appid)
    found = await present.read(tools.wechat, appid, live)
    _show_left_out(found.left_out)
    return present.changes(found, menu, appid, live)


async def _draft(tools: _Tools, appid: AppId) -> tuple[int, Menu]:
    """Return the draft with its revision."""
    async with tools.database.sessions.begin() as session:
        account = await store.read(session, appid, tools.clock.now())
    return account.revision, Menu.model_validate(account.draft)


async def _read(file: Path) -> Menu:
    """Return the menu of a file. Raises CommandFailed, InvalidRequest."""
    try:
        return yaml_document.read(await asyncio.to_thread(_content, file))
    except OSError as error:
        raise CommandFailed(f"{file} can't be read: {error.strerror}") from None


def _content(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(yaml_document.MAX_BYTES + 1)


async def _order(tools: _Tools, appid: AppId, menu: Menu, revision: int | None) -> MenuVersion:
    """Make a version of the draft that was shown. Raises CommandFailed.

    revision: of the draft; None: the menu comes from a file, and becomes the draft first.
    """
    now, actor = tools.clock.now(), cli_actor()
    try:
        async with tools.database.sessions.begin() as session:
            if revision is None:
                stored = await store.save_draft(session, actor, appid, menu, now, revision=None)
                revision = stored.revision
            return await store.publish(session, actor, appid, now, revision=revision)
    except MenuError as error:
        raise CommandFailed(str(error)) from None


async def _published(tools: _Tools, version_id: UUID) -> MenuVersion:
    """Publish a version, or wait while a worker does; return how it is when nobody works on it."""
    publisher = publish.Publisher(tools.database.sessions, tools.wechat, tools.clock)
    while True:
        await publish.publish(publisher, version_id)
        async with tools.database.sessions.begin() as session:
            version = await session.get_one(MenuVersion, version_id)
        if version.lease is None:
            return version
        await asyncio.sleep(LOOK_SECONDS)


def _require_sound(menu: Menu, settings: Settings) -> None:
    found = check_menu(menu, settings.mini_programs)
    for problem in found:
        if not problem.blocks:
            err.print(f"{_place(problem)}: {problem.text}", markup=False)
    blocking = [problem for problem in found if problem.blocks]
    if blocking:
        lines = "\n".join(f"oa-bridge: {_place(one)}: {one.text}" for one in blocking)
        raise CommandFailed(lines.removeprefix("oa-bridge: "))


def _place(problem: MenuProblem) -> str:
    code = "" if problem.errcode is None else f" ({problem.errcode})"
    return ".".join(map(str, problem.loc)) + code


def _show_changes(out: Console, changes: list[Change]) -> None:
    for change in changes:
        out.print(f"{SIGNS[change.kind]} {change.position}", markup=False)
        for name in dict.fromkeys([*(change.before or {}), *(change.after or {})]):
            before, after = (change.before or {}).get(name), (change.after or {}).get(name)
            if before != after:
                out.print(f"    {name}: {_value(before)} → {_value(after)}", markup=False)
    if not changes:
        out.print("WeChat shows this menu already.")


def _value(value: Any) -> str:  # noqa: ANN401 - any JSON
    return orjson.dumps(value).decode()


def _show_left_out(left_out: list[LeftOut]) -> None:
    for one in left_out:
        value = "" if one.value is None else f": {one.value}"
        err.print(
            f"button {one.position} ({one.name}) is of the type {one.type}, which the API can't "
            f"make{value}",
            markup=False,
        )


def _confirm() -> None:
    try:
        typer.confirm("Publish?", abort=True)
    except typer.Abort:
        raise CommandFailed(
            "nothing was changed; answer y, or pass --yes to publish without a question"
        ) from None


def _show_result(version: MenuVersion, out: Console) -> None:
    if version.state is VersionState.PUBLISHED:
        shown = "" if version.verified else ", but WeChat shows something else: run menus diff"
        out.print(f"Version {version.number} is published{shown}.")
        return
    reason = version.error or ""
    if version.errcode is not None:
        known = explain(version.errcode, "en", version.rid)
        rid = "" if version.rid is None else f" (rid {version.rid})"
        reason = f"WeChat refuses with errcode {version.errcode}: {known.meaning} {known.fix}{rid}"
    state = {True: "what was there before is restored", False: "a part of it may be visible"}
    then = state.get(version.restored is True) if version.finished_at else "the worker goes on"
    raise CommandFailed(f"version {version.number} is {version.state}: {reason}; {then}")
