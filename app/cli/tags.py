"""`oa-bridge tags`: tags of followers, and runs that tag many of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.access_command import run, settings_of_command, shown
from app.cli.account_command import run_command
from app.cli.actor import cli_actor
from app.cli.database import opened
from app.cli.errors import CommandFailed
from app.clock import SystemClock
from app.db.clock_watch import compare
from app.rules.definition.validation_errors import describe
from app.secret_box import secret_box
from app.settings import Settings
from app.tags import run_store, store
from app.tags.accounts import account_for
from app.tags.change_tags import TagChanger
from app.tags.errors import TagError
from app.tags.models import Tag, TagAction, TagRun
from app.tags.run_store import Started
from app.tags.schemas import MAX_PEOPLE, MAX_TAG_ID, TagName, TagPeopleIn
from app.tags.wechat_tags import WeChatTags
from app.wechat.api import WeChatApi
from app.wechat.client import ApiClient
from app.wechat_client.tokens import AccessTokens

NO_ACCOUNT: Final = "--appid: name an Official Account whose AppSecret is in the settings"
MAX_BYTES: Final = 1_048_576
MAX_RUNS: Final = 100

Account = Annotated[
    str | None, typer.Option(help="AppID of the Official Account. Default: WECHAT_APPID.")
]
TagIdentifier = Annotated[
    int, typer.Argument(metavar="TAG", min=0, max=MAX_TAG_ID, help="The id that list prints.")
]
NameArgument = Annotated[str, typer.Argument(help="Up to 30 characters.")]
People = Annotated[
    Path | None, typer.Argument(help="A text file with one OpenID on each line, 5,000 at most.")
]
UnionIds = Annotated[bool, typer.Option("--unionids", help="The file holds UnionIDs.")]
Scene = Annotated[str | None, typer.Option(help="Followers whose latest follow was by this scene.")]
SeenSince = Annotated[
    str | None, typer.Option(help="Followers seen since, such as 2026-11-01T00:00:00+08:00.")
]
Everybody = Annotated[bool, typer.Option("--all", help="All followers.")]
Key = Annotated[str | None, typer.Option(help="The same request with the same key is made once.")]

T = TypeVar("T")

tags = typer.Typer(no_args_is_help=True)
out = Console(soft_wrap=True, highlight=False)


@tags.command(name="list")
def list_tags(appid: Account = None) -> None:
    """Print the tags as they were read last: id, followers, how many of them are known, name."""
    settings = settings_of_command()

    async def work(session: AsyncSession, _: datetime) -> list[tuple[Tag, int]]:
        account = _account(appid, settings)
        known = await store.known_people(session, account)
        found = await store.of_account(session, account)
        return [(one, known.get(one.tag_id, 0)) for one in found]

    for tag, known in run(settings, work):
        typer.echo(f"{tag.tag_id}\t{tag.people}\t{known}\t{tag.name}")


@tags.command()
def pull(appid: Account = None) -> None:
    """Let the worker read the tags from WeChat, and who has each; print the id of the run."""
    settings = settings_of_command()

    async def work(session: AsyncSession, now: datetime) -> TagRun:
        account = _account(appid, settings)
        return await _checked(run_store.start_pull(session, cli_actor(), account, now))

    typer.echo(run(settings, work).id)


@tags.command()
def create(name: NameArgument, appid: Account = None) -> None:
    """Create a tag, and print its id."""

    async def change(changer: TagChanger, account: str) -> None:
        added = await changer.create(cli_actor(), account, _name(name))
        out.print(str(added.tag_id))

    _change(appid, change)


@tags.command()
def rename(tag_id: TagIdentifier, name: NameArgument, appid: Account = None) -> None:
    """Give a tag another name."""
    _change(
        appid,
        lambda changer, account: changer.rename(cli_actor(), account, tag_id, _name(name)),
    )


@tags.command()
def delete(tag_id: TagIdentifier, appid: Account = None) -> None:
    """Delete a tag, which its followers lose."""
    _change(appid, lambda changer, account: changer.delete(cli_actor(), account, tag_id))


@tags.command()
def tag(
    tag_id: TagIdentifier,
    file: People = None,
    unionids: UnionIds = False,
    scene: Scene = None,
    seen_since: SeenSince = None,
    everybody: Everybody = False,
    key: Key = None,
    appid: Account = None,
) -> None:
    """Let the worker tag people: those of a file, or the followers that match; print the run."""
    wanted = {"scene": scene, "seen_since": seen_since}
    _start(TagAction.TAG, tag_id, file, wanted, appid, key, unionids=unionids, everybody=everybody)


@tags.command()
def untag(
    tag_id: TagIdentifier,
    file: People = None,
    unionids: UnionIds = False,
    scene: Scene = None,
    seen_since: SeenSince = None,
    everybody: Everybody = False,
    key: Key = None,
    appid: Account = None,
) -> None:
    """Let the worker take a tag from people, as `tag` gives it; print the run."""
    wanted = {"scene": scene, "seen_since": seen_since}
    _start(
        TagAction.UNTAG, tag_id, file, wanted, appid, key, unionids=unionids, everybody=everybody
    )


@tags.command()
def runs(appid: Account = None) -> None:
    """Print the newest runs: id, when, what, tag, state, done, refused."""
    settings = settings_of_command()

    async def work(session: AsyncSession, _: datetime) -> list[TagRun]:
        account = _account(appid, settings)
        return list(await run_store.page(session, appid=account, before=None, limit=MAX_RUNS))

    for one in run(settings, work):
        columns = (one.id, shown(one.created_at, ""), one.action, one.tag_id or "", one.state)
        typer.echo("\t".join(map(str, (*columns, one.done, one.refused))))


@tags.command()
def stop(
    run_id: Annotated[UUID, typer.Argument(metavar="RUN", help="The id that runs prints.")],
) -> None:
    """End a run. Who is tagged already stays so."""

    async def work(session: AsyncSession, now: datetime) -> None:
        found = await run_store.locked(session, run_id)
        if found is None:
            raise CommandFailed(f"run {run_id} does not exist")
        await _checked(run_store.stop(session, cli_actor(), found, now))

    run(settings_of_command(), work)


def _start(
    action: TagAction,
    tag_id: int,
    file: Path | None,
    wanted: dict[str, str | None],
    appid: str | None,
    key: str | None,
    *,
    unionids: bool,
    everybody: bool,
) -> None:
    settings = settings_of_command()
    narrowed = {name: value for name, value in wanted.items() if value is not None}

    async def work(session: AsyncSession, now: datetime) -> Started:
        account = _account(appid, settings)
        if sum((file is not None, bool(narrowed), everybody)) != 1:
            raise CommandFailed("name a FILE, or use --scene, --seen-since or --all")
        members: dict[str, Any] = {"filter": narrowed}
        if file is not None:
            members = {"unionids" if unionids else "openids": _lines(file)}
        request = _request({"action": action, "key": key, **members})
        return await _checked(run_store.start(session, cli_actor(), account, tag_id, request, now))

    started = run(settings, work)
    if started.unknown:
        typer.echo(f"{len(started.unknown)} ids are not known and left out", err=True)
    typer.echo(started.run.id)


def _request(members: dict[str, Any]) -> TagPeopleIn:
    try:
        return TagPeopleIn.model_validate(members)
    except ValidationError as error:
        raise CommandFailed(describe(error)) from None


def _name(name: str) -> str:
    try:
        return TagName(name=name).name
    except ValidationError as error:
        raise CommandFailed(describe(error)) from None


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        lines = [line.strip() for line in content.decode().splitlines()]
    except OSError as error:
        raise CommandFailed(f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandFailed(f"{file} is not UTF-8 text: encode it as UTF-8") from None
    found = [line for line in lines if line]
    if len(found) > MAX_PEOPLE or len(content) > MAX_BYTES:
        raise CommandFailed(f"{file} has more than {MAX_PEOPLE} ids: split it")
    return found


def _account(appid: str | None, settings: Settings) -> str:
    account = account_for(appid, settings)
    if account is None:
        raise CommandFailed(NO_ACCOUNT)
    return account


async def _checked(work: Awaitable[T]) -> T:
    try:
        return await work
    except TagError as error:
        raise CommandFailed(str(error)) from None


def _change(appid: str | None, change: Callable[[TagChanger, str], Awaitable[None]]) -> None:
    settings = settings_of_command()

    async def command() -> None:
        account = _account(appid, settings)
        async with _changer(settings) as changer:
            await _checked(change(changer, account))

    run_command(command)


@asynccontextmanager
async def _changer(settings: Settings) -> AsyncIterator[TagChanger]:
    async with opened(settings) as database, ApiClient() as client:
        clock = SystemClock()
        await compare(database, clock)
        api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
        tokens = AccessTokens(
            database, api, settings.accounts, clock, secret_box(settings), logs=False
        )
        try:
            yield TagChanger(database.sessions, WeChatTags(api, tokens), clock)
        finally:
            await tokens.store()
