"""The command `oa-bridge articles`."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from app.api_errors import InvalidRequest
from app.articles.draft import MAYBE_DRAFTED, ArticleDrafter
from app.articles.place import BadArticle, markup_out, place
from app.articles.schemas import ArticleDraftIn, ArticleDraftOut, ArticlePlacement
from app.articles.target import BadTarget
from app.cli.account_command import run_command
from app.cli.actor import cli_actor
from app.cli.database import opened
from app.cli.errors import CommandFailed
from app.clock import SystemClock
from app.db.engine import Database
from app.links import store
from app.links.models import Link
from app.ops import logging
from app.rules.definition.validation_errors import problems_in
from app.secret_box import secret_box
from app.settings import Settings, load_settings
from app.wechat.api import WeChatApi
from app.wechat.client import ApiClient
from app.wechat.errors import TransportError
from app.wechat_client.tokens import AccessTokens

# WeChat takes less than 20,000 characters.
MAX_BYTES: Final = 1024 * 1024

M = TypeVar("M", bound=BaseModel)

articles = typer.Typer(no_args_is_help=True)

Slug = Annotated[str, typer.Argument(help="The slug of the link that the article opens.")]
Mark = Annotated[str | None, typer.Option(help="Names the article in `ref`. The default is drawn.")]
Text = Annotated[str | None, typer.Option(help="Text of the text link.")]
ImageUrl = Annotated[
    str | None, typer.Option(help="Picture of the card, 1080 × 864, at WeChat. None: a text link.")
]


@articles.command()
def markup(
    slug: Slug,
    mark: Mark = None,
    title: Annotated[str | None, typer.Option(help="Title of the card.")] = None,
    text: Text = None,
    image_url: ImageUrl = None,
) -> None:
    """Print the HTML with which an article opens a link: as a card, a picture and a text."""
    settings = _settings()
    members = {"mark": mark, "title": title, "text": text, "image_url": image_url}
    run_command(lambda: _markup(settings, slug, members))


@articles.command()
def draft(
    slug: Slug,
    file: Annotated[
        Path, typer.Argument(help="HTML of the article, with {mini_program} where it opens.")
    ],
    title: Annotated[str, typer.Option(help="Title of the article.")],
    thumb_media_id: Annotated[str, typer.Option(help="Permanent image material for the cover.")],
    appid: Annotated[
        str | None, typer.Option(help="The Official Account; not needed if there is only one.")
    ] = None,
    mark: Mark = None,
    text: Text = None,
    image_url: ImageUrl = None,
) -> None:
    """Add the draft of an article with a mini-program at WeChat; publish it in WeChat's console.

    WeChat is asked with a card first. When it refuses the content, it is asked with a picture that
    is a link, and then with a text that is one. Author, summary and comments: use the API.
    """
    settings = _settings()
    members = {
        "appid": appid,
        "title": title,
        "thumb_media_id": thumb_media_id,
        "mini_program": {"mark": mark, "text": text, "image_url": image_url},
    }
    run_command(lambda: _draft(settings, slug, file, members), file)


def _settings() -> Settings:
    settings = load_settings(with_media=False)
    logging.configure(settings)
    return settings


async def _markup(settings: Settings, slug: str, members: dict[str, Any]) -> None:
    wanted = _checked(ArticlePlacement, members)
    async with opened(settings) as database:
        link = await _link(database, slug)
    try:
        _print(markup_out(place(link, wanted)))
    except BadTarget as error:
        raise CommandFailed(f"the link {slug} {error}") from None


async def _draft(settings: Settings, slug: str, file: Path, members: dict[str, Any]) -> None:
    article = _checked(ArticleDraftIn, members | {"content": _read(file)})
    async with opened(settings) as database, ApiClient() as client:
        link = await _link(database, slug)
        clock = SystemClock()
        api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
        tokens = AccessTokens(
            database, api, settings.accounts, clock, secret_box(settings), logs=False
        )
        drafter = ArticleDrafter(database.sessions, api, tokens, settings.accounts, clock)
        try:
            _print(await _drafted(drafter, link, article))
        finally:
            await tokens.store()


async def _drafted(drafter: ArticleDrafter, link: Link, article: ArticleDraftIn) -> ArticleDraftOut:
    try:
        return await drafter.draft(cli_actor(), link, article)
    except BadArticle as error:
        raise CommandFailed(f"{error.field}: {error}") from None
    except BadTarget as error:
        raise CommandFailed(f"the link {link.slug} {error}") from None
    except TransportError as error:
        if error.outcome_unknown:
            raise CommandFailed(MAYBE_DRAFTED) from None
        raise


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandFailed(f"{file} can't be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise CommandFailed(f"{file} has more than {MAX_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CommandFailed(f"{file} is not UTF-8 text: encode it as UTF-8") from None


def _checked(model: type[M], members: dict[str, Any]) -> M:
    try:
        return model.model_validate(members)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidRequest(problems_in(found)) from None


async def _link(database: Database, slug: str) -> Link:
    async with database.sessions() as session:
        link = await store.by_slug(session, slug)
    if link is None:
        raise CommandFailed(f"there is no link with the slug {slug}")
    return link


def _print(found: BaseModel) -> None:
    for name, value in found.model_dump(mode="json").items():
        if value is not None:
            sys.stdout.write(f"{name}: {value}\n")
