"""Tables of the funnel: touches, their sums, and the members of cohorts."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class FunnelProgress(Base):
    """The one row. Whoever changes anything of this package but marks holds its lock.

    callback_id, position, arrival_position: up to where callbacks, the history of follows, and
    arrivals are counted. counted_until: the time that belongs to callback_id. time_zone,
    opened_days, converted_days: of the sums; NULL until they are made. making_time_zone,
    making_opened_days, making_converted_days: of the sums that are being made; NULL: none are.
    """

    __tablename__ = "funnel_progress"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    callback_id: Mapped[UUID]
    position: Mapped[int]
    arrival_position: Mapped[int]
    counted_until: Mapped[datetime | None]
    time_zone: Mapped[str | None]
    opened_days: Mapped[int | None]
    converted_days: Mapped[int | None]
    making_time_zone: Mapped[str | None]
    making_opened_days: Mapped[int | None]
    making_converted_days: Mapped[int | None]


class FunnelMark(Base):
    """A touch of which something changed since it was counted, or that would be missed.

    kind: push (touch_id: of the callback, which arrived behind the cursor, or of which a reply was
    sent) or notice. Database functions write it.
    """

    __tablename__ = "funnel_marks"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str]
    touch_id: Mapped[UUID]


class FunnelTouch(Base):
    """A push, a notice or a launch; its id is that of the callback, notice or arrival.

    source: push, notice or launch. person: the OpenID, of a launch the UnionID; its pseudonym once
    erased; empty if nobody knows. doors: empty text for the account; rule:…, qrcode:…, button:…,
    link:…, notice:… and campaign:…, without an id for all of them; within:…/…, a door within a
    campaign. matched, followed, sent: what is known of it. opened_after, converted_after: seconds
    from the send to the first launch and conversion. opened_exact, converted_exact: whether one of
    these is known by its ref. campaigns_taken: whether an erasure has taken its campaigns to
    another touch.
    """

    __tablename__ = "funnel_touches"
    __table_args__ = (
        Index(None, "person", "appid", "at"),
        Index(None, "appid", "at"),
        # What no list of a step has; see `funnel.erased_count`.
        Index(
            "ix_funnel_touches_anonymous",
            "at",
            postgresql_where=text("person LIKE 'anonymous:%'"),
            postgresql_concurrently=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    appid: Mapped[str]
    person: Mapped[str]
    at: Mapped[datetime]
    doors: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    matched: Mapped[bool]
    followed: Mapped[bool]
    sent: Mapped[bool]
    opened_after: Mapped[int | None]
    converted_after: Mapped[int | None]
    opened_exact: Mapped[bool]
    converted_exact: Mapped[bool]
    campaigns_taken: Mapped[bool] = mapped_column(server_default=text("false"))


class FunnelCampaign(Base):
    """A campaign as its touches are counted.

    revision: of the campaign; NULL once it is deleted. recount_from, recount_until: the time whose
    touches are still to be counted again.
    """

    __tablename__ = "funnel_campaigns"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    recount_from: Mapped[datetime | None]
    recount_until: Mapped[datetime | None]


class FunnelCampaignDoor(Base):
    """A door of such a campaign. door: as touches name it; a button by its account and place."""

    __tablename__ = "funnel_campaign_doors"
    __table_args__ = (Index(None, "campaign_id"),)

    door: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(
        ForeignKey("funnel_campaigns.id", ondelete="CASCADE"), primary_key=True
    )


class _DayNumbers:
    """Of touches on one day: how often each step was reached, and by how many people."""

    received: Mapped[int]
    matched: Mapped[int]
    followed: Mapped[int]
    sent: Mapped[int]
    opened: Mapped[int]
    converted: Mapped[int]
    opened_estimated: Mapped[int]
    converted_estimated: Mapped[int]
    received_people: Mapped[int]
    matched_people: Mapped[int]
    followed_people: Mapped[int]
    sent_people: Mapped[int]
    opened_people: Mapped[int]
    converted_people: Mapped[int]


class FunnelDay(_DayNumbers, Base):
    """Touches of a door by the day on which they happened, in times and in people."""

    __tablename__ = "funnel_days"
    __table_args__ = (
        Index(
            "ix_funnel_days_empty",
            "appid",
            postgresql_where=text("received = 0 AND sent = 0 AND opened = 0"),
        ),
    )

    appid: Mapped[str] = mapped_column(primary_key=True)
    door: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)


class FunnelDayChange(_DayNumbers, Base):
    """What changed of such a row while the sums were made."""

    __tablename__ = "funnel_day_changes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    appid: Mapped[str]
    door: Mapped[str]
    day: Mapped[date]


class FunnelPair(Base):
    """How many people reached a step on a day and did so before, on the day `before`, last."""

    __tablename__ = "funnel_pairs"
    __table_args__ = (Index("ix_funnel_pairs_empty", "appid", postgresql_where=text("people = 0")),)

    appid: Mapped[str] = mapped_column(primary_key=True)
    door: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    before: Mapped[date] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    people: Mapped[int]


class FunnelPairChange(Base):
    """What changed of such a row while the sums were made."""

    __tablename__ = "funnel_pair_changes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    appid: Mapped[str]
    door: Mapped[str]
    before: Mapped[date]
    day: Mapped[date]
    step: Mapped[str]
    people: Mapped[int]


class FunnelMonthPair(Base):
    """The same with the month of the day before; `-infinity`: never, or over a year before."""

    __tablename__ = "funnel_month_pairs"
    __table_args__ = (
        Index("ix_funnel_month_pairs_empty", "appid", postgresql_where=text("people = 0")),
        # Whose step was the first in a range, by many doors at once: a year has for each door and
        # day a row of each month before, of which one or two are read.
        Index(
            "ix_funnel_month_pairs_first",
            "appid",
            "door",
            "before_month",
            "day",
            "step",
            postgresql_include=["people"],
            postgresql_concurrently=True,
        ),
    )

    appid: Mapped[str] = mapped_column(primary_key=True)
    door: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    before_month: Mapped[date] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    people: Mapped[int]


class FunnelMonthPairChange(Base):
    """What changed of such a row while the sums were made."""

    __tablename__ = "funnel_month_pair_changes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    appid: Mapped[str]
    door: Mapped[str]
    day: Mapped[date]
    before_month: Mapped[date]
    step: Mapped[str]
    people: Mapped[int]


class CohortMember(Base):
    """A new follow: when it was, and after how many seconds what followed. NULL: it did not.

    openid: NULL once it is erased how the person came. Such a row counts by scene alone; what it
    says of times is as rough as the figures are. scene: of the QR code.
    """

    __tablename__ = "cohort_members"
    __table_args__ = (
        Index(None, "appid", "followed_at"),
        Index(None, "openid", "appid", postgresql_where=text("openid IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    appid: Mapped[str]
    openid: Mapped[str | None]
    scene: Mapped[str | None]
    followed_at: Mapped[datetime]
    left_after: Mapped[int | None]
    wrote_after: Mapped[int | None]
    arrived_after: Mapped[int | None]
    converted_after: Mapped[int | None]
