"""What the values of the service are called on the pages, and how grave they are."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar, cast

from app.access.roles import Role
from app.console.messages import N_
from app.db.stored_enum import is_known
from app.replies.models import ReplyStatus


class Level(StrEnum):
    """How grave a thing is: the colour of its badge."""

    NEUTRAL = "neutral"
    ACTIVE = "active"
    GOOD = "good"
    LOOK = "look"
    FAULT = "fault"


class Label(NamedTuple):
    """The name of a value. label, help: messages; help: one line, or empty."""

    label: str
    level: Level = Level.NEUTRAL
    help: str = ""


_Name = TypeVar("_Name", str, Label)


def named(names: Mapping[Any, _Name], value: StrEnum) -> _Name:
    """Return what a stored value is called; one that only a newer release knows by its value."""
    if is_known(value):
        return names[value]
    has_labels = isinstance(next(iter(names.values()), ""), Label)
    return cast("_Name", Label(value.value) if has_labels else value.value)


ROLES: Final[Mapping[Role, Label]] = {
    Role.VIEWER: Label(N_("Viewer"), help=N_("reads; texts and OpenIDs are masked")),
    Role.EDITOR: Label(N_("Editor"), help=N_("changes rules and webhooks, sends replies again")),
    Role.OWNER: Label(N_("Owner"), help=N_("manages operators and tokens, erases people")),
}

FATES: Final[Mapping[ReplyStatus, Label]] = {
    ReplyStatus.PENDING: Label(N_("Waiting to be sent")),
    ReplyStatus.SENDING: Label(N_("Being sent"), Level.ACTIVE),
    ReplyStatus.HELD: Label(
        N_("Held"), Level.LOOK, N_("is sent when the follower's next action opens a send window")
    ),
    ReplyStatus.SENT: Label(N_("Sent"), Level.GOOD),
    ReplyStatus.FAILED: Label(N_("Not delivered"), Level.FAULT),
    ReplyStatus.EXPIRED: Label(
        N_("Expired"), Level.FAULT, N_("its send window ended before it was sent")
    ),
    ReplyStatus.SKIPPED: Label(
        N_("Skipped"), help=N_("was not sent: the person does not follow any more")
    ),
}
UNCERTAIN: Final = Label(
    N_("Uncertain"), Level.LOOK, N_("WeChat may have sent it: the answer did not arrive")
)
