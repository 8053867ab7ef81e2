"""A person with rows in every table, the jobs of one worker, and a search of the whole database."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import orjson

from app.worker import Jobs, entrypoints
from tests.service import APPID, OPENID, Json, Service, card, event, message

TEXT = "what nobody else may read"
UNIONID = "oUNIONID-OF-THE-ERASED-PERSON"
OTHER_APPID = "wx00000000000000aa"
THIRD_APPID = "wx00000000000000ab"
MINI_PROGRAMS = (OTHER_APPID, THIRD_APPID)
OTHER_OPENID = "oTHE-SAME-PERSON-ELSEWHERE"

TABLES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
"""


async def found(connection: asyncpg.Connection, word: str) -> dict[str, int]:
    """Return how many rows of each table hold `word` in any column, bytes included."""
    hits = {}
    for (table,) in await connection.fetch(TABLES):
        number = await connection.fetchval(
            f'SELECT count(*) FROM "{table}" t '  # noqa: S608 - names of the catalogue
            "WHERE strpos(t::text, $1) > 0 "
            "OR strpos(t::text, encode(convert_to($1, 'UTF8'), 'hex')) > 0",
            word,
        )
        if number:
            hits[table] = number
    return hits


async def work(jobs: Jobs, connection: asyncpg.Connection) -> None:
    """Run every privacy job that is queued, and those that they queue, as a worker would."""
    functions = entrypoints(jobs)
    while True:
        queued = await connection.fetch(
            "DELETE FROM pgqueuer WHERE entrypoint LIKE 'privacy.%' RETURNING entrypoint, payload"
        )
        if not queued:
            return
        for job in queued:
            await functions[job["entrypoint"]](orjson.loads(job["payload"]))


async def live(service: Service, connection: asyncpg.Connection, openid: str = OPENID) -> None:
    """Let a person follow, write, get answers, decide about a template, and be everywhere."""
    clock = service.clock
    await service.add_rule(
        {"msgtype": "text", "via": "passive", "content": TEXT},
        card(TEXT),
        trigger={"on": "text", "match": "contains", "keyword": "nobody"},
        conditions={"cooldown_seconds": 60},
    )
    await service.push(event(clock, "subscribe", openid=openid, EventKey="qrscene_7", Ticket="T-7"))
    await service.push(message(clock, TEXT, openid=openid))
    await service.push(event(clock, "LOCATION", openid=openid, Latitude="23.137466"))
    popup = {"TemplateId": "tpl", "SubscribeStatusString": "accept", "PopupScene": "3"}
    await service.push(event(clock, "subscribe_msg_popup_event", openid=openid, List=[popup]))
    await service.push(
        event(clock, "user_get_card", openid="oSOMEBODY-ELSE", FriendUserName=openid, CardId="c")
    )
    clock.advance(timedelta(seconds=10))
    await service.api(
        "PUT",
        "identities",
        json={"identities": [{"appid": APPID, "openid": openid, "unionid": UNIONID}]},
    )
    await connection.execute("INSERT INTO follower_marks VALUES ($1, $2)", APPID, openid)
    await connection.execute(
        "INSERT INTO follower_remarks (appid, openid, remark) VALUES ($1, $2, 'neighbour')",
        APPID,
        openid,
    )
    await connection.execute(
        "INSERT INTO follower_syncs (appid, started_at, cursor) VALUES ($1, now(), $2)",
        APPID,
        openid,
    )
    await connection.execute(
        "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback) "
        "VALUES (1, 'exception', 0, 'replies.deliver', $1::jsonb)",
        orjson.dumps({"additional_context": {"openid": openid, "text": TEXT}}).decode(),
    )
    await connection.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload) "
        "VALUES (0, 'failed', 'an.old.release', $1)",
        orjson.dumps({"openid": openid}),
    )


async def live_elsewhere(connection: asyncpg.Connection) -> None:
    """Let the same person be known at another account, under an earlier UnionID too."""
    await connection.execute(
        "INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at) "
        "VALUES ($1, $2, $3, now(), now())",
        OTHER_APPID,
        OTHER_OPENID,
        UNIONID,
    )
    await connection.execute(
        "INSERT INTO unionid_changes (appid, openid, old_unionid, new_unionid, seen_at, source) "
        "VALUES ($1, $2, 'oOLDER-UNIONID', $3, now(), 'report')",
        OTHER_APPID,
        OTHER_OPENID,
        UNIONID,
    )
    await connection.execute(
        "INSERT INTO follow_events (id, appid, openid, unionid, action, occurred_at) "
        "VALUES ($1, $2, $3, 'oOLDER-UNIONID', 'follow', now() - interval '1 day')",
        uuid4(),
        OTHER_APPID,
        OTHER_OPENID,
    )


def leave(service: Service, openid: str = OPENID) -> Json:
    """Return the push of somebody who leaves now."""
    return event(service.clock, "unsubscribe", openid=openid, EventKey="")


def privacy(service: Service, name: str, openid: str = OPENID, **more: str) -> Json:
    """Return a privacy event: it comes from a platform account, and names the person."""
    return event(service.clock, name, openid="oPLATFORM", OpenID=openid, AppID=APPID, **more)
