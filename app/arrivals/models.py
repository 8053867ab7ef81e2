"""Tables of arrivals: what mini-programs report, and which door of ours led there."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, Index, Numeric, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class ArrivalKind(StrEnum):
    """What is reported: a mini-program was entered, or somebody did in it what counts as success.

    launch: every entry, cold or warm. conversion: a purchase, a booking and the like.
    """

    LAUNCH = "launch"
    CONVERSION = "conversion"


class Basis(StrEnum):
    """By what an arrival is attributed; all but the first are weaker.

    ref: a `{ref}` of ours came back. scene: the scene says that it came from an Official Account;
    the door is what was sent last to this person before, if anything fits. launch: a conversion
    without a ref has the door of the person's last launch before it. none: nothing is known.
    """

    REF = "ref"
    SCENE = "scene"
    LAUNCH = "launch"
    NONE = "none"


class LeftOut(StrEnum):
    """Why an arrival counts in no figure.

    crawler: WeChat's crawler came, no person. repeat: the same person entered by the same scene
    and query a moment before. forwarded: the ref belongs to what was sent to somebody else.
    """

    CRAWLER = "crawler"
    REPEAT = "repeat"
    FORWARDED = "forwarded"


class Door(StrEnum):
    """What of ours led there. An article is a link."""

    REPLY = "reply"
    MENU = "menu"
    NOTICE = "notice"
    LINK = "link"


def _index_of_opens(door: str, *columns: str) -> Index:
    """Return the index that finds the launches of a door that count, by time."""
    return Index(
        f"ix_arrivals_opens_{door}",
        *columns,
        "at",
        postgresql_where=text(
            f"kind = 'launch' AND left_out IS NULL AND {columns[-1]} IS NOT NULL"
        ),
        postgresql_concurrently=True,
    )


class Arrival(Base):
    """One report that was accepted. It is written once, and once more when it is settled.

    appid: of the mini-program. report_key: hash of the reporter's id. at: by the reporter's clock.
    openid: at the mini-program. unionid: as reported, or as known when it was settled. query:
    `name=value` joined by `&`. refs: what in the report may be a ref, the likeliest first; empty
    once it is settled.

    Settled by the job alone, in the order of `position`, which is NULL until then: basis, left_out,
    ref and all that follows. try_at: when the job looks at it again; NULL once it is settled.
    account, recipient: to which OpenID of which Official Account the door was sent, and when it
    was (sent_at). callback_id: of the push that was answered; qrcode_id: of its scene.
    """

    __tablename__ = "arrivals"
    __table_args__ = (
        UniqueConstraint("appid", "report_key"),
        Index(
            "ix_arrivals_position",
            "position",
            unique=True,
            postgresql_where=text("position IS NOT NULL"),
        ),
        Index("ix_arrivals_waiting", "try_at", postgresql_where=text("try_at IS NOT NULL")),
        Index(
            "ix_arrivals_openid",
            "appid",
            "openid",
            "at",
            postgresql_where=text("openid IS NOT NULL"),
        ),
        Index("ix_arrivals_unionid", "unionid", "at", postgresql_where=text("unionid IS NOT NULL")),
        Index(
            "ix_arrivals_recipient",
            "account",
            "recipient",
            postgresql_where=text("recipient IS NOT NULL"),
        ),
        Index(
            "ix_arrivals_full",
            "received_at",
            postgresql_where=text("query IS NOT NULL OR path IS NOT NULL"),
        ),
        _index_of_opens("rule", "rule_id"),
        _index_of_opens("qrcode", "qrcode_id"),
        _index_of_opens("button", "account", "menu_position"),
        _index_of_opens("link", "link_id"),
        _index_of_opens("send", "send_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7: also the order of arrival
    kind: Mapped[ArrivalKind]
    appid: Mapped[str]
    report_key: Mapped[bytes] = mapped_column(BYTEA())
    received_at: Mapped[datetime]
    at: Mapped[datetime]
    openid: Mapped[str | None]
    unionid: Mapped[str | None]
    scene: Mapped[int | None]
    path: Mapped[str | None]
    query: Mapped[str | None]
    referrer_appid: Mapped[str | None]
    name: Mapped[str | None]
    value: Mapped[Decimal | None] = mapped_column(Numeric())
    currency: Mapped[str | None]
    refs: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    try_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    position: Mapped[int | None]
    basis: Mapped[Basis | None]
    left_out: Mapped[LeftOut | None]
    ref: Mapped[str | None]
    door: Mapped[Door | None]
    account: Mapped[str | None]
    recipient: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    callback_id: Mapped[UUID | None]
    reply_id: Mapped[UUID | None]
    rule_id: Mapped[int | None]
    qrcode_id: Mapped[UUID | None]
    notice_id: Mapped[UUID | None]
    send_id: Mapped[UUID | None]
    link_id: Mapped[UUID | None]
    menu_number: Mapped[int | None]
    menu_position: Mapped[str | None]


class ArrivalProgress(Base):
    """The only row: the position of the arrival that was settled last. Its lock orders the job."""

    __tablename__ = "arrival_progress"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    position: Mapped[int]
