"""What the states and steps of an import are called."""

from collections.abc import Mapping
from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_
from app.rules.importing.models import ImportSource, ImportState, ImportStep

SOURCES: Final[Mapping[ImportSource, str]] = {
    ImportSource.FILE: N_("File"),
    ImportSource.WECHAT: N_("WeChat's console"),
}
STATES: Final[Mapping[ImportState, Label]] = {
    ImportState.CHECKING: Label(N_("Being checked"), Level.ACTIVE),
    ImportState.PREVIEWED: Label(N_("Waits for you"), Level.LOOK, N_("nothing is changed yet")),
    ImportState.CHANGED: Label(
        N_("Waits for you"), Level.LOOK, N_("the rules have changed since the preview before")
    ),
    ImportState.IMPORTING: Label(N_("Being imported"), Level.ACTIVE),
    ImportState.DONE: Label(N_("Imported"), Level.GOOD),
    ImportState.REFUSED: Label(N_("Refused"), Level.FAULT, N_("nothing was changed")),
    ImportState.FAILED: Label(N_("Given up"), Level.FAULT, N_("nothing was changed")),
    ImportState.EXPIRED: Label(N_("Expired"), Level.NEUTRAL, N_("nothing was changed")),
}
STEPS: Final[Mapping[ImportStep, str]] = {
    ImportStep.WAITING: N_("Waits for a worker"),
    ImportStep.READING: N_("Bytes of the document that are read"),
    ImportStep.COMPARING: N_("Rules that are compared"),
    ImportStep.WRITING: N_("Rules that are written"),
}
