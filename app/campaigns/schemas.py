"""Bodies of requests and responses of `/api/campaigns`."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Self
from uuid import UUID

from fastapi import Path
from pydantic import (
    AwareDatetime,
    ConfigDict,
    Field,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from app.api_model import ApiModel
from app.api_time import Time
from app.campaigns.invite import InvitationCount
from app.campaigns.models import Campaign, CampaignDoorKind
from app.codes.code_text import CODE_PATTERN, MAX_DRAWN, MIN_DRAWN
from app.codes.models import CodeImport, ImportSource, ImportState
from app.codes.read_csv import MAX_CODES
from app.identity.schemas import WeChatId
from app.qrcodes.life import QrState, state_of
from app.qrcodes.schemas import picture_url
from app.rules.definition.fields import Name
from app.settings import APPID_PATTERN
from app.wechat.outbound.mini_program_card import MAX_PAGEPATH_BYTES

MAX_DOORS = 500
MAX_WARN_BELOW = 100_000
KEY_PATTERN = r"^[\x21-\x7e]{1,64}$"
# The same for what is sent and what is answered.
_AMOUNT: Final = {"type": "string", "pattern": r"^\d{1,12}(\.\d{1,2})?$", "examples": ["5000.00"]}
# An AppID and a place in its menu, or an id.
DOOR_PATTERN = r"^[A-Za-z0-9_/-]{1,64}$"

CampaignId = Annotated[UUID, Path(description="Id of the campaign")]
ImportId = Annotated[UUID, Path(description="Id of the import")]


class DoorIn(ApiModel):
    """What leads people to a campaign."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: CampaignDoorKind
    """What it is."""
    id: Annotated[str, Field(pattern=DOOR_PATTERN)]
    """Its id: of the rule, QR code, link, or of the send of notices; of a menu button the AppID of
    its account, a slash, and its place in the menu, such as `wx0123456789abcdef/2-1`.
    """


class TargetIn(ApiModel):
    """The page of a mini-program that a campaign is about."""

    model_config = ConfigDict(extra="forbid")

    appid: Annotated[str, Field(pattern=APPID_PATTERN)]
    """AppID of the mini-program."""
    pagepath: Annotated[
        str, Field(max_length=MAX_PAGEPATH_BYTES, pattern=r"^(?:[^/\s\x00][^\s\x00]*)?$")
    ] = ""
    """Page of the released version, without a slash in front; empty: home."""


class CostIn(ApiModel):
    """What a campaign costs."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[
        Decimal, Field(ge=0, max_digits=14, decimal_places=2), WithJsonSchema(_AMOUNT)
    ]
    """The whole cost."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CNY"
    """Its currency, by ISO 4217."""


class CampaignIn(ApiModel):
    """A campaign."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Name, Field(max_length=100)]
    """For operators and reports."""
    starts_at: Time
    """When it begins."""
    ends_at: Time
    """When it is over: from then on nobody gets a code any more."""
    doors: Annotated[list[DoorIn], Field(max_length=MAX_DOORS)] = Field(default=[])
    """By what people come. At any moment a door belongs to one campaign alone."""
    target: TargetIn | None = None
    """The page of a mini-program that it is about."""
    cost: CostIn | None = None
    """What it costs, for the cost of each follower."""
    warn_below: Annotated[StrictInt, Field(ge=0, le=MAX_WARN_BELOW)] = 100
    """The doctor warns while fewer codes are left than so many; 0: once none is left."""

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at is not after starts_at: correct one of them")
        if len(set(self.doors)) < len(self.doors):
            raise ValueError("doors names a door twice: leave one of them out")
        return self


class CampaignReplacement(CampaignIn):
    """A campaign that replaces a stored one, perhaps as `GET` returned it.

    A changed `id` or `created_at` is refused; what else only the service sets is ignored.
    """

    id: UUID | None = None
    """As it was read, or left out."""
    created_at: AwareDatetime | None = None
    """As it was read, or left out."""
    updated_at: AwareDatetime | None = None
    """Ignored."""
    revision: int | None = None
    """Ignored."""
    codes_left: int | None = None
    """Ignored."""


class CampaignOut(CampaignIn):
    """A stored campaign."""

    id: UUID
    """The id of the campaign."""
    codes_left: int | None
    """How many codes nobody has yet, counted up to 100,000; null if it never had any."""
    revision: int
    """Raised by every change; the next change names it in `If-Match`."""
    created_at: datetime
    """When it was added."""
    updated_at: datetime
    """When it was last changed."""

    @classmethod
    def of(cls, campaign: Campaign, doors: list[DoorIn], codes_left: int | None) -> "CampaignOut":
        """Return the JSON of a row."""
        cost, appid = campaign.cost, campaign.target_appid
        return cls.model_construct(
            name=campaign.name,
            starts_at=campaign.starts_at,
            ends_at=campaign.ends_at,
            doors=doors,
            target=None
            if appid is None
            else TargetIn(appid=appid, pagepath=campaign.target_pagepath or ""),
            cost=None if cost is None else CostIn(amount=cost, currency=campaign.currency or "CNY"),
            warn_below=campaign.warn_below,
            id=campaign.id,
            codes_left=codes_left,
            revision=campaign.revision,
            created_at=campaign.created_at,
            updated_at=campaign.updated_at,
        )


class CampaignPage(ApiModel):
    """Campaigns, the newest first."""

    items: list[CampaignOut]
    """The campaigns."""
    next: UUID | None
    """`before` of the next page; null after the last one."""


class DrawIn(ApiModel):
    """Codes that the service draws."""

    model_config = ConfigDict(extra="forbid")

    count: Annotated[StrictInt, Field(ge=1, le=MAX_CODES)]
    """How many."""
    key: Annotated[str, Field(pattern=KEY_PATTERN)]
    """Of your choice: a call that is repeated with the same key draws no further codes."""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{0,16}$")] = ""
    """What each code begins with."""
    length: Annotated[StrictInt, Field(ge=MIN_DRAWN, le=MAX_DRAWN)] = 16
    """How many characters are drawn after the prefix, five bits each."""


class ImportOut(ApiModel):
    """Codes that are added to a pool by one call, and how far that is."""

    id: UUID
    """The id of the import."""
    source: ImportSource
    """A file, or drawn by the service."""
    state: ImportState
    """`receiving`: the file is being sent; `running`: the worker adds the codes; `done`."""
    total: int
    """How many codes it brings."""
    added: int
    """How many of them were new so far."""
    present: int
    """How many the pool had already, or the file named twice."""
    created_at: datetime
    """When it was asked for."""
    ended_at: datetime | None
    """When all codes were in the pool."""

    @classmethod
    def of(cls, found: CodeImport) -> Self:
        """Return the JSON of a row."""
        return cls.model_validate(found, from_attributes=True)


class ImportList(ApiModel):
    """The latest imports of a campaign."""

    items: list[ImportOut]
    """Up to 100, the newest first."""


class GiveIn(ApiModel):
    """A person who is to get their code, as a mini-program's backend knows them."""

    model_config = ConfigDict(extra="forbid")

    appid: Annotated[str, Field(pattern=APPID_PATTERN)]
    """The account of the OpenID."""
    openid: WeChatId
    """The person there; `PUT /api/identities` makes one of a mini-program known."""
    door: DoorIn | None = None
    """By what the person came: a door of the campaign."""


class GivenCode(ApiModel):
    """The code of a person."""

    code: str
    """The code."""


class RedemptionIn(ApiModel):
    """A code that is redeemed."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(pattern=CODE_PATTERN)]
    """The code, in exactly these letters."""
    key: Annotated[str, Field(pattern=KEY_PATTERN)]
    """Of your choice, such as the number of the order: a call that is repeated with it changes
    nothing and gets the same answer; with another key a code that is redeemed is refused.
    """
    redeemed_at: Time | None = None
    """When; left out: now. Never later than now."""


class RedemptionOut(ApiModel):
    """A redeemed code."""

    code: str
    """The code."""
    redeemed_at: datetime
    """When it was redeemed."""
    given_at: datetime
    """When its person got it."""
    door: DoorIn | None
    """By what the person came; null if that is not known."""


class Counted(ApiModel):
    """What was counted."""

    handed_out: int
    """People who got a code."""
    opened: int
    """Opens of the mini-program by the door during the campaign, as mini-programs report them."""
    redeemed: int
    """Codes that were redeemed."""


class DoorFigures(Counted):
    """The figures of one door in the whole span that was asked for."""

    kind: CampaignDoorKind | None
    """What the door is; null: it is not known by which door these people came."""
    id: str | None
    """Its id."""


class DayFigures(Counted):
    """The figures of one door on one day."""

    day: date
    """A day in Shanghai."""
    kind: CampaignDoorKind | None
    """What the door is."""
    id: str | None
    """Its id."""


class FiguresOut(ApiModel):
    """The figures of a campaign."""

    total: Counted
    """All doors and days together."""
    doors: list[DoorFigures]
    """Each door of the campaign, and each former one by which somebody came."""
    days: list[DayFigures]
    """Each door and day with figures, the earliest day first."""
    follows: int
    """Follows by the QR codes among the doors, on those of these days that the campaign has a part
    of.
    """
    invited: int
    """People who came by invitations since the campaign began, each once by the UnionID."""
    invited_left: int
    """How many of them have left since."""
    cost_per_follower: Decimal | None
    """The whole cost by such follows on all days of the campaign; null without a cost or a follow.
    """
    cost_per_redemption: Decimal | None
    """The whole cost by all codes that were redeemed; null without a cost or a redemption."""


class InvitationIn(ApiModel):
    """A person who is to get their own QR code."""

    model_config = ConfigDict(extra="forbid")

    appid: Annotated[str, Field(pattern=APPID_PATTERN)]
    """The Official Account that people follow by the code."""
    openid: WeChatId
    """The person at this account."""


class InvitationOut(ApiModel):
    """A person's own QR code in a campaign, and who came by it."""

    qrcode_id: UUID
    """The id of the QR code."""
    appid: str
    """The Official Account."""
    openid: str | None
    """Whose it is; a pseudonym after an erasure, null long after the end of the campaign."""
    picture_url: str
    """The picture, which anybody can load."""
    state: QrState
    """Whether it can be scanned."""
    came: int
    """People who came by it: new follows during the campaign, each UnionID once, never itself."""
    left: int
    """How many of them have left since."""
    created_at: datetime
    """When it was asked for."""

    @classmethod
    def of(cls, found: InvitationCount, base_url: str, now: datetime) -> Self:
        """Return the JSON of an invitation. base_url: of the picture."""
        code = found.qrcode
        return cls(
            qrcode_id=code.id,
            appid=code.appid,
            openid=found.openid,
            picture_url=picture_url(base_url, code.slug),
            state=state_of(code, now),
            came=found.came,
            left=found.gone,
            created_at=code.created_at,
        )


class InvitationPage(ApiModel):
    """Invitations, the newest first."""

    items: list[InvitationOut]
    """The invitations."""
    next: UUID | None
    """`before` of the next page; null after the last one."""
