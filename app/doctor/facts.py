"""The facts that the checks judge. Pure: `gather` reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.callback.spool import SpoolStatus
from app.campaigns.pools import Pool
from app.clock import Other
from app.datacube.compare import Pair
from app.ops.database_state import Snapshot
from app.ops.stored_secrets import StoredSecrets
from app.settings import Settings
from app.wechat_client.quota_store import QuotaUse


@dataclass(frozen=True, slots=True)
class Probe:
    """The latest result of a probe. result: see `probe`; `error` in it: the call failed."""

    checked_at: datetime
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What WeChat refuses an account. errcode: None if no answer came, which errmsg says.

    api: which calls, as `api_problems` has it. count: how many were refused. probe_at: when the
    next one is made; None if they do not wait.
    """

    appid: str
    api: str
    errcode: int | None
    errmsg: str
    rid: str | None
    since: datetime
    seen_at: datetime
    count: int = 1
    probe_at: datetime | None = None

    @property
    def mini_program(self) -> str | None:
        """The mini-program whose cards are refused; None if all calls of the API are."""
        return self.api.partition(" ")[2] or None


@dataclass(frozen=True, slots=True)
class RefusedPushes:
    """Pushes that were refused for one reason in the last day. appid: empty if it is unknown."""

    appid: str
    reason: str
    count: int
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Pushes:
    """The pushes of an account. last: None if it never pushed, as far as the inbox remembers.

    usual_seconds: the mean pause in the week before the last one; None if there were too few.
    today: how many of those that were looked at came in the last day.
    """

    last: datetime | None = None
    usual_seconds: float | None = None
    today: int = 0


@dataclass(frozen=True, slots=True)
class SentCards:
    """Replies of the last day with one result. mini_program: that a card opens.

    errcode: None if they were sent.
    """

    appid: str
    errcode: int | None
    mini_program: str | None
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class BadMedium:
    """A file that a rule names and that can't be uploaded.

    problem: what is wrong with it, a colon, and what to do, in English.
    """

    rule_id: int
    file: str
    problem: str


@dataclass(frozen=True, slots=True)
class RulesReport:
    """What is wrong with the enabled rules.

    left_out, unreachable: rule ids. unknown_mini_programs: rule id → AppID. media_ids: rule id →
    the uploaded media that it names. unhit: rules that answered nothing in 30 days; None: it is not
    known.
    """

    count: int = 0
    by_account: Mapping[str | None, int] = field(default_factory=dict)
    left_out: Sequence[int] = ()
    unreachable: Sequence[int] = ()
    unknown_mini_programs: Mapping[int, str] = field(default_factory=dict)
    bad_media: Sequence[BadMedium] = ()
    media_ids: Mapping[int, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of `/api` in the database.

    any_valid: whether there is one. unused: name → scopes that it has not needed lately.
    """

    any_valid: bool = False
    unused: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shared:
    """The facts in the database, which all processes share.

    refusals: of the last day. probes: (AppID or empty, name) → result. unionids: AppID → why
    there is no UnionID → people; `resolved` counts those who have one. expiring: media_id → end,
    of media that end within a day. overdue_content: when the oldest content was received that
    RETENTION_DAYS should have cleared. overdue_erasure: when the oldest unfinished erasure that is
    late was requested. quotas: of the Official Accounts. permanent_qrcodes: AppID → how many
    permanent QR codes it has ever made. figures: AppID → measure → the newest days that WeChat and
    the service have both counted. pools: of the campaigns that run.
    """

    server_version: int
    snapshot: Snapshot
    secrets: StoredSecrets | None
    refusals: Sequence[Refusal] = ()
    refused_pushes: Sequence[RefusedPushes] = ()
    pushes: Mapping[str, Pushes] = field(default_factory=dict)
    sent: Sequence[SentCards] = ()
    unionids: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    expiring: Mapping[str, datetime] = field(default_factory=dict)
    overdue_content: datetime | None = None
    overdue_erasure: datetime | None = None
    rules: RulesReport | None = None
    tokens: Tokens = Tokens()
    probes: Mapping[tuple[str, str], Probe] = field(default_factory=dict)
    quotas: Sequence[QuotaUse] = ()
    permanent_qrcodes: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, Mapping[str, Sequence[Pair]]] = field(default_factory=dict)
    pools: Sequence[Pool] = ()

    def probe(self, name: str, appid: str = "") -> Probe | None:
        """Return the latest result of a probe."""
        return self.probes.get((appid, name))

    def refusal(self, appid: str, api: str) -> Refusal | None:
        """Return what WeChat refuses an account at one API."""
        return next((one for one in self.refusals if (one.appid, one.api) == (appid, api)), None)


@dataclass(frozen=True, slots=True)
class Local:
    """The facts of this machine and process.

    spool: None if this process can't see it. free_bytes: of the disk of DATA_DIR; None if it can't
    be read. clock: how far this machine's clock is ahead of others, in seconds.
    """

    spool: SpoolStatus | None = None
    free_bytes: int | None = None
    clock: Mapping[Other, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts. local: None in a process whose machine does not matter, as a worker's.

    database_fault: why the database can't be used. schema: revision of the database, of this code,
    and whether the database lacks migrations. shared: None if the database can't be read.
    """

    now: datetime
    settings: Settings
    local: Local | None = None
    database_fault: str | None = None
    schema: tuple[str | None, str | None] | None = None
    is_behind: bool = False
    shared: Shared | None = None
