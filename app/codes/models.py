"""Tables of codes, and of the imports that fill a pool."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class CampaignCode(Base):
    """A code of the pool of a campaign.

    number: the order in which codes are given. given_at: NULL while it is free. appid, openid,
    unionid: whom it belongs to; pseudonyms once the person is erased, NULL once the campaign is
    long over. door_kind, door_id: by what the person came. redemption_key: of the caller that
    redeemed it. void_at: since when it is worth nothing, as its person has
    another code of the pool.

    The unique indexes are what keeps a person from getting two, whoever gives them at once.
    """

    __tablename__ = "campaign_codes"
    __table_args__ = (
        Index(
            "ix_campaign_codes_free",
            "campaign_id",
            "number",
            postgresql_where=text("given_at IS NULL"),
        ),
        Index(
            "uq_campaign_codes_openid",
            "openid",
            "appid",
            "campaign_id",
            unique=True,
            postgresql_where=text("openid IS NOT NULL AND void_at IS NULL"),
        ),
        Index(
            "uq_campaign_codes_unionid",
            "unionid",
            "campaign_id",
            unique=True,
            postgresql_where=text("unionid IS NOT NULL AND void_at IS NULL"),
        ),
        Index(
            "ix_campaign_codes_given",
            "campaign_id",
            "given_at",
            postgresql_where=text("given_at IS NOT NULL"),
        ),
        Index(
            "ix_campaign_codes_redeemed",
            "campaign_id",
            "redeemed_at",
            postgresql_where=text("redeemed_at IS NOT NULL"),
        ),
    )

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity(always=True))
    given_at: Mapped[datetime | None]
    appid: Mapped[str | None]
    openid: Mapped[str | None]
    unionid: Mapped[str | None]
    door_kind: Mapped[str | None]
    door_id: Mapped[str | None]
    redeemed_at: Mapped[datetime | None]
    redemption_key: Mapped[str | None]
    void_at: Mapped[datetime | None]


class ImportSource(StrEnum):
    """Where codes come from: a file of the operator's, or the service draws them."""

    FILE = "file"
    GENERATED = "generated"


class ImportState(StrEnum):
    """The state of an import. receiving: its file is being sent. running: the worker adds codes."""

    RECEIVING = "receiving"
    RUNNING = "running"
    DONE = "done"


class CodeImport(Base):
    """Codes that are added to a pool by one call.

    key: of the caller, so that a repeated call draws no further codes. prefix, length: of codes
    that are drawn. total: how many it brings; added: how many of them were new; present: how
    many the pool had already.
    """

    __tablename__ = "code_imports"
    __table_args__ = (
        Index(None, "campaign_id", "id"),
        Index(
            "uq_code_imports_key",
            "campaign_id",
            "key",
            unique=True,
            postgresql_where=text("key IS NOT NULL"),
        ),
        Index("ix_code_imports_open", "created_at", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    campaign_id: Mapped[UUID]
    source: Mapped[ImportSource]
    state: Mapped[ImportState]
    key: Mapped[str | None]
    prefix: Mapped[str]
    length: Mapped[int]
    total: Mapped[int]
    added: Mapped[int]
    present: Mapped[int]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class CodeImportPart(Base):
    """Codes of an import that are checked and not in the pool yet; deleted as they are added."""

    __tablename__ = "code_import_parts"

    import_id: Mapped[UUID] = mapped_column(
        ForeignKey("code_imports.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    codes: Mapped[list[str]] = mapped_column(ARRAY(Text()))


class CodeDayCount(Base):
    """By how much the given or redeemed codes of a door on a day of UTC+8 became more or fewer.

    The sum of `count` is how many there are. measure: given or redeemed; a code that is void counts
    in neither. is_merged: whether the row is the sum of earlier rows.
    """

    __tablename__ = "code_day_counts"
    __table_args__ = (
        Index(None, "campaign_id", "day"),
        Index("ix_code_day_counts_new", "id", postgresql_where=text("NOT is_merged")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    campaign_id: Mapped[UUID]
    day: Mapped[date]
    door_kind: Mapped[str | None]
    door_id: Mapped[str | None]
    measure: Mapped[str]
    count: Mapped[int]
    is_merged: Mapped[bool] = mapped_column(server_default=text("false"))
