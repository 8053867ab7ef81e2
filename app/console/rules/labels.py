"""What conflicts, and the changes of rules, are called."""

from collections.abc import Mapping
from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_
from app.rules.conflicts.detect import ConflictKind
from app.rules.models import RuleChange

CONFLICTS: Final[Mapping[ConflictKind, Label]] = {
    ConflictKind.IDENTICAL: Label(
        N_("Same trigger"), Level.LOOK, N_("a better rule waits for the same")
    ),
    ConflictKind.SHADOWED: Label(
        N_("Shadowed"), Level.LOOK, N_("a better rule answers all that this one waits for")
    ),
    ConflictKind.EXPIRED: Label(N_("Over"), Level.NEUTRAL, N_("its period has ended")),
    ConflictKind.MINI_PROGRAM: Label(
        N_("Mini-program not configured"),
        Level.FAULT,
        N_("a reply opens a mini-program that is not in the settings"),
    ),
}
CHANGES: Final[Mapping[RuleChange, str]] = {
    RuleChange.ADDED: N_("added the rule"),
    RuleChange.CHANGED: N_("changed the rule"),
    RuleChange.RESTORED: N_("restored an earlier revision"),
    RuleChange.DELETED: N_("deleted the rule"),
}
