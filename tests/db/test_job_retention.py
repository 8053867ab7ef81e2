"""What PgQueuer logs of jobs goes after a day."""

from datetime import timedelta

import asyncpg
import pytest

from app.db import job_retention
from app.worker import Jobs
from tests.service import clock, column, jobs, settings, wechat

__all__ = ["clock", "jobs", "settings", "wechat"]

LOGGED = """
INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint, traceback, aggregated)
VALUES ($1, $2, 'successful', 0, 'replies.deliver', $3::jsonb, $4)
"""
COUNTED = """
INSERT INTO pgqueuer_statistics (created, count, priority, status, entrypoint)
VALUES ($1, $2, 0, 'successful', 'replies.deliver')
"""


async def test_the_log_and_the_figures_of_jobs_go_after_a_day_however_many_they_are(
    jobs: Jobs, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_retention, "MAX_AT_ONCE", 2)
    now = jobs.clock.now()
    for minutes in range(5):
        at = now - timedelta(days=1, minutes=minutes + 1)
        await connection.execute(LOGGED, at, 1, None, True)
        await connection.execute(COUNTED, at, 1)
    await connection.execute(LOGGED, now - timedelta(hours=23), 2, None, True)
    await connection.execute(COUNTED, now - timedelta(hours=23), 2)

    await jobs.sweep()

    assert await column(connection, "SELECT job_id FROM pgqueuer_log") == [2]
    assert await column(connection, "SELECT count FROM pgqueuer_statistics") == [2]


async def test_what_nobody_has_counted_goes_as_well_and_tracebacks_stay_longer(
    jobs: Jobs, connection: asyncpg.Connection
) -> None:
    old = jobs.clock.now() - timedelta(days=2)
    await connection.execute(LOGGED, old, 1, None, False)
    await connection.execute(LOGGED, old, 2, '{"exception_message": "why"}', True)

    await jobs.sweep()

    assert await column(connection, "SELECT job_id FROM pgqueuer_log") == [2]


HELD = """
INSERT INTO pgqueuer (priority, entrypoint, execute_after, status, dedupe_key, updated)
VALUES (0, 'replies.deliver', now(), 'failed', $1, $2) RETURNING id
"""


async def test_held_jobs_of_one_piece_of_work_do_not_pile_up(
    jobs: Jobs, connection: asyncpg.Connection
) -> None:
    now = jobs.clock.now()
    held = [await connection.fetchval(HELD, "one", now) for _ in range(5)]
    other = await connection.fetchval(HELD, "other", now - timedelta(days=6))
    unkeyed = [await connection.fetchval(HELD, None, now) for _ in range(2)]
    await connection.fetchval(HELD, "old", now - timedelta(days=8))

    await jobs.sweep()

    left = await column(connection, "SELECT id FROM pgqueuer WHERE status = 'failed' ORDER BY id")
    assert left == [held[-1], other, *unkeyed]
