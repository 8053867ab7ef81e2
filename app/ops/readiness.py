"""Judges, part by part, whether the service can receive callbacks. Pure.

It can as long as it has rules and somewhere to store: a migrated database, or, while the
database is away, a spool with room. Whatever else ails it, WeChat's API included, only degrades.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel

from app.callback.spool import SpoolStatus
from app.ops.database_state import Snapshot, TokenTimes
from app.rules.matching.rule_set import RuleSet

QUEUE_AGE_LIMIT_SECONDS: Final = 300
MAX_NAMED: Final = 10


class Status(StrEnum):
    """degraded: works, but an operator should look."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


class Part(BaseModel):
    """One part of the service."""

    status: Status
    detail: str


class RulesPart(Part):
    """version: counts the changes of the rules, the same in every process that is up to date."""

    version: int | None = None
    count: int = 0


class SpoolPart(Part):
    """count: callbacks on disk that the database has not got yet."""

    enabled: bool
    count: int
    limit: int


class QueuePart(Part):
    """oldest_due_seconds: null when the database can't tell."""

    oldest_due_seconds: float | None = None


class Token(BaseModel):
    """State of one access token; expires_in in whole seconds."""

    state: Literal["valid", "expired", "missing", "unknown"]
    expires_in: int | None = None


class TokensPart(Part):
    """accounts: by AppID, those that have an AppSecret."""

    accounts: dict[str, Token]


class UnionIdsPart(Part):
    """accounts: OAs by AppID. not_bound: without an Open Platform account, a normal state."""

    accounts: dict[str, Literal["bound", "not_bound", "unknown"]]


class Parts(BaseModel):
    """Everything that readiness looks at."""

    database: Part
    migrations: Part
    rules: RulesPart
    spool: SpoolPart
    queue: QueuePart
    tokens: TokensPart
    unionids: UnionIdsPart

    def each(self) -> Iterable[Part]:
        """Return the parts in order."""
        return (getattr(self, name) for name in type(self).model_fields)


class Readiness(BaseModel):
    """failed (503): can't receive callbacks now."""

    status: Status
    parts: Parts


def overall(parts: Parts) -> Status:
    """Return failed when no callback could be stored, degraded when any part is not ok."""
    if parts.database.status is Status.OK:
        receives = Status.FAILED not in (parts.migrations.status, parts.rules.status)
    else:
        # Rules that could not be read yet are no reason to turn callbacks away: they are spooled
        # undecided and decided later.
        receives = parts.spool.enabled and parts.spool.status is not Status.FAILED
    if not receives:
        return Status.FAILED
    whole = all(part.status is Status.OK for part in parts.each())
    return Status.OK if whole else Status.DEGRADED


def database(up: bool) -> Part:
    """Judge the database."""
    if up:
        return Part(status=Status.OK, detail="answers")
    return Part(status=Status.FAILED, detail="does not answer within 1 s")


def migrations(current: str | None, head: str | None, known: Iterable[str]) -> Part:
    """Judge the schema. current: revision of the database. known: revisions this code has.

    A newer schema is fine: during a release old code runs on it, and must stay in service.
    """
    if current == head:
        return Part(status=Status.OK, detail=f"at {head}")
    if current is not None and current not in known:
        return Part(status=Status.DEGRADED, detail=f"database at {current}, newer than {head}")
    return Part(
        status=Status.FAILED, detail=f"database at {current}, needs {head}: run oa-bridge migrate"
    )


def rules(current: RuleSet | None) -> RulesPart:
    """Judge the rules in memory; an empty set is a set.

    degraded while enabled rules are left out, or a newer version does not compile.
    """
    if current is None:
        return RulesPart(status=Status.FAILED, detail="not loaded yet")
    count = current.count
    detail = f"{count} loaded, version {current.version}"
    if current.left_out:
        ids = ", ".join(map(str, current.left_out[:MAX_NAMED]))
        detail += f"; {len(current.left_out)} left out as they can't be used: {ids}"
    if current.newer_rejected is not None:
        detail += f"; version {current.newer_rejected} does not compile, see the log"
    whole = not current.left_out and current.newer_rejected is None
    status = Status.OK if whole else Status.DEGRADED
    return RulesPart(status=status, detail=detail, version=current.version, count=count)


def spool(found: SpoolStatus) -> SpoolPart:
    """Judge the spool; anything in it waits for the database."""
    if not found.enabled:
        status, detail = Status.OK, "switched off"
    elif found.full:
        status, detail = Status.FAILED, f"full with {found.count} callbacks"
    elif found.dead_letters:
        status = Status.DEGRADED
        detail = f"{found.dead_letters} callbacks that the database can't hold are set aside"
    elif found.count:
        status, detail = Status.DEGRADED, f"{found.count} callbacks wait for the database"
    else:
        status, detail = Status.OK, "empty"
    return SpoolPart(
        status=status,
        detail=detail,
        enabled=found.enabled,
        count=found.count,
        limit=found.limit,
    )


def queue(state: Snapshot | None) -> QueuePart:
    """Judge by the oldest due job whether workers keep up."""
    if state is None:
        return QueuePart(status=Status.DEGRADED, detail="can't be read")
    age = max(state.queue_ages.values(), default=0.0)
    late = age > QUEUE_AGE_LIMIT_SECONDS
    return QueuePart(
        status=Status.DEGRADED if late else Status.OK,
        detail=f"oldest due job waits {age:.0f} s" + (": is a worker running?" if late else ""),
        oldest_due_seconds=age,
    )


def tokens(appids: Iterable[str], state: Snapshot | None) -> TokensPart:
    """Judge the access tokens of the accounts that have an AppSecret."""
    accounts = {
        appid: Token(state="unknown") if state is None else _token(state.tokens.get(appid))
        for appid in appids
    }
    bad = [f"{appid}: {token.state}" for appid, token in accounts.items() if token.state != "valid"]
    return TokensPart(
        status=Status.DEGRADED if bad else Status.OK,
        detail=", ".join(bad) or f"{len(accounts)} valid",
        accounts=accounts,
    )


def _token(times: TokenTimes | None) -> Token:
    if times is None:
        return Token(state="missing")
    state: Literal["valid", "expired"] = "valid" if times.expires_in > 0 else "expired"
    return Token(state=state, expires_in=int(times.expires_in))


def unionids(bindings: Mapping[str, bool | None]) -> UnionIdsPart:
    """Show which OAs yield UnionIDs. bindings: AppID → bound to an Open Platform account."""
    accounts: dict[str, Literal["bound", "not_bound", "unknown"]] = {
        appid: "unknown" if bound is None else "bound" if bound else "not_bound"
        for appid, bound in bindings.items()
    }
    unbound = [appid for appid, bound in accounts.items() if bound == "not_bound"]
    detail = f"no Open Platform account, so no UnionIDs: {', '.join(unbound)}" if unbound else ""
    return UnionIdsPart(status=Status.OK, detail=detail, accounts=accounts)
