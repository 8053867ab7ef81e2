"""The templates of accounts, people's consents to them, and what was sent by them."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from simulator.errors import ApiError
from simulator.links import SHANGHAI

ONE_TIME = 2
LONG_TERM = 3
TEMPLATE_MESSAGES_A_DAY = 100_000
KNOWN_FOR = timedelta(minutes=10)


class Template(BaseModel):
    """One template of an account.

    type: 2 one-time, 3 long-term; None for template messages. choices: by key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    template_id: str
    title: str
    content: str
    example: str = ""
    type: int | None = ONE_TIME
    choices: dict[str, tuple[str, ...]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SentNotice:
    """A notice or template message that the platform has taken."""

    appid: str
    openid: str
    template_id: str
    msgid: int
    body: dict[str, object]


@dataclass(slots=True)
class NoticeStore:
    """Templates by account, and what was sent.

    consents: what is left, by account, person and template; a long-term one is 1 or 0.
    names_msgid: whether `bizsend` names the msgid in its answer, which is not documented.
    reports: whether the report of each delivery is pushed at once.
    """

    templates: defaultdict[str, dict[str, Template]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    consents: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    sent: list[SentNotice] = field(default_factory=list)
    names_msgid: bool = False
    reports: bool = False
    a_day: int = TEMPLATE_MESSAGES_A_DAY
    days: Counter[tuple[str, date]] = field(default_factory=Counter)
    known: dict[tuple[str, str], tuple[datetime, int]] = field(default_factory=dict)

    def template(self, appid: str, template_id: object, *, of_notices: bool) -> Template:
        """Return a template of the account. Raises ApiError 40037 for one of the other kind."""
        found = self.templates[appid].get(str(template_id))
        if found is None or (found.type is not None) is not of_notices:
            raise ApiError(40037)
        return found

    def decide(self, appid: str, openid: str, template_id: str, status: str) -> None:
        """Apply what a person answered to the question for consent."""
        found = self.templates[appid].get(template_id)
        key = appid, openid, template_id
        if status != "accept":
            self.consents[key] = 0
        elif found is not None and found.type == LONG_TERM:
            self.consents[key] = 1
        else:
            self.consents[key] += 1

    def spend(self, appid: str, openid: str, template: Template) -> None:
        """Use up a consent. Raises ApiError 43101 if none is left."""
        key = appid, openid, template.template_id
        if self.consents[key] < 1:
            raise ApiError(43101)
        if template.type == ONE_TIME:
            self.consents[key] -= 1

    def count_message(self, appid: str, now: datetime) -> None:
        """Count one template message. Raises ApiError 45009 above the limit of the day."""
        day = appid, now.astimezone(SHANGHAI).date()
        if self.days[day] >= self.a_day:
            raise ApiError(45009)
        self.days[day] += 1

    def repeated(self, openid: str, client_msg_id: str, now: datetime) -> int | None:
        """Return the msgid of a template message that was sent within ten minutes under this id."""
        at, msgid = self.known.get((openid, client_msg_id), (now, 0))
        return msgid if msgid and now - at <= KNOWN_FOR else None
