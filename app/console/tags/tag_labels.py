"""What actions and states of runs are called, and what can be wrong with a form. Pure."""

from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_
from app.tags.models import TagAction, TagRunState

ACTIONS: Final[dict[TagAction, str]] = {
    TagAction.TAG: N_("tag followers"),
    TagAction.UNTAG: N_("untag followers"),
    TagAction.PULL: N_("read from WeChat"),
}
STATES: Final[dict[TagRunState, Label]] = {
    TagRunState.RUNNING: Label(N_("in progress"), Level.ACTIVE),
    TagRunState.DONE: Label(N_("finished"), Level.GOOD),
    TagRunState.STOPPED: Label(N_("stopped"), Level.LOOK),
    TagRunState.FAILED: Label(N_("refused by WeChat"), Level.FAULT),
}
# What a run was narrowed to, by the name of the filter.
FILTERS: Final[dict[str, str]] = {
    "scene": N_("QR scene"),
    "how": N_("Came by"),
    "seen_since": N_("Seen since"),
    "seen_before": N_("Last seen before"),
    "tag_id": N_("Tag that they have"),
}
NAME: Final = N_("A name has 1 to 30 characters.")
TOO_MANY_RUNS: Final = N_("Too many runs go on: wait for the end of one, or stop it.")
