"""Reads what the doctor finds."""

import asyncpg

from app.doctor.doctor import FRESH_FOR
from app.doctor.finding import Finding, State
from tests.service import Json, Service


async def examine(service: Service) -> dict[str, Json]:
    """Return what `/api/doctor` finds: by check, the worst finding of each."""
    service.clock.advance(FRESH_FOR)  # past what the process remembers
    answer = await service.read("doctor")
    order = [state.value for state in (State.FAULT, State.LOOK, State.OK, State.NOT_APPLICABLE)]
    found: dict[str, Json] = {}
    for finding in sorted(answer["findings"], key=lambda one: order.index(one["state"])):
        found.setdefault(finding["check"], finding)
    return found


def says(finding: Json, state: str, *words: str) -> None:
    """Make sure of a finding's state, and that what and fix hold these words in both languages."""
    assert finding["state"] == state, finding
    for language in ("en", "zh"):
        told = f"{finding['what'][language]} {finding['fix'][language]}"
        for word in words:
            assert word in told, (word, told)


def one(findings: list[Finding], check: str) -> Finding:
    """Return the only finding of a check."""
    (found,) = [finding for finding in findings if finding.check == check]
    return found


async def beat(connection: asyncpg.Connection, ago: str = "0 s") -> None:
    """Let a worker have been seen some time ago."""
    await connection.execute(
        "INSERT INTO worker_heartbeats "
        "VALUES (gen_random_uuid(), now(), now() - $1::text::interval)",
        ago,
    )
