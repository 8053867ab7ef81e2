"""What a page says about what was just done; the address names it by a word."""

from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_

NOTICES: Final = {
    "saved": Label(N_("Saved"), Level.GOOD, N_("Every process uses the rule within a second.")),
    "deleted": Label(N_("Deleted"), Level.GOOD, N_("Its history is kept, and can be restored.")),
    "restored": Label(N_("Restored"), Level.GOOD, N_("It is a new revision of the rule.")),
    "switched": Label(N_("Switched"), Level.GOOD),
    "moved": Label(N_("Moved"), Level.GOOD, N_("The priority of the rule is changed.")),
    "stale": Label(
        N_("Nothing was changed"),
        Level.LOOK,
        N_("Somebody else has changed the rule meanwhile. Look at it, and repeat it."),
    ),
    "invalid": Label(
        N_("Nothing was changed"),
        Level.FAULT,
        N_("The rule can't be used any more as it was then. Open it and correct it."),
    ),
    "full": Label(
        N_("Nothing was changed"),
        Level.FAULT,
        N_("The rules are as many, or as large, as they may be. Delete some of them first."),
    ),
}


def notice_of(done: str | None) -> Label | None:
    """Return the notice that a word stands for."""
    return NOTICES.get(done or "")
