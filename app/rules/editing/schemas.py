"""Earlier states of a rule, as `/api/rules` returns them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.rules.models import RuleChange


class Revision(BaseModel):
    """One state that a rule was in. operator: whose change it was."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    revision: int
    change: RuleChange
    rule: dict[str, Any]
    operator: str
    changed_at: datetime


class Revisions(BaseModel):
    """States of a rule, the newest first.

    next: pass it as `before` for the next page; null on the last one.
    """

    items: list[Revision]
    next: int | None
