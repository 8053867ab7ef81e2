"""Errors of notices.

NoticeError
 ├ KeyReused          the idempotency key came with another request before
 ├ AudienceTooLarge   more people may get the notice than the caller allows
 ├ TooManyOpenSends   as many sends go on as may
 ├ CampaignWithoutCodes the campaign gives no codes
 ├ TooFewCodes        the campaign has fewer codes than the notices need
 └ WrongState         a send can't be paused, resumed or stopped now
"""


class NoticeError(Exception):
    """Base class of all errors of this package. Its text says what to do."""


class KeyReused(NoticeError):
    """The idempotency key came with another request within the last seven days."""

    def __init__(self) -> None:
        super().__init__(
            "this Idempotency-Key came with another request within the last 7 days: draw a new one "
            "for each request, and repeat it only to repeat the same request"
        )


class AudienceTooLarge(NoticeError):
    """The audience has more people than the caller allows."""

    def __init__(self, people: int, allowed: int) -> None:
        super().__init__(
            f"the audience has {people} people and max_recipients is {allowed}: narrow the filter, "
            "or raise max_recipients"
        )


class TooManyOpenSends(NoticeError):
    """As many sends go on as may."""

    def __init__(self, allowed: int) -> None:
        super().__init__(f"{allowed} sends are not over yet: stop one, or wait for its end")


class CampaignWithoutCodes(NoticeError):
    """The campaign gives no codes."""


class TooFewCodes(NoticeError):
    """The campaign has fewer codes than the notices need."""

    def __init__(self, needed: int, left: int, promised: int) -> None:
        taken = f", {min(promised, left)} of them promised to other sends" if promised else ""
        super().__init__(
            f"the notices need {needed} codes and the campaign has {left} left{taken}: import or "
            "draw more, or narrow the filter"
        )


class WrongState(NoticeError):
    """A send is in a state in which this can't be done."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the send is {state}: read its state again")
