"""The question and the answer of `/api/stats/compare`."""

from datetime import date, datetime, timedelta
from typing import Final, Literal

from pydantic import ConfigDict, Field

from app.api_errors import InvalidRequest, Problem
from app.api_model import ApiModel
from app.datacube.compare import Comparison
from app.datacube.days import yesterday
from app.datacube.report import AccountReport, Waiting
from app.identity.schemas import WeChatId
from app.stats.date_range import DEFAULT_DAYS, FIRST_DAY, LAST_DAY, MAX_DAYS
from app.wechat.errcodes import Language, explain

MAX_ACCOUNTS: Final = 20


class CompareQuery(ApiModel):
    """The days in Shanghai, by which WeChat counts, and the account."""

    model_config = ConfigDict(extra="forbid")

    since: date | None = Field(
        default=None,
        alias="from",
        ge=FIRST_DAY,
        le=LAST_DAY,
        description=f"first day in Shanghai; default: {DEFAULT_DAYS} days up to `until`",
    )
    until: date | None = Field(
        default=None,
        ge=FIRST_DAY,
        le=LAST_DAY,
        description="last day in Shanghai; default and latest: yesterday",
    )
    appid: WeChatId | None = Field(
        default=None,
        description=f"one account; default: the first {MAX_ACCOUNTS} with an AppSecret",
    )
    language: Language = "en"
    """Of the labels and explanations."""

    def days(self, now: datetime) -> tuple[date, date]:
        """Return the first and the last day. Raises InvalidRequest, which names the field."""
        newest = yesterday(now)
        until = newest if self.until is None else self.until
        since = self.since or until - timedelta(days=DEFAULT_DAYS - 1)
        if until > newest:
            raise _invalid("until", f"is not over in Shanghai: ask for {newest} or earlier")
        if since > until:
            raise _invalid("from", f"is after until ({until}): choose an earlier day")
        if (until - since).days >= MAX_DAYS:
            problem = f"is more than {MAX_DAYS} days before until ({until}): request several parts"
            raise _invalid("from", problem)
        return since, until


class ComparedDay(ApiModel):
    """One figure of one day."""

    day: date
    """The day in Shanghai."""
    wechat: int | None
    """WeChat's figure; null while it is not read, and where WeChat says nothing."""
    ours: int | None
    """Ours; null for days before the first push, and for what the service does not count."""
    difference: float | None
    """Ours less WeChat's, as a share of WeChat's; null if that can't be said."""


class ComparedFigure(ApiModel):
    """One figure, WeChat's beside ours."""

    name: str
    """Its name, such as `followed`."""
    label: str
    """What it is called."""
    expected: str
    """Which difference is to be expected, and why."""
    exact: bool
    """Whether the doctor warns when both differ by more than 2 %."""
    wechat: int | None
    """WeChat's sum over the days of which both are known, over all days if ours never is; for
    `followers` the last of them, for `mean_milliseconds` their mean. null if none is known."""
    ours: int | None
    """Ours over the same days."""
    difference: float | None
    """Ours less WeChat's over these days, as a share of WeChat's."""
    days: list[ComparedDay]
    """Each day."""


class WaitingCall(ApiModel):
    """A call of which days are not read yet."""

    api: str
    """The call, as WeChat names it."""
    day: date
    """The newest day that is not read."""
    days: int
    """How many days are not read."""
    errcode: int | None
    """WeChat's errcode, if it refused the last attempt; 61503: the day is not ready."""
    meaning: str | None
    """What the errcode means."""
    fix: str | None
    """What to do about it."""
    error: str | None
    """Why the last attempt failed, if there is no errcode."""
    try_at: datetime | None
    """When WeChat is asked next; null: not any more."""


class ComparedAccount(ApiModel):
    """The figures of one account."""

    appid: str
    """The account."""
    kind: Literal["oa", "mini_program"]
    """What it is."""
    figures: list[ComparedFigure]
    """Each figure that WeChat has of such an account."""
    waiting: list[WaitingCall]
    """Calls of which days are not read."""


class CompareOut(ApiModel):
    """WeChat's figures beside ours."""

    since: date = Field(serialization_alias="from")
    """The first day."""
    until: date
    """The last day."""
    time_zone: str
    """The time zone of the days, Asia/Shanghai."""
    accounts: list[ComparedAccount]
    """Each account that WeChat can be asked about."""


def account_out(report: AccountReport, language: Language) -> ComparedAccount:
    """Return the figures of one account as JSON."""
    return ComparedAccount(
        appid=report.account.appid,
        kind=report.account.kind,
        figures=[_figure(one, language) for one in report.comparisons],
        waiting=[_waiting(one, language) for one in report.waiting],
    )


def _figure(one: Comparison, language: Language) -> ComparedFigure:
    return ComparedFigure(
        name=one.measure.name,
        label=one.measure.label[language],
        expected=one.measure.expected[language],
        exact=one.measure.exact,
        wechat=one.theirs,
        ours=one.ours,
        difference=one.difference,
        days=[
            ComparedDay(
                day=pair.day, wechat=pair.theirs, ours=pair.ours, difference=pair.difference
            )
            for pair in one.pairs
        ],
    )


def _waiting(one: Waiting, language: Language) -> WaitingCall:
    told = None if one.errcode is None else explain(one.errcode, language, one.rid)
    return WaitingCall(
        api=one.api,
        day=one.day,
        days=one.days,
        errcode=one.errcode,
        meaning=None if told is None else told.meaning,
        fix=None if told is None else told.fix,
        error=one.error if one.errcode is None else None,
        try_at=one.try_at,
    )


def _invalid(field: str, problem: str) -> InvalidRequest:
    return InvalidRequest([Problem(loc=["query", field], msg=problem, type="value_error")])
