"""GET /livez and GET /readyz: whether the process is alive and can receive callbacks."""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from app.api_model import ApiModel
from app.callback.inbox import Inbox
from app.clock import DIFFERENCES
from app.db import migrate
from app.db.diagnosis import describe
from app.db.engine import Database
from app.ops import database_state, readiness, stored_secrets
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

    Details, which name accounts and rules, need a token with the scope `operations:read`, unless
    OPERATIONS_PUBLIC is set.
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
    return settings.operations_public or getattr(request.state, "caller", None) is not None


async def _read_parts(request: Request) -> Parts:
    app = request.app.state
    settings: Settings = app.settings
    database: Database = app.database
    rules: LiveRules = app.rules
    inbox: Inbox = app.inbox
    fault = await database_state.fault(database)
    up = fault is None
    state = await database_state.read(database) if up else None
    accounts = settings.accounts.values()
    official = [account.appid for account in accounts if account.kind == "oa"]
    return Parts(
        database=readiness.database(fault),
        migrations=await _migrations(database, up),
        rules=readiness.rules(
            rules.current, rules.copy_age(), await app.mini_program_check.find(rules.current)
        ),
        spool=readiness.spool(inbox.spool_status()),
        queue=readiness.queue(state),
        workers=readiness.workers(state),
        replies=readiness.replies(state),
        tokens=readiness.tokens((a.appid for a in accounts if a.appsecret), state),
        wechat=readiness.wechat(
            await database_state.problems(database, list(settings.accounts)) if up else (),
            await database_state.quotas(database, list(settings.accounts), app.clock.now())
            if up
            else (),
            await database_state.reached_rates(database, list(settings.accounts), app.clock.now())
            if up
            else (),
            await database_state.slowed_rates(database, list(settings.accounts), app.clock.now())
            if up
            else (),
        ),
        unionids=readiness.unionids(
            await database_state.bindings(database, official) if up else dict.fromkeys(official)
        ),
        erasures=readiness.erasures(state),
        clock=readiness.clock(DIFFERENCES.seconds),
        secrets=readiness.secrets(
            await stored_secrets.read(database, settings) if up else None,
            key_is_set=settings.secret_key is not None,
        ),
    )


async def _migrations(database: Database, up: bool) -> Part:
    if not up:
        return Part(status=Status.DEGRADED, detail="can't be read: see database")
    head, known = await asyncio.to_thread(migrate.revisions)
    try:
        async with asyncio.timeout(database_state.TIMEOUT_SECONDS):
            current = await migrate.current(database.engine)
    except database_state.DATABASE_ERRORS as error:
        return Part(status=Status.FAILED, detail=f"can't be read: {describe(error)}")
    return readiness.migrations(current, head, known)
