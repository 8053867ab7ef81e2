"""`oa-bridge articles` prints what opens a link, and says why there is no draft."""

import asyncio
import re
from pathlib import Path

import pytest

from app.access.actor import Actor, ActorKind
from app.cli.articles import MAX_BYTES
from app.clock import SystemClock
from app.db.engine import open_database
from app.links import store
from app.links.schemas import LinkIn
from tests.command_run import Run, run
from tests.links.makers import body

__all__ = ["run"]

DRAFT = "articles draft summer26 {} --title Summer --thumb-media-id COVER"


@pytest.fixture
def linked(database_url: str) -> str:
    """URL of a database with a link."""

    async def add() -> None:
        database = open_database(database_url, pool_size=1)
        async with database.sessions.begin() as session:
            link = LinkIn.model_validate(body())
            await store.add(session, Actor(ActorKind.CLI, "cli"), link, SystemClock().now())
        await database.close()

    asyncio.run(add())
    return database_url


def test_the_html_of_each_form_is_printed(run: Run, linked: str) -> None:
    image = "https://mmbiz.example.com/shop.jpg"
    status, lines = run(
        f"articles markup summer26 --mark art9 --image-url {image}", DATABASE_URL=linked
    )

    assert status == 0
    assert [line.partition(": ")[0] for line in lines] == ["ref", "path", "card", "image", "text"]
    assert re.fullmatch(r"ref: [A-Za-z0-9_-]{10}", lines[0])
    assert lines[0].removeprefix("ref: ") in lines[1]


@pytest.mark.parametrize(
    ("command", "content", "said"),
    [
        ("articles markup other", "", "there is no link with the slug other"),
        ("articles markup summer26 --mark a.b", "", "mark: "),
        (DRAFT, "<p>a</p>", "there is no access token: "),
        (DRAFT, "{mini_program}{mini_program}", "content: holds {mini_program} more than once"),
        (DRAFT, "a" * 19_990, "content: has "),
        (DRAFT, "a" * 20_000, "content: "),
        (DRAFT, "a" * (MAX_BYTES + 1), f"FILE has more than {MAX_BYTES} bytes"),
    ],
)
def test_what_fails_is_said_in_one_line(
    run: Run, linked: str, tmp_path: Path, command: str, content: str, said: str
) -> None:
    file = tmp_path / "article.html"
    file.write_text(content)
    status, lines = run(command.format(file), DATABASE_URL=linked)

    assert status == 1
    (line,) = lines
    assert line.startswith(f"oa-bridge: {said.replace('FILE', str(file))}")
