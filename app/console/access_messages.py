"""What is wrong with a request about operators and tokens, in the operator's language."""

from typing import Final

from app.access.errors import AccessError, InvalidName, LastOwner, NameTaken
from app.console.messages import N_

_MESSAGES: Final = {
    InvalidName: N_("A name has 1 to 40 characters, all of them visible."),
    NameTaken: N_("This name is in use, or was in use before: choose another one."),
    LastOwner: N_("This is the last owner: make somebody else an owner first."),
}
_OTHER: Final = N_("This can't be done: look at the list again.")


def message_of(error: AccessError) -> str:
    """Return the message that says what to do."""
    return _MESSAGES.get(type(error), _OTHER)
