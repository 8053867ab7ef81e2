"""SQL of thresholds: what operators have set, over the defaults. The audit log has every change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.alarms.errors import BadThreshold
from app.alarms.kinds import KINDS, AlarmKind, Unit
from app.alarms.models import AlarmThreshold
from app.alarms.threshold import Threshold, require, tag_of
from app.settings import Account

ALL_ACCOUNTS = ""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All thresholds that operators have set, by kind and AppID; empty: of all accounts."""

    by_kind: Mapping[tuple[str, str], Threshold]

    def of(self, kind: AlarmKind, appid: str) -> Threshold:
        """Return the threshold of an account: its own, else that of all, else the default."""
        own = self.by_kind.get((kind, appid))
        return own or self.by_kind.get((kind, ALL_ACCOUNTS)) or Threshold()

    def tag(self, kind: AlarmKind, appid: str) -> str:
        """Return the ETag of what is set for an account, or for all."""
        return tag_of(self.by_kind.get((kind, appid)))

    def limit(self, kind: AlarmKind, appid: str, usual: float | None) -> float | None:
        """Return from which figure on there is an alarm; None: there is none.

        usual: what is usual for the account, for kinds whose default that is.
        """
        threshold = self.of(kind, appid)
        if not threshold.enabled:
            return None
        if threshold.value is not None:
            return threshold.value
        default = KINDS[kind].default
        return usual if default is None else default


async def read(session: AsyncSession) -> Thresholds:
    """Return what operators have set."""
    rows = await session.scalars(select(AlarmThreshold))
    return Thresholds({(row.kind, row.appid): Threshold(row.enabled, row.value) for row in rows})


async def read_to_change(session: AsyncSession) -> Thresholds:
    """Return what operators have set; it stays until the end of the transaction."""
    # A row lock would not hold a threshold that is not set yet. Readers do not wait for this one.
    await session.execute(text("LOCK TABLE alarm_thresholds IN SHARE ROW EXCLUSIVE MODE"))
    return await read(session)


async def put(
    session: AsyncSession,
    actor: Actor,
    kind: AlarmKind,
    appid: str,
    threshold: Threshold,
    now: datetime,
    *,
    if_match: str | None = None,
) -> Threshold | None:
    """Set a threshold that was checked; return what was set before. appid: empty for all accounts.

    if_match: tags of what may be replaced, see `threshold.require`. Raises StaleThreshold.
    """
    values = {"enabled": threshold.enabled, "value": threshold.value, "updated_at": now}
    before = (await read_to_change(session)).by_kind.get((kind, appid))
    require(if_match, before)
    statement = insert(AlarmThreshold).values(kind=kind.value, appid=appid, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["kind", "appid"], set_=values)
    )
    await audit.record(
        session,
        actor,
        Action.ALARM_THRESHOLD_CHANGED,
        subject_of(kind, appid),
        before=_shown(before),
        after=_shown(threshold),
        now=now,
    )
    return before


async def remove(
    session: AsyncSession,
    actor: Actor,
    kind: AlarmKind,
    appid: str,
    now: datetime,
    *,
    if_match: str | None = None,
) -> Threshold | None:
    """Let the default hold again, or the threshold of all accounts; return what was set.

    if_match: tags of what may be removed, see `threshold.require`. Raises StaleThreshold.
    """
    before = (await read_to_change(session)).by_kind.get((kind, appid))
    if before is None:
        return None
    require(if_match, before)
    await session.execute(
        delete(AlarmThreshold).where(
            AlarmThreshold.kind == kind.value, AlarmThreshold.appid == appid
        )
    )
    await audit.record(
        session,
        actor,
        Action.ALARM_THRESHOLD_CHANGED,
        subject_of(kind, appid),
        before=_shown(before),
        after=_shown(None),
        now=now,
    )
    return before


def subject_of(kind: AlarmKind, appid: str) -> Subject:
    """Return a threshold as the subject of an audit entry."""
    return Subject(SubjectKind.ALARM_THRESHOLD, f"{kind.value} {appid}".rstrip())


def check(
    kind: AlarmKind, appid: str, threshold: Threshold, accounts: Mapping[str, Account]
) -> None:
    """Check what is to be set. Pure. Raises BadThreshold."""
    words = KINDS[kind]
    if appid and not words.by_account:
        raise BadThreshold("appid", f"{kind} is about all accounts together: leave appid out")
    account = accounts.get(appid)
    if appid and (account is None or account.kind != "oa"):
        raise BadThreshold("appid", f"{appid} is no Official Account of the settings")
    if threshold.value is None:
        return
    if words.unit is Unit.FAULT:
        raise BadThreshold("value", f"{kind} has no threshold: leave value out")
    if not words.least <= threshold.value <= words.most:
        raise BadThreshold("value", f"must be from {words.least:g} to {words.most:g}")


def listed(thresholds: Thresholds) -> list[tuple[AlarmKind, str, Threshold]]:
    """Return the threshold of each kind, and below it those that accounts have of their own."""
    found = []
    for kind in KINDS:
        found.append((kind, ALL_ACCOUNTS, thresholds.of(kind, ALL_ACCOUNTS)))
        own = sorted(appid for key, appid in thresholds.by_kind if key == kind and appid)
        found += [(kind, appid, thresholds.of(kind, appid)) for appid in own]
    return found


def _shown(threshold: Threshold | None) -> str:
    if threshold is None:
        return "default"
    value = "default" if threshold.value is None else f"{threshold.value:g}"
    return value if threshold.enabled else f"off ({value})"
