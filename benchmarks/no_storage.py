"""(b) The endpoint and rules of the service, with an inbox that stores nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from app.callback.handovers import Handovers
from app.callback.inbox import Inbox
from app.callback.record import Record, StoredResult
from app.callback.refusal_counts import RefusalCounts
from app.callback.router import CallbackEndpoint
from app.callback.sending import Sending
from app.clock import SystemClock
from app.db.engine import open_database
from app.main import CallbackBypass
from app.ops import gc_tuning
from app.replies.open_windows import OpenWindows
from app.replies.send_windows import limits_from
from app.rules.follower_reader import FollowerFacts
from app.rules.live import LiveRules
from app.settings import load_settings
from app.wechat_client.problems import ApiProblems


class Forgetful(Inbox):
    """An inbox that reports every callback as stored."""

    def __init__(self) -> None:
        """Open nothing."""

    async def keep(self, record: Record) -> StoredResult:
        """Return the result of a first copy of a callback."""
        return StoredResult(record.passive)


def build() -> ASGIApp:
    """Return the application; uvicorn calls this. The rules are read once, at the start."""
    settings = load_settings()
    database = open_database(settings.database_url)
    rules = LiveRules(database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await rules.load_once()
        await database.close()
        gc_tuning.freeze_heap()
        yield

    app = FastAPI(lifespan=lifespan)
    endpoint = CallbackEndpoint(
        settings,
        inbox=Forgetful(),
        rules=rules,
        facts=FollowerFacts(settings.database_url),
        clock=SystemClock(),
        sending=Sending(
            limits_from(settings),
            Handovers(database.sessions, settings.queued_reply_delay),
            ApiProblems(database.sessions, SystemClock(), logs=False),
            OpenWindows(database.brief, limits_from(settings)),
        ),
        refusals=RefusalCounts(database.sessions, SystemClock()),
    )
    return CallbackBypass(endpoint, app)
