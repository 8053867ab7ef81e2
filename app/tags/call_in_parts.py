"""One call for up to 50 people, made again in parts while WeChat refuses one of them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from app.tags.retry_policy import concerns_person
from app.wechat.errors import ApiError

Call: TypeAlias = Callable[[Sequence[str]], Awaitable[None]]


@dataclass(slots=True)
class Called:
    """What came of it, in the order of the people.

    done: for whom the call succeeded. refused: errcode by OpenID. error: what ended it early; the
    people that are in neither were not reached.
    """

    done: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    error: ApiError | None = None

    @property
    def last(self) -> str | None:
        """The last person that was reached; they were taken in ascending order."""
        return max((*self.done, *self.refused), default=None)


async def call_in_parts(
    call: Call, openids: Sequence[str], may_go_on: Callable[[], bool]
) -> Called:
    """Call for all these people, and halve what fails for one of them until that one stands alone.

    may_go_on: is asked before each call.
    """
    called = Called()
    parts = [list(openids)]
    while parts and may_go_on():
        part = parts.pop(0)
        try:
            await call(part)
        except ApiError as error:
            if not concerns_person(error):
                called.error = error
                return called
            if len(part) == 1:
                called.refused[part[0]] = error.errcode or 0
                continue
            middle = len(part) // 2
            parts[:0] = [part[:middle], part[middle:]]
        else:
            called.done += part
    return called
