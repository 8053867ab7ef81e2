"""Decides for each part of the service, and for all, whether it can receive callbacks. Pure.

It can while it has rules and a place to store callbacks: a migrated database or, while the database
is unavailable, a spool that is not full. All other problems, also of WeChat's API, give `degraded`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, Literal

from app.api_model import ApiModel
from app.callback.spool import SpoolStatus
from app.clock import Other, is_too_large
from app.ops.database_state import Snapshot, TokenTimes
from app.rules.matching.rule_set import RuleSet

QUEUE_AGE_LIMIT_SECONDS: Final = 300
MAX_NAMED: Final = 10


class Status(StrEnum):
    """degraded: it works, but an operator should look at it."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"


class Part(ApiModel):
    """The state of one part of the service."""

    status: Status
    """Its state."""
    detail: str
    """The state in one sentence."""


class RulesPart(Part):
    """Rules."""

    version: int | None = None
    """The number of changes; it is equal in all processes that are up to date."""
    count: int = 0
    """How many rules are in use."""


class SpoolPart(Part):
    """Spool."""

    enabled: bool
    """Whether it is switched on."""
    count: int
    """Callbacks on disk that are not in the database yet."""
    limit: int
    """The most callbacks that it takes."""
    refusing: bool
    """Whether it takes no more."""


class QueuePart(Part):
    """Queue."""

    oldest_due_seconds: float | None = None
    """How long the oldest due job has waited; null while the database can't be read."""


class Token(ApiModel):
    """The state of one access token."""

    state: Literal["valid", "expired", "missing", "unknown"]
    """Whether it can be used."""
    expires_in: int | None = None
    """Its remaining life in whole seconds."""


class TokensPart(Part):
    """Access tokens."""

    accounts: dict[str, Token]
    """By AppID, all accounts that have an AppSecret."""


class UnionIdsPart(Part):
    """UnionIDs."""

    accounts: dict[str, Literal["bound", "not_bound", "unknown"]]
    """Official Accounts by AppID. not_bound: no Open Platform account, which is allowed."""


class ClockPart(Part):
    """This machine's clock."""

    ahead_seconds: dict[str, float]
    """How far it is ahead of other clocks, by name; negative: behind."""


class Parts(ApiModel):
    """All parts that readiness checks."""

    database: Part
    """The database."""
    migrations: Part
    """The schema of the database."""
    rules: RulesPart
    """The rules in memory."""
    spool: SpoolPart
    """The store of callbacks on disk."""
    queue: QueuePart
    """The queue of jobs."""
    tokens: TokensPart
    """The access tokens."""
    unionids: UnionIdsPart
    """Whether WeChat gives UnionIDs."""
    clock: ClockPart
    """The clock of this machine."""

    def each(self) -> Iterable[Part]:
        """Return the parts in order."""
        return (getattr(self, name) for name in type(self).model_fields)


class Readiness(ApiModel):
    """The state of the service."""

    status: Status
    """`failed` (503): it can't receive callbacks now."""
    parts: Parts
    """The state of each part."""


class PartStatus(ApiModel):
    """The status of one part of the service, without details."""

    status: Status
    """Its state."""


class StatusOnly(ApiModel):
    """The state of the service for a caller without a token: it names no account and no rule."""

    status: Status
    """`failed` (503): it can't receive callbacks now."""
    parts: dict[str, PartStatus]
    """The state of each part, by its name."""


def status_only(full: Readiness) -> StatusOnly:
    """Return the state without details."""
    parts = {name: getattr(full.parts, name).status for name in type(full.parts).model_fields}
    return StatusOnly(
        status=full.status,
        parts={name: PartStatus(status=status) for name, status in parts.items()},
    )


def overall(parts: Parts) -> Status:
    """Return failed if no callback can be stored, else degraded if any part is not ok."""
    if parts.spool.refusing:
        receives = False
    elif parts.database.status is Status.OK:
        receives = Status.FAILED not in (parts.migrations.status, parts.rules.status)
    else:
        # Rules that are not loaded do not matter here: callbacks are spooled without a decision,
        # which is made later.
        receives = parts.spool.enabled and parts.spool.status is not Status.FAILED
    if not receives:
        return Status.FAILED
    complete = all(part.status is Status.OK for part in parts.each())
    return Status.OK if complete else Status.DEGRADED


def database(up: bool) -> Part:
    """Check the database."""
    if up:
        return Part(status=Status.OK, detail="answers")
    return Part(status=Status.FAILED, detail="does not answer within 1 s")


def migrations(current: str | None, head: str | None, known: Iterable[str]) -> Part:
    """Check the schema. current: revision of the database. head, known: revisions of this code."""
    # A newer schema is allowed: during a release old code runs on it, and must stay in service.
    if current == head:
        return Part(status=Status.OK, detail=f"at {head}")
    if current is not None and current not in known:
        return Part(status=Status.DEGRADED, detail=f"database at {current}, newer than {head}")
    return Part(
        status=Status.FAILED, detail=f"database at {current}, needs {head}: run oa-bridge migrate"
    )


def rules(current: RuleSet | None, copy_age: float | None = None) -> RulesPart:
    """Check the rules in memory. An empty set is ok.

    degraded: enabled rules are left out, a newer version does not compile, or the rules are those
    of the copy on disk. copy_age: in seconds; None: they are the database's.
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
    if copy_age is not None:
        detail += (
            f"; from the copy on disk, saved {copy_age:.0f} s ago: no database since the start"
        )
    complete = not current.left_out and current.newer_rejected is None and copy_age is None
    status = Status.OK if complete else Status.DEGRADED
    return RulesPart(status=status, detail=detail, version=current.version, count=count)


def spool(found: SpoolStatus) -> SpoolPart:
    """Check the spool, whose callbacks wait for the database."""
    if found.refusing:
        status = Status.FAILED
        detail = "callbacks are refused: neither the database nor the spool can store them"
    elif not found.enabled:
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
        refusing=found.refusing,
    )


def queue(state: Snapshot | None) -> QueuePart:
    """Check the oldest due job: if it waits for long, the workers do not keep up."""
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
    """Check the access tokens of the accounts that have an AppSecret."""
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
    """Report which OAs get UnionIDs. bindings: AppID → bound to an Open Platform account."""
    accounts: dict[str, Literal["bound", "not_bound", "unknown"]] = {
        appid: "unknown" if bound is None else "bound" if bound else "not_bound"
        for appid, bound in bindings.items()
    }
    unbound = [appid for appid, bound in accounts.items() if bound == "not_bound"]
    detail = f"no Open Platform account, so no UnionIDs: {', '.join(unbound)}" if unbound else ""
    return UnionIdsPart(status=Status.OK, detail=detail, accounts=accounts)


def clock(differences: Mapping[Other, float]) -> ClockPart:
    """Check this machine's clock. differences: how far it is ahead of others, in seconds."""
    wrong = {name: seconds for name, seconds in differences.items() if is_too_large(seconds)}
    told = [
        f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} that of {name}"
        for name, seconds in wrong.items()
    ]
    return ClockPart(
        status=Status.DEGRADED if wrong else Status.OK,
        detail=f"this machine's clock is {', '.join(told)}: check NTP on all machines"
        if told
        else "agrees"
        if differences
        else "not compared yet",
        ahead_seconds={name: round(seconds, 1) for name, seconds in differences.items()},
    )
