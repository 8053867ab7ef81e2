"""Tables of campaigns and of the doors by which people come to them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class CampaignDoorKind(StrEnum):
    """What leads people to a campaign."""

    RULE = "rule"
    QRCODE = "qrcode"
    MENU_BUTTON = "menu_button"
    LINK = "link"
    NOTICE = "notice"


class Campaign(Base):
    """A campaign from `starts_at` to before `ends_at`.

    target_appid, target_pagepath: the page of a mini-program that it is about. cost: what it costs,
    in `currency`. warn_below: how few codes left are a reason to warn. revision: raised by every
    change. deleted_at: the sweep deletes its codes and then the row. forgotten_at: since when its
    codes name nobody any more, long after its end.
    """

    __tablename__ = "campaigns"
    __table_args__ = (Index(None, "ends_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    name: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    target_appid: Mapped[str | None]
    target_pagepath: Mapped[str | None]
    cost: Mapped[Decimal | None] = mapped_column(Numeric())
    currency: Mapped[str | None]
    warn_below: Mapped[int]
    revision: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]


class CampaignDoor(Base):
    """A door of a campaign. door_id: as the API of its kind names it.

    A menu button is named by its account and its place in the menu, `wx…/2-1`. At any moment a door
    leads to one campaign at most; `store` sees to that under a lock.
    """

    __tablename__ = "campaign_doors"
    __table_args__ = (Index(None, "kind", "door_id"),)

    campaign_id: Mapped[UUID] = mapped_column(
        ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[CampaignDoorKind] = mapped_column(primary_key=True)
    door_id: Mapped[str] = mapped_column(primary_key=True)


class LeftOutFollow(StrEnum):
    """Why a follow by an invitation does not count: the person counts already, or invited."""

    AGAIN = "again"
    SELF = "self"


class Invitation(Base):
    """A person's own QR code in a campaign.

    openid: a pseudonym once the person is erased, NULL once the campaign is long over. person: the
    pseudonym of the UnionID; NULL until that is known.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        Index(
            "uq_invitations_openid",
            "openid",
            "appid",
            "campaign_id",
            unique=True,
            postgresql_where=text("openid IS NOT NULL"),
        ),
        Index(None, "campaign_id", "qrcode_id"),
    )

    qrcode_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    appid: Mapped[str]
    openid: Mapped[str | None]
    person: Mapped[str | None]
    created_at: Mapped[datetime]


class Invited(Base):
    """A new follow by an invitation; event_id: of the follow.

    openid, person: as those of an invitation. left_at: of the first unfollow after it. The unique
    index is what lets a UnionID count once in a campaign.
    """

    __tablename__ = "invited"
    __table_args__ = (
        Index(
            "uq_invited_person",
            "campaign_id",
            "person",
            unique=True,
            postgresql_where=text("person IS NOT NULL AND left_out IS NULL"),
        ),
        Index(None, "campaign_id", "qrcode_id"),
        Index(
            "ix_invited_openid",
            "openid",
            "appid",
            postgresql_where=text("openid IS NOT NULL"),
        ),
        Index(
            "ix_invited_unnamed",
            "followed_at",
            postgresql_where=text("person IS NULL AND openid IS NOT NULL AND left_out IS NULL"),
        ),
    )

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    qrcode_id: Mapped[UUID]
    campaign_id: Mapped[UUID]
    appid: Mapped[str]
    openid: Mapped[str | None]
    person: Mapped[str | None]
    followed_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    left_out: Mapped[LeftOutFollow | None]


class InvitationCursor(Base):
    """The only row: the position of the history up to which follows are counted."""

    __tablename__ = "invitation_cursor"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    position: Mapped[int]
