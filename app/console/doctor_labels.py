"""What the states of the doctor are called on the pages."""

from collections.abc import Mapping
from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_
from app.doctor.finding import State

STATES: Final[Mapping[State, Label]] = {
    State.OK: Label(N_("OK"), Level.GOOD),
    State.LOOK: Label(N_("Needs a look"), Level.LOOK),
    State.FAULT: Label(N_("Fault"), Level.FAULT),
    State.NOT_APPLICABLE: Label(N_("Not applicable")),
}
VERDICTS: Final[Mapping[State, str]] = {
    State.OK: N_("All is well."),
    State.LOOK: N_("It works, but something needs a look."),
    State.FAULT: N_("Something does not work."),
}
