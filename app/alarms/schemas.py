"""Bodies of requests and responses of `/api/alarms`."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import AwareDatetime, ConfigDict, Field, StrictBool, StrictFloat

from app.alarms.kinds import KINDS, AlarmKind, Unit
from app.alarms.models import Alarm, AlarmReceiver, ReceiverKind
from app.alarms.threshold import Threshold
from app.api_model import ApiModel
from app.identity.schemas import WeChatId
from app.wechat.errcodes import Language

MAX_RECIPIENTS = 20
MAX_PORT = 65_535

ReceiverId = Annotated[UUID, Path(description="Id of the receiver")]
Url = Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://[!-~]+$")]
# No blanks and no control characters: a line break would end the header of an e-mail.
Address = Annotated[
    str, Field(min_length=3, max_length=254, pattern=r"^[!-;=?A-~]+@[A-Za-z0-9._-]+$")
]
SecretText = Annotated[str, Field(max_length=200, pattern=r"^[!-~]*$")]


class Security(StrEnum):
    """How the connection to the SMTP server is encrypted.

    tls: from its first byte, as on port 465. starttls: before anything else is said, as on port
    587. none: not at all; a password is not sent then.
    """

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Mail(ApiModel):
    """Where an e-mail is handed in, and to whom it goes."""

    model_config = ConfigDict(extra="forbid")

    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]
    """The SMTP server."""
    port: Annotated[int, Field(ge=1, le=MAX_PORT)] = 465
    """Its port: mostly 465 with `tls` and 587 with `starttls`."""
    security: Security = Security.TLS
    """How the connection is encrypted."""
    username: Annotated[str, Field(max_length=254, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    """The name to sign in with; empty to hand in without signing in."""
    sender: Address
    """The address that it comes from."""
    recipients: Annotated[list[Address], Field(min_length=1, max_length=MAX_RECIPIENTS)]
    """The addresses that it goes to."""


class ReceiverIn(ApiModel):
    """Who is told of alarms. `url`, `secret` and `password` are never shown again."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
    """For your own use."""
    kind: ReceiverKind
    """`wecom` is a group robot of 企业微信, `feishu` of 飞书, `dingtalk` of 钉钉."""
    language: Language = "zh"
    """Of the messages."""
    enabled: StrictBool = True
    """Whether it is told of alarms."""
    url: Url | None = None
    """Of a webhook or robot, with its key. Needed but for `email`; left out: as it is stored."""
    secret: SecretText | None = None
    """Signs: of `feishu` and `dingtalk` as the robot's settings show it, of `webhook` a secret such
    as `whsec_…`. Left out: as it is stored; empty: without a signature."""
    mail: Mail | None = None
    """Of `email` alone."""
    password: Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None
    """Of the SMTP server. Left out: as it is stored; empty: none."""


class ReceiverOut(ApiModel):
    """A receiver and its state, without its secrets."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the receiver."""
    name: str
    """For your own use."""
    kind: ReceiverKind
    """In which way it is told."""
    language: Language
    """Of the messages."""
    enabled: bool
    """Whether it is told of alarms."""
    host: str
    """The host of its address."""
    mail: Mail | None
    """Of `email` alone."""
    failures: int
    """How many attempts have failed since the last success."""
    failing_since: datetime | None
    """The first failure after the last success."""
    next_at: datetime | None
    """Nothing is sent before then."""
    error: str | None
    """Why the last attempt failed."""
    sent_at: datetime | None
    """When it last accepted a message."""
    created_at: datetime
    """When it was added."""
    updated_at: datetime
    """When it was last changed."""

    @classmethod
    def of(cls, receiver: AlarmReceiver) -> Self:
        """Return a stored receiver."""
        return cls.model_validate(receiver)


class ReceiverReplacement(ReceiverIn):
    """A receiver that replaces a stored one; it may be sent back as `GET` returned it.

    A changed `id`, `kind` or `created_at` is refused. The other members that only the service sets
    are ignored.
    """

    id: UUID | None = None
    """As it was read, or left out."""
    created_at: AwareDatetime | None = None
    """As it was read, or left out."""
    updated_at: AwareDatetime | None = None
    """Ignored."""
    host: str | None = None
    """Ignored; `url` and `mail` say where messages go."""
    failures: int | None = None
    """Ignored."""
    failing_since: AwareDatetime | None = None
    """Ignored."""
    next_at: AwareDatetime | None = None
    """Ignored."""
    error: str | None = None
    """Ignored."""
    sent_at: AwareDatetime | None = None
    """Ignored."""


class ReceiverList(ApiModel):
    """Every receiver, the oldest first."""

    items: list[ReceiverOut]
    """The receivers."""


class ReceiverTest(ApiModel):
    """What came of a test message."""

    accepted: bool
    """Whether the receiver has accepted it."""
    error: str | None
    """Why not."""


class ThresholdIn(ApiModel):
    """When one kind of alarm begins."""

    model_config = ConfigDict(extra="forbid")

    appid: WeChatId | None = None
    """Of one account alone; null for all that have none of their own."""
    enabled: StrictBool = True
    """Whether there are alarms of this kind."""
    value: Annotated[StrictFloat, Field(allow_inf_nan=False, ge=1, le=1_000_000)] | None = None
    """In the unit of the kind; null for its default."""


class ThresholdOut(ApiModel):
    """When one kind of alarm begins."""

    kind: AlarmKind
    """What the alarm is about."""
    appid: str | None
    """Of one account alone; null for all that have none of their own."""
    enabled: bool
    """Whether there are alarms of this kind."""
    value: float | None
    """What is set; null for the default."""
    default: float | None
    """What holds if nothing is set; null: what is usual for the account."""
    unit: Unit
    """In what it is measured."""
    etag: str
    """Of what is set, for `If-Match` of the next change; `none`: nothing is."""

    @classmethod
    def of(cls, kind: AlarmKind, appid: str, threshold: Threshold, etag: str) -> Self:
        """Return a threshold. appid: empty for all accounts."""
        words = KINDS[kind]
        return cls(
            kind=kind,
            appid=appid or None,
            enabled=threshold.enabled,
            value=threshold.value,
            default=words.default,
            unit=words.unit,
            etag=etag,
        )


class ThresholdList(ApiModel):
    """The thresholds of all kinds; below each the ones that accounts have of their own."""

    items: list[ThresholdOut]
    """The thresholds."""


class AlarmOut(ApiModel):
    """A threshold that was reached."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    """The id of the alarm."""
    kind: str
    """What it is about."""
    appid: str | None
    """The account, if it is about one."""
    subject: str
    """The API of a quota, the campaign of a pool, the figure that differs, or the check of the
    doctor; else empty.
    """
    value: float
    """The latest figure, in the unit of the kind."""
    threshold: float
    """With which it was compared."""
    began_at: datetime
    """When it began."""
    ended_at: datetime | None
    """When it was over; null while it lasts."""

    @classmethod
    def of(cls, alarm: Alarm) -> Self:
        """Return a stored alarm."""
        found = cls.model_validate(alarm)
        found.appid = alarm.appid or None
        return found


class AlarmPage(ApiModel):
    """Alarms, the newest first."""

    items: list[AlarmOut]
    """The alarms."""
    next: UUID | None
    """Pass it as `before` for the next page; null on the last page."""
