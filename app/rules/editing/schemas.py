"""Earlier states of a rule, as `/api/rules` returns them."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict

from app.api_model import ApiModel
from app.rules.models import RuleChange


class Revision(ApiModel):
    """One state that a rule was in."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    revision: int
    """Its number."""
    change: RuleChange
    """How it came about."""
    rule: dict[str, Any]
    """The rule as it was then, as it would be posted."""
    operator: str
    """Who made the change: the name of a token."""
    changed_at: datetime
    """When the change was made."""


class Revisions(ApiModel):
    """States of a rule, the newest first."""

    items: list[Revision]
    """The states."""
    next: int | None
    """Pass it as `before` for the next page; null on the last page."""
