"""Buttons that were published before their mini-programs were noted have them."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from app.db import migrate
from app.db.engine import Database
from app.menus import taps
from app.menus.as_sent import as_sent
from app.menus.document import Menu
from app.menus.models import MenuVersion, VersionState
from app.menus.page_path import Attribution
from tests.menus.makers import click, for_tag, menu, shop
from tests.service import APPID

NOTED = "SELECT position, mini_program FROM menu_buttons ORDER BY position"
OTHER = "wx00000000000000ee"


@pytest.fixture
def migration() -> Script:
    """The migration that adds the column."""
    scripts = ScriptDirectory(str(migrate.MIGRATIONS)).walk_revisions()
    return next(
        one for one in scripts if one.doc == "note which mini-programs the buttons of menus open"
    )


async def test_buttons_of_before_are_filled(database: Database, migration: Script) -> None:
    def again(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            migration.module.downgrade()
            migration.module.upgrade()

    async with database.sessions.begin() as session:
        session.add(published())
        await session.flush()
        await taps.add_buttons(session, published())
        before = (await session.execute(text(NOTED))).all()
        await (await session.connection()).run_sync(again)
        after = (await session.execute(text(NOTED))).all()

    assert before == after
    assert dict(before) == {"1": None, "2-1": "wx0123456789abcdef", "2-2": OTHER, "c2-1": OTHER}


def published() -> MenuVersion:
    """Return a version with buttons in each kind of place."""
    other = shop() | {"appid": OTHER}
    conditional = [
        for_tag("1", {"type": "media_id", "name": "A", "media_id": "m"}),
        for_tag("2", other),
    ]
    document = menu(
        click(), {"name": "More", "sub_button": [shop(), other]}, conditional=conditional
    )
    checked = Menu.model_validate(document)
    now = datetime.now(UTC)
    return MenuVersion(
        id=uuid4(),
        appid=APPID,
        number=7,
        mark="mark",
        state=VersionState.PUBLISHED,
        menu=checked.model_dump(mode="json"),
        sent=as_sent(checked, Attribution(APPID, 7, "mark")),
        left_out=[],
        created_at=now,
        default_created=True,
        menuids=["1", "2"],
        deleted_all=False,
        stop=False,
        attempts=0,
    )
