"""What a viewer sees of people: no id and no message, until somebody shows it."""

from collections.abc import Iterable, Mapping

import httpx
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
# A file for other programs; the audit log says who got it, see test_campaigns_pages.py.
OF_PEOPLE = "/campaigns/{campaign_id}/invitations.csv"
# Of messages of one person each; a word of several people names nobody.
MESSAGES = ("id=text", "id=long", "&lt;b&gt;alone")


async def test_no_page_part_or_file_names_a_person_to_a_viewer(service: Service) -> None:
    paths = await fill(service)
    send = paths["notices/send.html"]
    # The parts that a page reads again while something is under way stand in no other page.
    parts = [f"{send}/progress", "/menus/versions"]
    start = [*paths.values(), *parts, await made_messages.words(service)]
    async with signed_in(service, Role.VIEWER) as viewer:
        answers = await crawl(viewer, start)
    async with signed_in(service, Role.OWNER, name="Owner") as owner:
        to_an_owner = await crawl(owner, start, parts=False)
    secrets = (*await ids_of_people(service), *MESSAGES)

    assert len(secrets) > 2 * len(MESSAGES)
    assert naming(secrets, answers) == {}
    assert {route_of(path) for path in naming(secrets, to_an_owner)} == {OF_PEOPLE}
    opened = {route_of(path) for path, answer in answers.items() if answer.status_code == 200}
    wanted = {
        route.path for route in ROUTES if route.method == "GET" and route.needed is Role.VIEWER
    }
    assert wanted - opened == {ENDLESS}


def naming(secrets: Iterable[str], answers: Mapping[str, httpx.Response]) -> dict[str, list[str]]:
    """Return what each answer says of people."""
    return {
        path: found
        for path, answer in answers.items()
        if (found := [secret for secret in secrets if secret in answer.text])
    }


async def ids_of_people(service: Service) -> set[str]:
    """Return every OpenID and UnionID of the database."""
    found: set[str] = set()
    async with service.app.state.database.sessions.begin() as session:
        for table, column in (await session.execute(text(COLUMNS_OF_IDS))).all():
            statement = f"SELECT DISTINCT {column} FROM {table} WHERE {column} <> ''"  # noqa: S608
            found.update((await session.scalars(text(statement))).all())
    return {one for one in found if not one.startswith("erased:")}
