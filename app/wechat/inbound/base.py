"""The fields that every push has."""

from dataclasses import field
from typing import ClassVar, Literal

from app.value_class import value_class


@value_class(kw_only=True, repr=False)
class Push:
    """One message or event.

    to_user: original id of the account (`gh_…`), "" if the push has none. from_user: OpenID of the
    sender, or a platform account; "" for an event of nobody; `sha256:…` in place of a name that is
    too long for an id. create_time: Unix seconds by WeChat's clock. payload: the whole parsed
    document.
    Source: protocol 4.1.
    """

    to_user: str
    from_user: str
    create_time: int
    payload: dict[str, object] = field(hash=False)

    def __repr__(self) -> str:
        # Tracebacks and logs show this, and must not hold message text or ids of people.
        return f"<{type(self).__name__}>"


@value_class(kw_only=True, repr=False)
class BaseEvent(Push):
    """An event: something that a person did or WeChat reports, as opposed to a message."""

    msgtype: ClassVar[Literal["event"]] = "event"
