"""Ways to make what the doctor finds."""

from sqlalchemy import text

from app.doctor import store
from tests.console.gallery import HOSTILE
from tests.service import APPID, Service


async def checked(service: Service) -> str:
    """Let the probes have been made, with a refusal by WeChat; return the page."""
    now = service.clock.now()
    async with service.app.state.database.sessions.begin() as session:
        await store.save_probe(session, "", store.RUN, {}, now)
        await session.execute(
            text(
                """
                INSERT INTO api_problems (appid, api, errcode, errmsg, rid, since, seen_at)
                VALUES (:appid, '/cgi-bin/user/info', 48001, :errmsg, '6501f2a3-1', :now, :now)
                """
            ),
            {"appid": APPID, "errmsg": HOSTILE[:200], "now": now},
        )
    return "/doctor"
