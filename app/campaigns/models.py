"""Tables of campaigns and of the doors by which people come to them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric
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
