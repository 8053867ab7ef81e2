"""JSON shapes of `/api/arrivals`."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from app.api_errors import Problem
from app.api_model import ApiModel
from app.api_time import Time
from app.arrivals.models import ArrivalKind, Basis, Door, LeftOut
from app.arrivals.query_text import MAX_PATH, MAX_QUERY, query_text
from app.arrivals.scenes import SceneGroup
from app.rules.definition.fields import storable
from app.rules.definition.validation_messages import message_for
from app.settings import APPID_PATTERN
from app.unionid_resolution.schemas import ReportedId

MAX_REPORTS: Final = 1000
MAX_REPORT_ID: Final = 64
MAX_REF: Final = 64
MAX_NAME: Final = 64
MAX_SCENE: Final = 99_999

AppIdIn = Annotated[str, Field(pattern=APPID_PATTERN)]
_ReportId = Annotated[str, Field(min_length=1, max_length=MAX_REPORT_ID, pattern=r"^[!-~]+$")]
_Ref = Annotated[str, Field(max_length=MAX_REF), AfterValidator(storable)]
_Query = Annotated[
    str, BeforeValidator(query_text), Field(max_length=MAX_QUERY), AfterValidator(storable)
]


class _Reported(ApiModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: _ReportId
    """The reporter's own id of this report, drawn at random or that of the order. A second report
    of the mini-program with the same id adds nothing.
    """
    appid: AppIdIn
    """AppID of the mini-program."""
    openid: ReportedId | None = None
    """The person at this mini-program, as `jscode2session` named them."""
    unionid: ReportedId | None = None
    """The person at all accounts. It is never recorded as an identity: see `/api/identities`."""
    at: Time
    """When it happened, with a time zone."""
    ref: _Ref | None = None
    """The `ref` of the page that was opened; of a launch, it may also stand in `query` alone."""


class LaunchIn(_Reported):
    """A mini-program was entered: what `App.onShow` gets."""

    kind: Literal["launch"]
    """Says that it is a launch."""
    scene: Annotated[int, Field(ge=0, le=MAX_SCENE)] | None = None
    """The scene, as a number."""
    path: Annotated[str, Field(max_length=MAX_PATH), AfterValidator(storable)] | None = None
    """The page."""
    query: _Query | None = Field(
        default=None,
        json_schema_extra={
            "anyOf": [
                {"type": "string", "maxLength": MAX_QUERY},
                {"type": "object", "additionalProperties": {"type": "string"}},
                {"type": "null"},
            ]
        },
    )
    """The query of the page: the object that `onShow` gets, or `name=value` joined by `&`."""
    referrer_appid: AppIdIn | Literal[""] | None = None
    """`referrerInfo.appId`."""


class ConversionIn(_Reported):
    """Somebody did in the mini-program what counts as success."""

    kind: Literal["conversion"]
    """Says that it is a conversion."""
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME), AfterValidator(storable)]
    """What was done, such as `purchase`."""
    value: (
        Annotated[Decimal, Field(ge=-1_000_000_000_000, le=1_000_000_000_000, decimal_places=6)]
        | None
    ) = None
    """What it is worth, in units of the currency."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    """ISO 4217, such as `CNY`."""


ReportIn = Annotated[LaunchIn | ConversionIn, Field(discriminator="kind")]


class Invalid(ApiModel):
    """A report that can't be read. loc: the path of the member that is wrong."""

    loc: list[str | int]
    problem: str


def _or_invalid(value: object, read: ValidatorFunctionWrapHandler) -> object:
    # One bad report, which a forged client may have made, must not cost those of all others.
    try:
        return read(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        # The first part is the kind.
        return Invalid(loc=list(first["loc"][1:]), problem=message_for(first))


class Reports(ApiModel):
    """Reported launches and conversions."""

    model_config = ConfigDict(extra="forbid")

    reports: list[Annotated[ReportIn, WrapValidator(_or_invalid)]] = Field(
        min_length=1, max_length=MAX_REPORTS
    )
    """Up to 1,000 reports."""


class ReportsOut(ApiModel):
    """What became of the reports."""

    received: int
    """How many were reported."""
    stored: int
    """How many are new and stored; which door each came through is found within a minute or two."""
    repeated: int
    """How many were known by their id."""
    erased: int
    """How many were left out because the person was erased after it happened."""
    refused: int
    """How many can't be stored; do not send them again as they are."""
    problems: list[Problem]
    """Why, for the first hundred of them."""


class ArrivalOut(ApiModel):
    """A launch or a conversion, and by what it is attributed."""

    id: UUID
    """Its id; a later one was received later."""
    kind: ArrivalKind
    """What was reported."""
    appid: str
    """The mini-program."""
    openid: str | None
    """The person at the mini-program, or the pseudonym of an erased one."""
    unionid: str | None
    """The person at all accounts, as reported or as known."""
    at: datetime
    """When it happened, by the reporter's clock."""
    received_at: datetime
    """When the report came."""
    scene: int | None
    """The scene of a launch."""
    scene_group: SceneGroup | None
    """The group of the scene."""
    path: str | None
    """The page; null once it is erased."""
    query: str | None
    """Its query; null once it is erased."""
    referrer_appid: str | None
    """Who referred to it, as WeChat named it."""
    name: str | None
    """What was done, of a conversion."""
    value: Decimal | None
    """What it is worth."""
    currency: str | None
    """The currency of the value."""
    settled: bool
    """Whether its door has been looked for; until then, it counts in no figure."""
    basis: Basis | None
    """`ref`: a `ref` of ours came back. The others are weaker. `scene`: by the scene and what was
    sent last to this person. `launch`: the door of the person's last launch. `none`: nothing is
    known.
    """
    left_out: LeftOut | None
    """Why it counts in no figure: `crawler`, `repeat` of the same launch within five minutes, or
    `forwarded`: what was sent to somebody else.
    """
    ref: str | None
    """The `ref` that came back."""
    door: Door | None
    """What led there."""
    account: str | None
    """The Official Account that sent it."""
    sent_at: datetime | None
    """When the reply or notice was sent."""
    reply_id: UUID | None
    """The reply."""
    rule_id: int | None
    """The rule of the reply."""
    qrcode_id: UUID | None
    """The QR code whose scan the reply answers."""
    notice_id: UUID | None
    """The notice."""
    send_id: UUID | None
    """The send of the notice."""
    link_id: UUID | None
    """The link."""
    menu_number: int | None
    """The version of the menu."""
    menu_position: str | None
    """The button."""


class ArrivalPage(ApiModel):
    """A page of the list."""

    items: list[ArrivalOut]
    """Arrivals, the newest first."""
    next: UUID | None
    """`before` of the next page; null after the last one."""
