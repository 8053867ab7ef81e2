"""What the console shows of an import, in the form in which it is stored."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final

from app.rules.definition.validation_errors import Problem
from app.rules.importing import plan
from app.rules.importing.plan import Plan, RuleDiff

MAX_SHOWN: Final = 200
"""Rules of one kind, lines about what is not imported, and problems."""

MAX_LINE: Final = 1000
"""Characters of a name, of a line or of a problem; a document may hold longer ones."""

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def preview_of(made: Plan, skipped: Sequence[str]) -> dict[str, Any]:
    """Return the lists of a preview: `added`, `changed`, `removed` and `skipped`.

    Each has at most MAX_SHOWN. A rule has `name` and `fields`, the names of what changes. skipped:
    lines about what could not be made a rule; those about rules that are left alone follow them.
    skipped_count: how many lines there are.
    """
    lines = chain(skipped, plan.skipped(made))
    return {
        "added": [_rule(made.rules.heads[number].name) for number in made.added[:MAX_SHOWN]],
        "changed": [*_diffs(made, [at for _, _, at in made.changed[:MAX_SHOWN]])],
        "removed": [*_diffs(made, [at for _, at in made.removed[:MAX_SHOWN]])],
        "skipped": [storable(line) for line in islice(lines, MAX_SHOWN)],
        "skipped_count": len(skipped) + len(made.conflicts),
    }


def problems_of(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Return problems of a document as they are stored: `where` in it, and `msg`."""
    return [
        {
            "where": storable(".".join(str(part) for part in problem.loc if part != "body")),
            "msg": storable(problem.msg),
        }
        for problem in problems[:MAX_SHOWN]
    ]


def storable(text: str) -> str:
    """Return a text as Postgres takes it, up to MAX_LINE characters.

    A document may bring what it refuses: NUL, and half of a surrogate pair.
    """
    kept = text[:MAX_LINE].replace("\x00", _REPLACEMENT)
    return kept.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _diffs(made: Plan, places: Sequence[int]) -> Iterator[dict[str, Any]]:
    for at in places:
        found = RuleDiff.model_validate_json(made.diffs[at])
        yield _rule(found.name, found.fields)


def _rule(name: str, fields: Sequence[str] | dict[str, Any] = ()) -> dict[str, Any]:
    return {"name": storable(name), "fields": [storable(field) for field in fields]}
