"""Decides for each part of the service, and for all, whether it can receive callbacks. Pure.

It can while it has rules and a place to store callbacks: a migrated database or, while the database
is unavailable, a spool that is not full. All other problems, also of WeChat's API, give `degraded`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Final, Literal

from app.api_model import ApiModel
from app.callback.spool import SpoolStatus
from app.clock import Other, is_too_large
from app.db.diagnosis import NEVER_MIGRATED
from app.ops.database_state import ABSENT_SECONDS, Problem, Snapshot, TokenTimes
from app.ops.stored_secrets import StoredSecrets
from app.rules.matching.rule_set import RuleSet
from app.secret_box import WRONG_KEY
from app.wechat.errcodes import explain
from app.wechat_client.learned_rate_store import SlowedRate
from app.wechat_client.quota_store import NEARLY_USED_UP, QuotaUse

QUEUE_AGE_LIMIT_SECONDS: Final = 300
MAX_NAMED: Final = 10
# Longer times are told in minutes.
SECONDS_SHOWN: Final = 120


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


class WorkersPart(Part):
    """Workers."""

    running: int | None = None
    """How many run; null while the database can't be read."""
    idle_seconds: float | None = None
    """How long none has been seen; null if none ever ran."""


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


class WeChatProblem(ApiModel):
    """What WeChat refuses an account."""

    appid: str
    """The account."""
    api: str
    """The API, as WeChat names it; for the cards that open one mini-program, with its AppID."""
    errcode: int | None
    """WeChat's error code; null if no answer came, which errmsg says."""
    errmsg: str
    """WeChat's words for it."""
    rid: str | None
    """The id of the request in WeChat's own log."""
    meaning: str | None = None
    """What the errcode means; null without one."""
    fix: str | None = None
    """What to do about the errcode; null without one."""
    since: datetime
    """When a call failed so for the first time."""
    seen_at: datetime
    """When one did for the last time."""
    count: int
    """How many did."""
    paused_until: datetime | None
    """When the next call is made, since these calls wait; null if they go on."""


class NearlyUsedQuota(ApiModel):
    """A quota of the day of which most is used."""

    appid: str
    """The account."""
    api: str
    """The API, as WeChat names it."""
    used: int
    """How many calls are used today."""
    daily_limit: int
    """How many WeChat allows a day."""


class ReachedRate(ApiModel):
    """An API of which more calls are wanted than its rate allows."""

    appid: str
    """The account."""
    api: str
    """The API, as WeChat names it."""


class SlowedApi(ApiModel):
    """An API that is called less often, since WeChat said that it was called too often (45011)."""

    appid: str
    """The account."""
    api: str
    """The API, as WeChat names it."""
    calls: int
    """How many calls are made now in `seconds` at most."""
    seconds: int
    """See `calls`."""
    refused_at: datetime
    """When WeChat last said so."""


class WeChatPart(Part):
    """Calls of WeChat's API."""

    problems: list[WeChatProblem]
    """One for each account and API whose last call failed."""
    quotas: list[NearlyUsedQuota]
    """The quotas of which 80 % or more are used."""
    rates: list[ReachedRate]
    """The APIs whose calls wait for their turn now."""
    slowed: list[SlowedApi]
    """The APIs that are called less often since WeChat said 45011."""


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
    workers: WorkersPart
    """The workers."""
    replies: Part
    """Replies of the last day that failed for good."""
    tokens: TokensPart
    """The access tokens."""
    wechat: WeChatPart
    """What WeChat refuses."""
    unionids: UnionIdsPart
    """Whether WeChat gives UnionIDs."""
    erasures: Part
    """Erasures that need a person."""
    clock: ClockPart
    """The clock of this machine."""
    secrets: Part
    """Whether SECRET_KEY reads the secrets in the database."""

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


def database(fault: str | None) -> Part:
    """Check the database. fault: why it does not answer."""
    if fault is None:
        return Part(status=Status.OK, detail="answers")
    return Part(status=Status.FAILED, detail=fault)


def migrations(current: str | None, head: str | None, known: Iterable[str]) -> Part:
    """Check the schema. current: revision of the database. head, known: revisions of this code."""
    # A newer schema is allowed: during a release old code runs on it, and must stay in service.
    if current == head:
        return Part(status=Status.OK, detail=f"at {head}")
    if current is not None and current not in known:
        return Part(status=Status.DEGRADED, detail=f"database at {current}, newer than {head}")
    if current is None:
        return Part(status=Status.FAILED, detail=NEVER_MIGRATED)
    return Part(
        status=Status.FAILED, detail=f"database at {current}, needs {head}: run oa-bridge migrate"
    )


def rules(
    current: RuleSet | None,
    copy_age: float | None = None,
    unknown_mini_programs: Mapping[int, str] | None = None,
) -> RulesPart:
    """Check the rules in memory. An empty set is ok.

    degraded: enabled rules are left out, a newer version does not compile, the rules are those of
    the copy on disk, or a rule opens a mini-program that is not configured. copy_age: in seconds;
    None: they are the database's. unknown_mini_programs: rule id → AppID.
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
    if unknown_mini_programs:
        named = islice(unknown_mini_programs.items(), MAX_NAMED)
        told = ", ".join(f"rule {rule_id} opens {appid}" for rule_id, appid in named)
        detail += (
            f"; {len(unknown_mini_programs)} open a mini-program that is not configured: correct "
            f"them, or add it to MINI_PROGRAM_APPIDS or ACCOUNTS_FILE: {told}"
        )
    up_to_date = current.newer_rejected is None and copy_age is None
    complete = up_to_date and not current.left_out and not unknown_mini_programs
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


def workers(state: Snapshot | None) -> WorkersPart:
    """Check that a worker runs. Without one it is degraded once a job has waited for a while."""
    if state is None:
        return WorkersPart(status=Status.DEGRADED, detail="can't be read")
    found = state.workers
    if found.running:
        status, detail = Status.OK, f"{found.running} running"
    else:
        waits = max(state.queue_ages.values(), default=0.0)
        status = Status.DEGRADED if waits > ABSENT_SECONDS else Status.OK
        detail = f"{_absence(found.idle)}: start oa-bridge worker, or serve --with-worker"
    return WorkersPart(status=status, detail=detail, running=found.running, idle_seconds=found.idle)


def replies(state: Snapshot | None) -> Part:
    """Check whether replies of the last day failed for good: each may need an operator."""
    if state is None:
        return Part(status=Status.DEGRADED, detail="can't be read")
    if not state.failed_lately:
        return Part(status=Status.OK, detail="none of the last day failed for good")
    detail = (
        f"{state.failed_lately} of the last day failed for good: see "
        "GET /api/replies?status=failed, correct the cause, and send them again with "
        "POST /api/replies/retries"
    )
    return Part(status=Status.DEGRADED, detail=detail)


def _absence(idle: float | None) -> str:
    if idle is None:
        return "no worker has ever run"
    if idle < SECONDS_SHOWN:
        return f"no worker has run for {idle:.0f} seconds"
    return f"no worker has run for {idle / 60:.0f} minutes"


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


def wechat(
    problems: Iterable[Problem],
    quotas: Iterable[QuotaUse] = (),
    reached: Iterable[tuple[str, str]] = (),
    slowed: Iterable[SlowedRate] = (),
) -> WeChatPart:
    """Report which calls WeChat refuses or will soon refuse, and what to do."""
    shown = [_shown(problem) for problem in problems]
    nearly = [
        NearlyUsedQuota(appid=use.appid, api=use.api, used=use.used, daily_limit=use.daily_limit)
        for use in quotas
        if use.daily_limit and use.share >= NEARLY_USED_UP
    ]
    rates = [ReachedRate(appid=appid, api=api) for appid, api in reached]
    slow = [
        SlowedApi(
            appid=one.appid,
            api=one.api,
            calls=one.rate.calls,
            seconds=one.rate.seconds,
            refused_at=one.refused_at,
        )
        for one in slowed
    ]
    sentences = [
        *map(_sentence, shown),
        *map(_quota_sentence, nearly),
        *map(_slowed_sentence, slow),
        *map(_rate_sentence, rates),
    ]
    detail = "; ".join(sentences[:MAX_NAMED])
    if len(sentences) > MAX_NAMED:
        detail += f"; and {len(sentences) - MAX_NAMED} more"
    return WeChatPart(
        status=Status.DEGRADED if sentences else Status.OK,
        detail=detail or "no call is refused",
        problems=shown,
        quotas=nearly,
        rates=rates,
        slowed=slow,
    )


def _quota_sentence(quota: NearlyUsedQuota) -> str:
    return (
        f"{quota.appid}, {quota.api}: {quota.used:,} of {quota.daily_limit:,} calls of today are "
        "used: find what calls so often, or run oa-bridge quota clear"
    )


def _rate_sentence(rate: ReachedRate) -> str:
    return (
        f"{rate.appid}, {rate.api}: calls wait, since more are wanted than its rate allows: find "
        "what calls so often, or set API_RATES"
    )


def _slowed_sentence(one: SlowedApi) -> str:
    return (
        f"{one.appid}, {one.api}: WeChat said 45011, so {one.calls:,} calls are made in "
        f"{one.seconds} s at most: find what calls so often; it gets faster by itself"
    )


def _shown(problem: Problem) -> WeChatProblem:
    shown = WeChatProblem(
        appid=problem.appid,
        api=problem.api,
        errcode=problem.errcode,
        errmsg=problem.errmsg,
        rid=problem.rid,
        since=problem.since,
        seen_at=problem.seen_at,
        count=problem.count,
        paused_until=problem.paused_until,
    )
    if problem.errcode is not None:
        found = explain(problem.errcode, "en", problem.rid)
        shown.meaning, shown.fix = found.meaning, found.fix
    return shown


def _sentence(problem: WeChatProblem) -> str:
    where = f"{problem.appid}, {problem.api}"
    is_paused = problem.paused_until is not None
    if problem.errcode is None:
        waits = ": these calls wait, and one is tried again and again" if is_paused else ""
        return f"{where}: {problem.errmsg}{waits}"
    rid = "" if problem.rid is None else f" (rid {problem.rid})"
    waits = " These calls wait." if is_paused else ""
    return f"{where}: errcode {problem.errcode}: {problem.meaning} {problem.fix}{waits}{rid}"


def unionids(bindings: Mapping[str, bool | None]) -> UnionIdsPart:
    """Report which OAs get UnionIDs. bindings: AppID → bound to an Open Platform account."""
    accounts: dict[str, Literal["bound", "not_bound", "unknown"]] = {
        appid: "unknown" if bound is None else "bound" if bound else "not_bound"
        for appid, bound in bindings.items()
    }
    unbound = [appid for appid, bound in accounts.items() if bound == "not_bound"]
    detail = f"no Open Platform account, so no UnionIDs: {', '.join(unbound)}" if unbound else ""
    return UnionIdsPart(status=Status.OK, detail=detail, accounts=accounts)


def erasures(state: Snapshot | None) -> Part:
    """Check whether erasures wait for a person: nobody else can tell who is meant."""
    if state is None:
        return Part(status=Status.DEGRADED, detail="can't be read")
    if not state.unidentified:
        return Part(status=Status.OK, detail="none needs a person")
    detail = f"{state.unidentified} need a person: see GET /api/erasures?needs_person=true"
    return Part(status=Status.DEGRADED, detail=detail)


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


def secrets(stored: StoredSecrets | None, *, key_is_set: bool) -> Part:
    """Check the secrets in the database. Those in clear are allowed, so they are only a note."""
    if stored is None:
        return Part(status=Status.DEGRADED, detail="can't be read")
    if stored.unreadable:
        names = ", ".join(stored.unreadable[:MAX_NAMED])
        return Part(status=Status.DEGRADED, detail=f"can't decrypt {names}: {WRONG_KEY}")
    if not key_is_set:
        detail = "stand in the database in clear: set SECRET_KEY"
    elif stored.outdated:
        detail = (
            f"{stored.outdated} are in clear, or encrypted with the key before: run "
            "oa-bridge secrets rewrite"
        )
    else:
        detail = "encrypted with SECRET_KEY"
    return Part(status=Status.OK, detail=detail)
