"""Prints what an import of rules changes: each rule, and each member with its old and new value."""

from typing import Final

import orjson
from rich.console import Console

from app.rules.importing.plan import Diff

MAX_VALUE: Final = 300


def show_diff(out: Console, diff: Diff) -> None:
    """Print a line for each rule, one for each changed member, and the sums."""
    for sign, found in (("+", diff.added), ("~", diff.changed), ("-", diff.removed)):
        for rule in found:
            number = "" if rule.id is None else f"{rule.id} "
            out.print(f"{sign} {number}{rule.name}", markup=False)
            for name, change in rule.fields.items():
                values = f"{_value(change.before)} → {_value(change.after)}"
                out.print(f"    {name}: {values}", markup=False)
    verb = "would be" if diff.dry_run else "are"
    out.print(
        f"{len(diff.added)} rules {verb} added, {len(diff.changed)} changed, "
        f"{len(diff.removed)} removed; {diff.unchanged} stay as they are."
    )


def _value(value: object) -> str:
    written = orjson.dumps(value).decode()
    return written if len(written) <= MAX_VALUE else f"{written[:MAX_VALUE]}…"
