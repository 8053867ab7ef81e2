"""SQL of the doctor's tables, and since when each finding is as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.brief import brief_transaction
from app.db.engine import SessionFactory
from app.doctor.finding import Finding, State, verdict
from app.doctor.models import DoctorFinding, DoctorProbe, EndedFault
from app.ops.database_state import DATABASE_ERRORS

RUN: Final = "run"
# A finding is shown often and seldom changes: its row is written so often.
WRITE_AGAIN: Final = timedelta(minutes=5)
# Of a check or an account that is not there any more.
FORGOTTEN_AFTER: Final = timedelta(days=30)
# A chart has up to 366 days.
ENDED_KEPT: Final = timedelta(days=400)

log = structlog.get_logger(__name__)

_Key = tuple[str, str]


async def save_probe(
    session: AsyncSession, appid: str, probe: str, result: Mapping[str, Any], now: datetime
) -> None:
    """Store a result in place of the one before."""
    values = {"checked_at": now, "result": dict(result)}
    statement = insert(DoctorProbe).values(appid=appid, probe=probe, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["appid", "probe"], set_=values)
    )


async def last_run(session: AsyncSession) -> datetime | None:
    """Return when the probes last began; None: never."""
    found: datetime | None = await session.scalar(
        select(DoctorProbe.checked_at).where(DoctorProbe.appid == "", DoctorProbe.probe == RUN)
    )
    return found


async def with_since(
    sessions: SessionFactory, findings: Sequence[Finding], now: datetime
) -> list[Finding]:
    """Return the findings with the time since when each is in its state, and store what changed.

    Several findings of one check and account count as one, with the worst state. Without the
    database they are returned as they are.
    """
    states = _states(findings)
    try:
        async with brief_transaction(sessions) as session:
            known = {
                (row.check, row.appid): row for row in await session.scalars(select(DoctorFinding))
            }
            since = {
                key: known[key].since if key in known and known[key].state == state else now
                for key, state in states.items()
            }
            for key in sorted(states):
                row = known.get(key)
                if row is not None and row.state == State.FAULT and states[key] is not State.FAULT:
                    await _keep_ended(session, row, now)
                if row is None or row.state != states[key] or now - row.checked_at >= WRITE_AGAIN:
                    await _save(session, key, states[key], since[key], now)
            await session.execute(
                delete(DoctorFinding).where(DoctorFinding.checked_at < now - FORGOTTEN_AFTER)
            )
            await session.execute(delete(EndedFault).where(EndedFault.since < now - ENDED_KEPT))
    except DATABASE_ERRORS as error:
        log.warning("doctor.findings_not_stored", error=type(error).__name__)
        return list(findings)
    _log_changes(findings, {key: row.state for key, row in known.items()})
    return [replace(finding, since=finding.since or since[_key(finding)]) for finding in findings]


async def _save(
    session: AsyncSession, key: _Key, state: State, since: datetime, now: datetime
) -> None:
    check, appid = key
    values = {"state": state.value, "since": since, "checked_at": now}
    statement = insert(DoctorFinding).values(check=check, appid=appid, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["check", "appid"], set_=values)
    )


async def _keep_ended(session: AsyncSession, row: DoctorFinding, now: datetime) -> None:
    """Keep a fault that is over; another process may have done so."""
    ended = {"check": row.check, "appid": row.appid, "since": row.since, "until": now}
    await session.execute(insert(EndedFault).values(ended).on_conflict_do_nothing())


def _states(findings: Sequence[Finding]) -> dict[_Key, State]:
    found: dict[_Key, list[Finding]] = {}
    for finding in findings:
        found.setdefault(_key(finding), []).append(finding)
    return {
        key: State.NOT_APPLICABLE
        if all(one.state is State.NOT_APPLICABLE for one in several)
        else verdict(several)
        for key, several in found.items()
    }


def _key(finding: Finding) -> _Key:
    return finding.check, finding.appid or ""


def _log_changes(findings: Sequence[Finding], before: Mapping[_Key, str]) -> None:
    for finding in findings:
        earlier = before.get(_key(finding))
        if finding.fix is not None and earlier != finding.state.value:
            log.warning(
                "doctor.found",
                check=finding.check,
                appid=finding.appid,
                state=finding.state.value,
                what=finding.what.en,
                fix=finding.fix.en,
            )
