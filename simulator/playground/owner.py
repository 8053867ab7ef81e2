"""The owner of the playground's console."""

from app.access import operators, sign_in_links
from app.access.actor import Actor, ActorKind
from app.access.errors import AccessError, NotFound
from app.access.roles import Role
from app.clock import SystemClock
from app.db.engine import open_database

NAME = "owner"


async def sign_in_link(database_url: str, base_url: str) -> str:
    """Return a link that signs the owner in, or why there is none. The first run adds the owner."""
    actor = Actor(ActorKind.CLI, "cli", "playground")
    now = SystemClock().now()
    database = open_database(database_url)
    try:
        async with database.sessions.begin() as session:
            try:
                owner = await operators.by_name(session, NAME)
            except NotFound:
                owner = await operators.add(session, actor, NAME, Role.OWNER, now=now)
            secret = await sign_in_links.make(session, actor, owner, now=now)
    except AccessError as error:
        return str(error)  # somebody has disabled the owner on purpose
    finally:
        await database.close()
    return sign_in_links.link_of(base_url, secret)
