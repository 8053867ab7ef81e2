"""The rules of a document after all checks. In memory is only what they are told apart by."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson
from pydantic import ValidationError

from app.json_values import TOO_MANY, are_too_many
from app.rules.definition.validation_errors import (
    MAX_PROBLEMS,
    InvalidRequest,
    Problem,
    problems_in,
)
from app.rules.definition.validation_messages import message_for
from app.rules.editing import edit
from app.rules.editing.check_sendable import SendableCheck
from app.rules.editing.room import MAX_RULES, NOTHING, require_within, weight_of
from app.rules.importing.byte_source import ByteSource
from app.rules.importing.document import DocumentFormat, ImportedRule, read_items
from app.rules.importing.limits import MEMBER
from app.rules.importing.scratch import Scratch
from app.settings import Settings


class Head(NamedTuple):
    """What a rule is told apart by. id: the stored rule that it replaces, if it names one."""

    id: int | None
    name: str
    appid: str | None


class ImportedRules:
    """Rules by number, in the order of the document. `close` frees the room on disk.

    folder: where the room is, if it may be.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.heads: list[Head] = []
        self.weight = NOTHING
        self._columns = Scratch(folder)

    @classmethod
    def of(cls, rules: Iterable[ImportedRule]) -> Self:
        """Return these rules."""
        kept = cls()
        for rule in rules:
            kept.add(rule)
        return kept

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.heads)

    def add(self, rule: ImportedRule) -> None:
        """Add a rule."""
        appid = None if rule.appid is None else sys.intern(rule.appid)
        self.heads.append(Head(rule.id, rule.name, appid))
        columns = edit.columns(rule)
        self.weight = self.weight.plus(weight_of(columns))
        self._columns.add(orjson.dumps(columns))

    def encoded(self, number: int) -> bytes:
        """Return the columns of a rule as JSON."""
        return self._columns[number]

    def columns(self, number: int) -> dict[str, Any]:
        """Return the values of the columns in which a rule is stored."""
        columns: dict[str, Any] = orjson.loads(self._columns[number])
        return columns

    def close(self) -> None:
        """Forget them."""
        self.heads.clear()
        self._columns.close()


def read_rules(stream: ByteSource, format: DocumentFormat, settings: Settings) -> ImportedRules:
    """Return the rules of a document after all checks. Raises InvalidRequest.

    It ends at MAX_PROBLEMS problems, however many more there are. It takes long for many rules.
    """
    rules, check = ImportedRules(settings.data_dir), SendableCheck(settings)
    problems: list[Problem] = []
    try:
        for number, item in enumerate(read_items(stream, format)):
            if number == MAX_RULES:
                raise InvalidRequest([_too_many_rules()])
            problems += _take(rules, item, check, ["body", MEMBER, number])
            require_within(rules.weight, rules.weight)
            if len(problems) >= MAX_PROBLEMS:
                break
        if problems:
            raise InvalidRequest(problems[:MAX_PROBLEMS])
    except BaseException:
        rules.close()
        raise
    return rules


def _take(
    rules: ImportedRules, item: object, check: SendableCheck, where: Sequence[str | int]
) -> Iterator[Problem]:
    """Add one rule; yield what is wrong with it instead."""
    if are_too_many(item):
        yield Problem(loc=[*where], msg=TOO_MANY, type="too_long")
        return
    try:
        rule = ImportedRule.model_validate(item)
    except ValidationError as error:
        yield from problems_in(error.errors(include_url=False, include_input=False), *where)
        return
    found = list(check.problems(rule, where))
    if not found:
        rules.add(rule)
    yield from found


def _too_many_rules() -> Problem:
    error = {"type": "too_long", "ctx": {"max_length": MAX_RULES, "field_type": "List"}}
    return Problem(loc=["body", MEMBER], msg=message_for(error), type="too_long")
