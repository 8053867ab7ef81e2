"""The form that tags or untags people, and what a person can do wrong there. Pure."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from pydantic import BaseModel, Field, ValidationError

from app.console.messages import N_
from app.tags.schemas import MAX_PEOPLE, TagPeopleIn

MAX_TYPED: Final = 500_000
MAX_SEEN_DAYS: Final = 3650
MAX_DIGITS: Final = 5
ACTIONS: Final = {"tag": N_("tag them"), "untag": N_("untag them")}
WHO: Final = {
    "openids": N_("the people with these OpenIDs"),
    "unionids": N_("the people with these UnionIDs"),
    "filter": N_("all followers that match"),
}
PROBLEMS: Final = {
    "action": N_("Choose one of the actions."),
    "who": N_("Choose one of the kinds of people."),
    "ids": N_("Write 1 to 5,000 ids, each on a line of its own."),
    "scene": N_("At most 128 characters."),
    "how": N_("At most 128 characters."),
    "seen_days": N_("Write a number from 1 to 3,650, or nothing."),
}
NOBODY: Final = N_("None of these ids is known at the account.")


class WrongPeople(ValueError):
    """What was typed can't be used. problems: a sentence by the name of the field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(problems)
        self.problems = problems


class PeopleForm(BaseModel):
    """As typed. key: drawn when the form was opened, so that a repeated click starts one run."""

    action: str = Field(default="tag", max_length=MAX_TYPED)
    who: str = Field(default="filter", max_length=MAX_TYPED)
    ids: str = Field(default="", max_length=MAX_TYPED)
    scene: str = Field(default="", max_length=MAX_TYPED)
    how: str = Field(default="", max_length=MAX_TYPED)
    seen_days: str = Field(default="", max_length=MAX_TYPED)
    key: str = Field(default_factory=lambda: str(uuid4()), pattern=r"^[0-9a-f-]{36}$")

    def read(self, now: datetime) -> TagPeopleIn:
        """Return who is meant. Raises WrongPeople."""
        problems = {}
        if self.action not in ACTIONS:
            problems["action"] = PROBLEMS["action"]
        if self.who not in WHO:
            problems["who"] = PROBLEMS["who"]
        ids = [line.strip() for line in self.ids.splitlines() if line.strip()]
        if self.who != "filter" and not 1 <= len(ids) <= MAX_PEOPLE:
            problems["ids"] = PROBLEMS["ids"]
        days = self._days()
        if self.seen_days.strip() and days is None:
            problems["seen_days"] = PROBLEMS["seen_days"]
        if problems:
            raise WrongPeople(problems)
        members: dict[str, Any] = {self.who: ids}
        if self.who == "filter":
            members = {
                "filter": {
                    "scene": self.scene.strip() or None,
                    "how": self.how.strip() or None,
                    "seen_since": None if days is None else now - timedelta(days=days),
                }
            }
        try:
            return TagPeopleIn.model_validate({"action": self.action, "key": self.key, **members})
        except ValidationError as error:
            named = {str(part) for one in error.errors() for part in one["loc"]}
            wrong = {name: PROBLEMS[name] for name in PROBLEMS if name in named}
            raise WrongPeople(wrong or {"ids": PROBLEMS["ids"]}) from None

    def _days(self) -> int | None:
        typed = self.seen_days.strip()
        if not typed.isascii() or not typed.isdigit() or len(typed) > MAX_DIGITS:
            return None
        return int(typed) if 1 <= int(typed) <= MAX_SEEN_DAYS else None
