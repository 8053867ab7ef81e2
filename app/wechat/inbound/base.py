"""What every push has in common."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Push:
    """One message or event.

    to_user: original id of the account (`gh_…`). from_user: OpenID of the sender, or a platform
    account. create_time: Unix seconds, WeChat's clock. payload: the whole document as parsed.
    Source: protocol 4.1.
    """

    to_user: str
    from_user: str
    create_time: int
    payload: dict[str, object] = field(hash=False)

    def __repr__(self) -> str:
        # A push lands in tracebacks and logs, where nobody's words and ids belong.
        return f"<{type(self).__name__}>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BaseEvent(Push):
    """Something that happened, rather than something that was sent."""

    msgtype: ClassVar[Literal["event"]] = "event"
