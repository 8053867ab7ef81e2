"""Checks a rule as it was typed, with what `/api/rules` checks, and finds keywords that repeat."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from app.console.rules.phrases import in_language
from app.phrases import Translate
from app.rules.definition.schemas import RuleIn
from app.rules.definition.validation_errors import InvalidRequest, Problem, problems_in
from app.rules.editing.check_sendable import require_sendable
from app.rules.text.normalize import normalise
from app.settings import Settings


class Checked(NamedTuple):
    """A rule, or None and what is wrong with it by the path of the field."""

    rule: RuleIn | None
    errors: Mapping[str, str]


def parsed(document: Mapping[str, Any], translate: Translate) -> Checked:
    """Return the rule that a document holds. Pure."""
    try:
        return Checked(RuleIn.model_validate(document), {})
    except ValidationError as error:
        found = problems_in(error.errors(include_url=False, include_input=False))
        return Checked(None, errors_of(found, translate))


async def checked(document: Mapping[str, Any], settings: Settings, translate: Translate) -> Checked:
    """Return the rule if it could also be sent."""
    found = parsed(document, translate)
    if found.rule is None:
        return found
    try:
        await require_sendable(found.rule, settings)
    except InvalidRequest as invalid:
        return Checked(None, errors_of(invalid.problems, translate))
    return found


def errors_of(problems: Sequence[Problem], translate: Translate) -> Mapping[str, str]:
    """Return problems by the path of their field, in the operator's language."""
    return {
        ".".join(map(str, problem.loc)): in_language(problem.msg, translate)
        for problem in reversed(problems)
    }


def repeated(keywords: Sequence[str]) -> list[tuple[str, list[int]]]:
    """Return the keywords that are the same for a follower, each with its lines, from 1 on."""
    lines: dict[str, list[int]] = {}
    for number, keyword in enumerate(keywords, 1):
        lines.setdefault(normalise(keyword), []).append(number)
    return [(keywords[numbers[0] - 1], numbers) for numbers in lines.values() if len(numbers) > 1]
