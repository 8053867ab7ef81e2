"""The doctor of one process: reads the facts, and says what is wrong and what to do about it."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from app.callback.spool import SpoolStatus
from app.clock import DIFFERENCES, Clock
from app.db.engine import Database
from app.doctor import store
from app.doctor.checks.registry import judge
from app.doctor.facts import Local
from app.doctor.finding import Finding, State
from app.doctor.gather import Sources, gather
from app.doctor.rules_reader import RulesReader
from app.settings import Settings

ReadLocal = Callable[[], Local]
# Pages and `/api` show what was found so long ago, since reading all the facts takes its time.
FRESH_FOR: Final = timedelta(seconds=3)


@dataclass(slots=True)
class _Latest:
    """What was found last, and when. One reading serves all who wait for it."""

    at: datetime | None = None
    findings: list[Finding] = field(default_factory=list)
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Doctor:
    """Examines the whole link. read_local: None in a process whose machine does not matter.

    _seen: check and account → the state that this process has found since then, while the database
    can't hold it.
    """

    sources: Sources
    read_local: ReadLocal | None = None
    _latest: _Latest = field(default_factory=_Latest)
    _seen: dict[tuple[str, str | None], tuple[State, datetime]] = field(default_factory=dict)

    async def recent_findings(self) -> list[Finding]:
        """Return what every check finds, or found less than FRESH_FOR ago in this process."""
        latest, clock = self._latest, self.sources.clock
        async with latest.reading:
            if latest.at is None or not timedelta() <= clock.now() - latest.at < FRESH_FOR:
                latest.findings = await self.findings()
                latest.at = clock.now()
        return latest.findings

    async def findings(self) -> list[Finding]:
        """Return what every check finds now, in the order of the checks.

        It asks the database alone, on connections of its own, so it is not called in a transaction.
        What WeChat says comes from the latest probes. Nothing is raised: what can't be read is a
        finding.
        """
        local = None if self.read_local is None else await asyncio.to_thread(self.read_local)
        facts = await gather(self.sources, local)
        found = judge(facts)
        if facts.shared is None:
            return self._with_since(found, facts.now)
        self._seen.clear()
        return await store.with_since(self.sources.database.sessions, found, facts.now)

    def _with_since(self, findings: list[Finding], now: datetime) -> list[Finding]:
        told = []
        for finding in findings:
            key = finding.check, finding.appid
            state, since = self._seen.get(key, (finding.state, now))
            since = since if state is finding.state else now
            self._seen[key] = finding.state, since
            told.append(replace(finding, since=finding.since or since))
        return told


def make_doctor(
    settings: Settings, database: Database, clock: Clock, read_local: ReadLocal | None = None
) -> Doctor:
    """Return the doctor of this process."""
    return Doctor(Sources(settings, database, clock, RulesReader(settings, clock)), read_local)


def local_facts(folder: Path, spool: SpoolStatus | None) -> Local:
    """Return the facts of this machine and process. folder: DATA_DIR."""
    try:
        free: int | None = shutil.disk_usage(folder).free
    except OSError:
        free = None
    return Local(spool, free, dict(DIFFERENCES.seconds))
