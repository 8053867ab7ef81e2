"""Clears contents that are older than RETENTION_DAYS, in batches."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from app.arrivals import erase as arrivals
from app.db import job_erasure as tracebacks
from app.db.engine import SessionFactory
from app.notices import erase as notices
from app.privacy.inbox_protocol import Inbox
from app.replies import erase as replies
from app.tags import erase as tags

Pause = Callable[[float], Awaitable[None]]

RETENTION_BATCH: Final = 1000
# Callbacks arrive meanwhile: after a batch the database is theirs alone for this many times as long
# as the batch took.
REST: Final = 3
# A run clears at most so many batches of each table; the next run is a minute later.
MAX_BATCHES: Final = 100


async def retain(
    sessions: SessionFactory, inbox: Inbox, before: datetime, pause: Pause = asyncio.sleep
) -> int:
    """Clear payloads, contents of replies and notices, pages and tracebacks from before `before`.

    Whom WeChat refused to tag is forgotten, too. Returns how many. Each batch is a transaction;
    rows that are locked are left to the next run. pause: takes seconds; it is called between two
    batches, for REST times as long as the first of them took.
    """
    cleared = 0
    for erase_older in (
        inbox.erase_older,
        replies.erase_older,
        notices.erase_older,
        tags.erase_older,
        arrivals.erase_older,
        tracebacks.erase_older,
    ):
        for _ in range(MAX_BATCHES):
            began = time.monotonic()
            async with sessions.begin() as session:
                found = await erase_older(session, before, RETENTION_BATCH)
            cleared += found
            if found < RETENTION_BATCH:
                break
            await pause(REST * (time.monotonic() - began))
    return cleared
