"""Errors of codes.

CodeError
 ├ BadCodes          a file can't be used
 ├ TooManyCodes      the pool may hold no more
 ├ KeyReused         another import has the key, and asks for something else
 └ NotRedeemed       a code can't be redeemed
    ├ UnknownCode    the pool has no such code
    ├ NotGiven       nobody has got it
    ├ VoidCode       its person has another code
    └ RedeemedBefore another caller has redeemed it
"""

from collections.abc import Sequence
from datetime import datetime


class CodeError(Exception):
    """Base class of all errors of this package."""


class BadCodes(CodeError):
    """A file can't be used. problems: one line for each, up to MAX_PROBLEMS."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class TooManyCodes(CodeError):
    """The pool would hold more codes than one may."""

    def __init__(self, most: int) -> None:
        super().__init__(f"a campaign has at most {most} codes, those that are given included")


class KeyReused(CodeError):
    """Another import has the key, and asks for something else."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key} was used for other codes: choose another one")


class NotRedeemed(CodeError):
    """A code can't be redeemed. The text says why."""


class UnknownCode(NotRedeemed):
    """The pool has no such code."""

    def __init__(self) -> None:
        super().__init__("the campaign has no such code")


class NotGiven(NotRedeemed):
    """Nobody has got the code."""

    def __init__(self) -> None:
        super().__init__("nobody has got this code from the service, so that it can't be redeemed")


class VoidCode(NotRedeemed):
    """The person has another code of the pool, which is the one that counts."""

    def __init__(self) -> None:
        super().__init__("the code is void: its person has another one of this campaign")


class RedeemedBefore(NotRedeemed):
    """Another caller has redeemed the code."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"the code was redeemed at {at.isoformat()} with another key")
