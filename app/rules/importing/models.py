"""Tables of the imports that the console begins and a worker carries out."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.rules.importing.document import DocumentFormat


class ImportSource(StrEnum):
    """Where the rules come from.

    file: a document with all rules, which takes their place. wechat: what WeChat says about the
    automatic replies of its console, which are added.
    """

    FILE = "file"
    WECHAT = "wechat"


class ImportState(StrEnum):
    """The state of an import.

    checking: a worker reads the document and compares it. previewed: an operator is to look at the
    difference. changed: likewise, as the rules have changed since the preview before. importing: a
    worker makes the changes. done: they are made. refused: the document can't be imported. failed:
    workers have tried too often. expired: nobody began it in time.
    """

    CHECKING = "checking"
    PREVIEWED = "previewed"
    CHANGED = "changed"
    IMPORTING = "importing"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"


class ImportStep(StrEnum):
    """What a worker is at. waiting: no worker has come to it."""

    WAITING = "waiting"
    READING = "reading"
    COMPARING = "comparing"
    WRITING = "writing"


class RuleImport(Base):
    """One import. size, digest: of the document in bytes, and its SHA-256.

    done, total: of the step, in bytes of the document or in rules. tries: how often a worker has
    begun what `state` asks for. version: of the rules that the preview was compared with. added,
    changed, removed, unchanged: how many rules; preview: which, see `Preview`. problems: why it was
    refused. created_by: the operator who began it. actor_name, actor_address: who had the changes
    made, as the audit log names them.
    """

    __tablename__ = "rule_imports"
    __table_args__ = (
        Index("ix_rule_imports_open", "id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # UUIDv7
    source: Mapped[ImportSource]
    account: Mapped[str | None]
    file_name: Mapped[str | None]
    format: Mapped[DocumentFormat]
    size: Mapped[int]
    digest: Mapped[bytes]
    state: Mapped[ImportState]
    step: Mapped[ImportStep]
    done: Mapped[int]
    total: Mapped[int]
    tries: Mapped[int]
    version: Mapped[int | None]
    added: Mapped[int | None]
    changed: Mapped[int | None]
    removed: Mapped[int | None]
    unchanged: Mapped[int | None]
    preview: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    problems: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    created_by: Mapped[str]
    actor_name: Mapped[str | None]
    actor_address: Mapped[str | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RuleImportPart(Base):
    """A part of the document of an import that is not over. number: from 0."""

    __tablename__ = "rule_import_parts"

    import_id: Mapped[UUID] = mapped_column(
        ForeignKey("rule_imports.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes]
