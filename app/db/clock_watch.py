"""Compares this machine's clock with the database's, and sets the service's clock by that one."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import metrics
from app.clock import DIFFERENCES, Clock, SystemClock
from app.db.engine import UNAVAILABLE_ERRORS, Database

EVERY_SECONDS: Final = 10.0
# A slower answer says too little about the present.
MAX_ANSWER_SECONDS: Final = 1.0

_NOW: Final = text("SELECT clock_timestamp()")


async def compare(database: Database, clock: Clock) -> None:
    """Set the clock by the database's. If that does not answer in time, the clock goes on."""
    if not isinstance(clock, SystemClock):
        return
    try:
        async with asyncio.timeout(MAX_ANSWER_SECONDS):
            moment = await _database_now(database)
    except (*UNAVAILABLE_ERRORS, SQLAlchemyError):
        return
    ahead = (clock.machine() - moment).total_seconds()
    DIFFERENCES.record("database", ahead)
    metrics.CLOCK_DIFFERENCE.labels("database").set(ahead)
    clock.set(moment)


async def _database_now(database: Database) -> datetime:
    async with database.engine.connect() as connection:
        await connection.execute(_NOW)  # connects, so that the next statement is fast
        began = time.monotonic()
        moment: datetime = (await connection.execute(_NOW)).scalar_one()
        return moment + timedelta(seconds=(time.monotonic() - began) / 2)


@asynccontextmanager
async def following_database(database: Database, clock: Clock) -> AsyncIterator[None]:
    """Compare the clocks at once, and every EVERY_SECONDS while the block runs."""
    await compare(database, clock)
    comparing = asyncio.create_task(_compare_forever(database, clock))
    try:
        yield
    finally:
        comparing.cancel()
        await asyncio.gather(comparing, return_exceptions=True)


async def _compare_forever(database: Database, clock: Clock) -> None:
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        await compare(database, clock)
