"""Runs a command about operators, tokens or QR codes in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.errors import AccessError
from app.cli.database import UNUSABLE, opened, why_unusable
from app.cli.errors import CommandFailed
from app.clock import Clock, SystemClock
from app.db.clock_watch import compare
from app.db.engine import Database
from app.ops import logging
from app.settings import Settings, load_settings

FAILED: Final = 1

T = TypeVar("T")
Work = Callable[[AsyncSession, datetime], Awaitable[T]]
DatabaseWork = Callable[[Database, Clock], Awaitable[T]]


def settings_of_command() -> Settings:
    """Return the settings, with logging set up. Raises SettingsError."""
    settings = load_settings()
    logging.configure(settings)
    return settings


def run(settings: Settings, work: Work[T]) -> T:
    """Return what `work` returns, committed. If it fails, print why and exit with status FAILED."""

    async def in_one_transaction(database: Database, clock: Clock) -> T:
        async with database.sessions.begin() as session:
            return await work(session, clock.now())

    return run_on_database(settings, in_one_transaction)


def run_on_database(settings: Settings, work: DatabaseWork[T]) -> T:
    """Do the same for work with transactions of its own."""
    try:
        return asyncio.run(_run(settings, work))
    except (AccessError, CommandFailed) as error:
        typer.echo(f"oa-bridge: {error}", err=True)
    except UNUSABLE as error:
        typer.echo(f"oa-bridge: {why_unusable(error)}", err=True)
    raise typer.Exit(FAILED)


def shown(moment: datetime | None, otherwise: str) -> str:
    """Return a time as commands print it, in UTC to the minute."""
    return otherwise if moment is None else f"{moment:%Y-%m-%d %H:%M}Z"


async def _run(settings: Settings, work: DatabaseWork[T]) -> T:
    async with opened(settings) as database:
        clock = SystemClock()
        await compare(database, clock)
        return await work(database, clock)
