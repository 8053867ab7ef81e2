"""`oa-bridge qrcodes`: QR codes of Official Accounts."""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.access_command import run, settings_of_command
from app.cli.actor import cli_actor
from app.cli.errors import CommandFailed
from app.qrcodes import list_store, store
from app.qrcodes.accounts import account_for
from app.qrcodes.draw import PictureFormat
from app.qrcodes.errors import QrCodeError
from app.qrcodes.life import state_of
from app.qrcodes.list_csv import MAX_BYTES, BadList, ListedCode, read_list
from app.qrcodes.list_pictures import pictures_of
from app.qrcodes.list_store import NewList, Progress
from app.qrcodes.models import QrCode, QrCodeList, QrKind
from app.qrcodes.picture_look import BadLook, PictureLook, painter
from app.qrcodes.scene import KEY_PATTERN, BadScene, check_prefix
from app.settings import Settings

MAX_LISTED: Final = 500
NO_ACCOUNT: Final = "--appid: name an Official Account whose AppSecret is in the settings"

Account = Annotated[
    str | None, typer.Option(help="AppID of the Official Account. Default: WECHAT_APPID.")
]
ListIdentifier = Annotated[UUID, typer.Argument(metavar="LIST", help="The id that import prints.")]

qrcodes = typer.Typer(no_args_is_help=True)


@qrcodes.command(name="import")
def import_list(
    file: Annotated[Path, typer.Argument(help="CSV with a name, perhaps a scene, on each line.")],
    appid: Account = None,
    permanent: Annotated[
        bool, typer.Option("--permanent", help="Codes that live for ever: 100,000 in all.")
    ] = False,
    scene_prefix: Annotated[str, typer.Option(help="What drawn scenes begin with.")] = "",
    key: Annotated[
        str | None, typer.Option(help="The same list with the same key is made once.")
    ] = None,
) -> None:
    """Make up to 1,000 codes, and print the id of the list. The worker gets them from WeChat."""
    settings = settings_of_command()
    kind = QrKind.PERMANENT if permanent else QrKind.TEMPORARY

    async def work(session: AsyncSession, now: datetime) -> QrCodeList:
        account = account_for(appid, settings)
        if account is None:
            raise CommandFailed(NO_ACCOUNT)
        new = NewList(account, kind, _codes(file), _prefix(scene_prefix), _key(key))
        try:
            return await list_store.add(session, cli_actor(), new, now)
        except QrCodeError as error:
            raise CommandFailed(str(error)) from None

    added = run(settings, work)
    typer.echo(f"{added.total} codes wait for the worker; see oa-bridge qrcodes progress", err=True)
    typer.echo(added.id)


@qrcodes.command()
def progress(list_id: ListIdentifier) -> None:
    """Print how many codes of a list WeChat has made, refused, not answered for, and is to make."""

    async def work(session: AsyncSession, _: datetime) -> Progress:
        await _require_list(session, list_id)
        return await list_store.progress(session, list_id)

    found = run(settings_of_command(), work)
    columns = {
        "made": found.made,
        "refused": found.refused,
        "unanswered": found.unanswered,
        "waiting": found.waiting,
    }
    typer.echo("\t".join(f"{name} {number}" for name, number in columns.items()))


@qrcodes.command()
def pictures(
    list_id: ListIdentifier,
    file: Annotated[Path, typer.Argument(help="The ZIP file to write.")],
    svg: Annotated[bool, typer.Option("--svg", help="SVG in place of PNG.")] = False,
    with_name: Annotated[
        bool, typer.Option("--with-name", help="The name below each code.")
    ] = False,
    logo: Annotated[str | None, typer.Option(help="A picture of MEDIA_DIR for the middle.")] = None,
) -> None:
    """Write the pictures of a list to a ZIP file."""
    settings = settings_of_command()
    picture_format: PictureFormat = "svg" if svg else "png"
    look = PictureLook(format=picture_format, with_name=with_name, logo=logo)

    async def work(session: AsyncSession, now: datetime) -> tuple[Sequence[QrCode], datetime]:
        await _require_list(session, list_id)
        return await list_store.codes(session, list_id), now

    codes, now = run(settings, work)
    try:
        asyncio.run(_write(file, codes, look, settings, now))
    except (BadLook, OSError) as error:
        typer.echo(f"oa-bridge: {error}", err=True)
        raise typer.Exit(1) from None


@qrcodes.command(name="list")
def list_codes(
    scene: Annotated[str | None, typer.Option(help="Only the code of this scene.")] = None,
) -> None:
    """Print the newest 500 codes: scene, state, scans, new follows, re-follows, left, cards, name.

    left: within a week.
    """

    async def work(session: AsyncSession, now: datetime) -> tuple[Sequence[QrCode], datetime]:
        return await store.page(session, before=None, limit=MAX_LISTED, scene=scene), now

    codes, now = run(settings_of_command(), work)
    for code in codes:
        figures = (code.scans, code.new_follows, code.refollows, code.left_in_week, code.cards)
        columns = (code.scene, state_of(code, now).value, *map(str, figures), code.name)
        typer.echo("\t".join(columns))


def _codes(file: Path) -> list[ListedCode]:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise CommandFailed(f"{file} has more than {MAX_BYTES} bytes: split it")
        return read_list(content)
    except OSError as error:
        raise CommandFailed(f"{file} can't be read: {error.strerror}") from None
    except BadList as error:
        raise CommandFailed(f"{file}: {error}") from None


def _prefix(prefix: str) -> str:
    try:
        check_prefix(prefix)
    except BadScene as error:
        raise CommandFailed(f"--scene-prefix: {error}") from None
    return prefix


def _key(key: str | None) -> str | None:
    if key is not None and not re.fullmatch(KEY_PATTERN, key):
        raise CommandFailed("--key: has 1 to 64 letters, digits and signs of ASCII, and no blanks")
    return key


async def _require_list(session: AsyncSession, list_id: UUID) -> None:
    if await session.get(QrCodeList, list_id) is None:
        raise CommandFailed(f"list {list_id} does not exist")


async def _write(
    file: Path, codes: Sequence[QrCode], look: PictureLook, settings: Settings, now: datetime
) -> None:
    drawing = await painter(look, settings.media_path)
    drawing.check_names(code.name for code in codes)
    with file.open("wb") as opened:
        async for chunk in pictures_of(codes, drawing, settings.base_url, now):
            opened.write(chunk)
