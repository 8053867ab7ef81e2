"""JSON shapes of `/api/audit`."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from app.access.actions import Action
from app.access.actor import ActorKind, SubjectKind
from app.access.audit import MAX_PAGE_ROWS, AuditFilter
from app.api_model import ApiModel
from app.api_time import Time

# Postgres can't store a NUL character, and rejects it in a query.
_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class AuditQuery(ApiModel):
    """Which entries to read; the filters are joined by "and"."""

    model_config = ConfigDict(extra="forbid")

    actor_kind: ActorKind | None = None
    """Only entries of this kind of actor."""
    actor_name: _Text | None = None
    """Only entries of the actor with this name."""
    action: Action | None = None
    """Only entries of this action, such as `rule.changed`."""
    subject_kind: SubjectKind | None = None
    """Only entries about this kind of thing, such as `rule`."""
    subject_id: _Text | None = None
    """Only entries about the thing with this id."""
    since: Time | None = None
    """Entries from this time on."""
    until: Time | None = None
    """Entries before this time."""

    @field_validator("until")
    @classmethod
    def _after_since(cls, until: datetime | None, info: ValidationInfo) -> datetime | None:
        since = info.data.get("since")
        if until is not None and since is not None and until < since:
            raise ValueError("is before `since`: pass a later time, or an earlier `since`")
        return until

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
    """At most so many entries."""


class AuditEntryOut(ApiModel):
    """Somebody did something. No text of a message, no OpenID and no secret is ever here."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    """The number of the entry."""
    occurred_at: datetime
    """When it was done."""
    actor_kind: str
    """In which way: operator (in the console), token, admin_token or cli."""
    actor_name: str
    """The name of the operator or token; of an admin token the first 8 hex digits of its SHA-256;
    `cli` for a command.
    """
    address: str | None
    """From where: the IP address that the service saw; for a command, user and host."""
    action: str
    """What was done, such as `rule.changed`."""
    subject_kind: str
    """To what kind of thing, such as `rule`."""
    subject_id: str
    """Its id."""
    before: str | None
    """A revision, a role, a state or an id before."""
    after: str | None
    """The same afterwards."""
    count: int | None
    """How many things, where one action is about several."""


class AuditPageOut(ApiModel):
    """Entries, the newest first."""

    items: list[AuditEntryOut]
    """The entries."""
    next: int | None
    """Pass it as `before` for the next page; null on the last page."""
