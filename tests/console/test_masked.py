"""What a viewer sees of people: no id and no message, until somebody shows it."""

from sqlalchemy import text

from app.access.roles import Role
from tests.console import made_messages
from tests.console.crawl import ENDLESS, crawl, route_of
from tests.console.hostile import fill
from tests.console.operator import signed_in
from tests.console.test_roles import ROUTES
from tests.service import Service

COLUMNS_OF_IDS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name ~ '(openid|unionid)$'
      AND data_type IN ('text', 'character varying')
"""
# Of messages of one person each; a word of several people names nobody.
MESSAGES = ("id=text", "id=long", "&lt;b&gt;alone")


async def test_no_page_part_or_file_names_a_person_to_a_viewer(service: Service) -> None:
    paths = await fill(service)
    send = paths["notices/send.html"]
    start = [*paths.values(), f"{send}/progress", await made_messages.words(service)]
    async with signed_in(service, Role.VIEWER) as viewer:
        answers = await crawl(viewer, start)
    ids = await ids_of_people(service)
    named = {
        path: found
        for path, answer in answers.items()
        if (found := [secret for secret in (*ids, *MESSAGES) if secret in answer.text])
    }

    assert len(ids) > len(MESSAGES)
    assert named == {}
    opened = {route_of(path) for path, answer in answers.items() if answer.status_code == 200}
    wanted = {
        route.path for route in ROUTES if route.method == "GET" and route.needed is Role.VIEWER
    }
    assert wanted - opened == {ENDLESS}


async def ids_of_people(service: Service) -> set[str]:
    """Return every OpenID and UnionID of the database."""
    found: set[str] = set()
    async with service.app.state.database.sessions.begin() as session:
        for table, column in (await session.execute(text(COLUMNS_OF_IDS))).all():
            statement = f"SELECT DISTINCT {column} FROM {table} WHERE {column} <> ''"  # noqa: S608
            found.update((await session.scalars(text(statement))).all())
    return {one for one in found if not one.startswith("erased:")}
