"""GET /livez and GET /readyz: whether the process is alive and can receive callbacks."""

import asyncio
from functools import lru_cache
from http import HTTPStatus

from alembic.script import ScriptDirectory
from fastapi import APIRouter, Request, Response

from app.api_model import ApiModel
from app.callback.inbox import Inbox
from app.clock import DIFFERENCES
from app.db import migrate
from app.db.engine import Database
from app.ops import database_state, readiness
from app.ops.api_document import GATE_RESPONSES
from app.ops.readiness import Part, Parts, Readiness, Status, StatusOnly, status_only
from app.rules.live import LiveRules
from app.settings import Settings

router = APIRouter(tags=["operations"])


class Liveness(ApiModel):
    """The process is alive."""

    status: Status = Status.OK
    """Always `ok`."""


@router.get("/livez", summary="Whether the process is alive")
async def livez() -> Liveness:
    """Return 200, whatever the state of the database and of WeChat is."""
    return Liveness()


@router.get(
    "/readyz",
    summary="Whether the service can receive callbacks",
    responses={
        429: GATE_RESPONSES[429],
        HTTPStatus.SERVICE_UNAVAILABLE: {"model": Readiness | StatusOnly},
    },
)
async def readyz(request: Request, response: Response) -> Readiness | StatusOnly:
    """Return 200 while a callback can be stored (`ok` or `degraded`), else 503 (`failed`).

    Details, which name accounts and rules, need one of ADMIN_TOKENS, or OPERATIONS_PUBLIC.
    """
    parts = await _read_parts(request)
    status = readiness.overall(parts)
    if status is Status.FAILED:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    full = Readiness(status=status, parts=parts)
    return full if _may_see_details(request) else status_only(full)


def _may_see_details(request: Request) -> bool:
    settings: Settings = request.app.state.settings
    # `ApiGate` has checked the token.
    return settings.operations_public or getattr(request.state, "operator", None) is not None


async def _read_parts(request: Request) -> Parts:
    app = request.app.state
    settings: Settings = app.settings
    database: Database = app.database
    rules: LiveRules = app.rules
    inbox: Inbox = app.inbox
    up = await database_state.is_up(database)
    state = await database_state.read(database) if up else None
    accounts = settings.accounts.values()
    official = [account.appid for account in accounts if account.kind == "oa"]
    return Parts(
        database=readiness.database(up),
        migrations=await _migrations(database, up),
        rules=readiness.rules(rules.current, rules.copy_age()),
        spool=readiness.spool(inbox.spool_status()),
        queue=readiness.queue(state),
        tokens=readiness.tokens((a.appid for a in accounts if a.appsecret), state),
        unionids=readiness.unionids(
            await database_state.bindings(database, official) if up else dict.fromkeys(official)
        ),
        clock=readiness.clock(DIFFERENCES.seconds),
    )


async def _migrations(database: Database, up: bool) -> Part:
    if not up:
        return Part(status=Status.DEGRADED, detail="can't be read: the database does not answer")
    head, known = await asyncio.to_thread(_revisions)
    try:
        async with asyncio.timeout(database_state.TIMEOUT_SECONDS):
            current = await migrate.current(database.engine)
    except database_state.DATABASE_ERRORS:
        return Part(status=Status.FAILED, detail="can't be read")
    return readiness.migrations(current, head, known)


@lru_cache(maxsize=1)
def _revisions() -> tuple[str | None, frozenset[str]]:
    """Return the newest revision of this code, and all revisions."""
    # The files do not change while the process runs, so the result is cached.
    scripts = ScriptDirectory(str(migrate.MIGRATIONS))
    return migrate.newest(), frozenset(script.revision for script in scripts.walk_revisions())
