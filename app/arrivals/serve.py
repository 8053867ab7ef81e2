"""What a web process needs for arrivals."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from starlette.datastructures import State

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.arrivals.commit_reports import ReportCommitter
from app.db.engine import SessionFactory
from app.tombstones.erasure_secret import erasure_secret

# Of one hour, in the memory of a process; more reporters only cost a query each.
MAX_NOTED: Final = 1_000


@dataclass(slots=True)
class ReporterAudit:
    """Notes in the audit log once an hour who reports for which mini-programs.

    A mini-program's backend reports all the time: what this process has noted costs no query.
    """

    sessions: SessionFactory
    _noted: set[tuple[str, str | None, str, datetime]] = field(default_factory=set)

    async def note(self, actor: Actor, appids: set[str], now: datetime) -> None:
        """Add an entry, unless this hour has it."""
        subject = Subject(SubjectKind.ACCOUNT, " ".join(sorted(appids)))
        hour = now.replace(minute=0, second=0, microsecond=0)
        key = (actor.name, actor.address, subject.id, hour)
        if key in self._noted:
            return
        async with self.sessions.begin() as session:
            await audit.record_hourly(session, actor, Action.ARRIVALS_REPORTED, subject, now=now)
        if len(self._noted) >= MAX_NOTED:
            self._noted.clear()
        self._noted.add(key)


def serve_arrivals(state: State) -> None:
    """Set `report_committer` and `reporter_audit` of the state."""
    sessions: SessionFactory = state.database.sessions
    state.report_committer = ReportCommitter(sessions, erasure_secret(state.settings))
    state.reporter_audit = ReporterAudit(sessions)
