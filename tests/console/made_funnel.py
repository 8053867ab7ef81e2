"""What the pages about the funnel and the retention of followers show."""

from datetime import timedelta

from app.db.queue import raw_connection
from app.funnel.count import count
from app.funnel.steps import basis_of
from tests.console.people import HOSTILE
from tests.funnel.world import CODE, Campaign, World, code_id
from tests.service import APPID, Service

FIRST = "oFUNNEL-first"
SECOND = "oFUNNEL-second"


async def funnel(service: Service) -> str:
    """Let two people follow and write, and one of them open what was sent, and convert."""
    now = service.clock.now()
    sessions = service.app.state.database.sessions
    async with sessions.begin() as session:
        connection = await raw_connection(session)
        await connection.execute(CODE, code_id("a"), "a", APPID)
        world = World(connection, begin=now - timedelta(days=3))
        followed = await world.push(
            FIRST,
            now - timedelta(days=2),
            "subscribe",
            scene="a",
            rule_id=5,
            passive=True,
            late=True,
        )
        assert followed is not None
        for openid, scene in ((SECOND, HOSTILE), (FIRST, None)):
            at = now - timedelta(days=1)
            await world.push(openid, at, "subscribe", scene=scene, rule_id=6, late=True)
        doors = ("rule:6", f"qrcode:{code_id('a')}")
        await world.campaign(1, Campaign(now - timedelta(days=3), now, doors))
        await world.report(followed, "launch", 3600)
        await world.report(followed, "conversion", 7200, exact=False)
    await count(sessions, basis_of(service.app.state.settings))
    return "/funnel?by=rule"


async def cohorts(service: Service) -> str:
    """Return the page about their retention."""
    await funnel(service)
    return "/funnel/retention"
