"""JSON shapes of `/api/audit`."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.access.audit import MAX_PAGE_ROWS, AuditFilter

# Postgres can't store a NUL character, and rejects it in a query.
_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class AuditQuery(BaseModel):
    """Which entries to read; the filters are joined by "and"."""

    model_config = ConfigDict(extra="forbid")

    actor_kind: _Text | None = None
    actor_name: _Text | None = None
    action: _Text | None = None
    subject_kind: _Text | None = None
    subject_id: _Text | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = Field(default=None, description="Entries before this time")

    def audit_filter(self) -> AuditFilter:
        """Return the filter."""
        return AuditFilter(
            self.actor_kind,
            self.actor_name,
            self.action,
            self.subject_kind,
            self.subject_id,
            self.since,
            self.until,
        )


class AuditPageQuery(AuditQuery):
    """Filters and page of the list."""

    before: int | None = Field(
        default=None, ge=1, le=2**63 - 1, description="`next` of the page before"
    )
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)


class AuditEntryOut(BaseModel):
    """Somebody did something.

    actor_kind: operator (in the console), token, admin_token or cli. actor_name: of the operator or
    token; of an admin token the first 8 hex digits of its SHA-256. address: the IP address that
    the service saw; for a command, user and host. before, after: a revision, a role, a state or an
    id. count: of things, where one action is about several. No text of a message, no OpenID and no
    secret is ever here.
    """

    model_config = ConfigDict(from_attributes=True)

    id: int
    occurred_at: datetime
    actor_kind: str
    actor_name: str
    address: str | None
    action: str
    subject_kind: str
    subject_id: str
    before: str | None
    after: str | None
    count: int | None


class AuditPageOut(BaseModel):
    """Entries, the newest first. next: `before` of the next page; null after the last one."""

    items: list[AuditEntryOut]
    next: int | None
