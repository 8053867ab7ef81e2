"""`oa-bridge links`: links into mini-programs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli.access_command import run, settings_of_command, shown
from app.cli.actor import cli_actor
from app.cli.errors import CommandFailed
from app.links import store
from app.links.check_target import check_target
from app.links.errors import LinkError, TooManyLinks
from app.links.models import Link
from app.links.schemas import LinkIn, short_url
from app.rules.definition.validation_errors import describe

MAX_LISTED: Final = 500

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The end of the short URL.")]

links = typer.Typer(no_args_is_help=True)


@links.command(name="list")
def list_links(
    appid: Annotated[str | None, typer.Option(help="Only links of this mini-program.")] = None,
) -> None:
    """Print the newest 500 links: short URL, opens, when it is renewed, what WeChat said, name."""
    settings = settings_of_command()

    async def work(session: AsyncSession, _: datetime) -> tuple[Sequence[Link], Mapping[UUID, int]]:
        found = await store.page(session, before=None, limit=MAX_LISTED, appid=appid)
        return found, await store.totals(session, [link.id for link in found])

    found, totals = run(settings, work)
    for link in found:
        said = "" if link.error is None else f"{link.errcode or ''} {link.error}".strip()
        url = short_url(settings.base_url, link.slug)
        columns = (url, totals.get(link.id, 0), shown(link.renew_at, ""), said, link.name)
        typer.echo("\t".join(map(str, columns)))


@links.command()
def make(
    name: Annotated[str, typer.Argument(help="For operators, and the title of its pages.")],
    appid: Annotated[str, typer.Option(help="AppID of the mini-program.")],
    path: Annotated[str, typer.Option(help="Page without a slash in front; empty: home.")] = "",
    query: Annotated[str, typer.Option(help="Query of the page; {link}, {ref}.")] = "",
    slug: Annotated[str | None, typer.Option(help="The end of the short URL.")] = None,
    utm_source: Annotated[str | None, typer.Option(help="utm_source of the query.")] = None,
    fallback_url: Annotated[
        str | None, typer.Option(help="Where browsers go while WeChat makes no link.")
    ] = None,
) -> None:
    """Make a link, and print its short URL. The worker gets the URL Link within seconds."""
    settings = settings_of_command()
    members: dict[str, Any] = {
        "name": name,
        "appid": appid,
        "path": path,
        "query": query,
        "slug": slug,
        "utm": None if utm_source is None else {"source": utm_source},
        "fallback_url": fallback_url,
    }

    async def work(session: AsyncSession, now: datetime) -> Link:
        link_in = _checked(members)
        problem = check_target(link_in, link_in.slug or "x" * 8, settings.accounts)
        if problem is not None:
            raise CommandFailed(f"{problem[0]}: {problem[1]}")
        try:
            return await store.add(session, cli_actor(), link_in, now)
        except TooManyLinks:
            raise CommandFailed(f"there are {store.MAX_LINKS} links: delete one first") from None
        except LinkError as error:
            raise CommandFailed(str(error)) from None

    typer.echo(short_url(settings.base_url, run(settings, work).slug))


@links.command()
def renew(slug: Slug) -> None:
    """Let the worker ask WeChat for another URL Link now."""

    async def work(session: AsyncSession, now: datetime) -> None:
        link = await store.locked(session, await _id(session, slug))
        if link is not None:
            await store.renew_now(session, cli_actor(), link, now)

    run(settings_of_command(), work)


@links.command()
def delete(slug: Slug) -> None:
    """Delete a link and its figures. Its short URL answers 404 then."""

    async def work(session: AsyncSession, now: datetime) -> None:
        await store.remove(session, cli_actor(), await _id(session, slug), now)

    run(settings_of_command(), work)


def _checked(members: dict[str, Any]) -> LinkIn:
    try:
        return LinkIn.model_validate(members)
    except ValidationError as error:
        raise CommandFailed(describe(error)) from None


async def _id(session: AsyncSession, slug: str) -> UUID:
    link = await store.by_slug(session, slug)
    if link is None:
        raise CommandFailed(f"there is no link with the slug {slug}")
    return link.id
