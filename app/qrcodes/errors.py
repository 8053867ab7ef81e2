"""Errors of QR codes.

QrCodeError
 ├ ScenesTaken   other codes of the account have these scenes
 ├ SlugTaken     another code has this slug
 ├ KeyTaken      another list was made with this key
 └ TooManyCodes  the account has as many codes of this kind as it may have
"""

from collections.abc import Sequence

MAX_NAMED = 20


class QrCodeError(Exception):
    """Base class of all errors of this package."""


class ScenesTaken(QrCodeError):
    """Other codes of the account have these scenes."""

    def __init__(self, scenes: Sequence[str]) -> None:
        named = ", ".join(scenes[:MAX_NAMED])
        more = f" and {len(scenes) - MAX_NAMED} others" if len(scenes) > MAX_NAMED else ""
        super().__init__(
            f"the account has codes of the scenes {named}{more}: choose others, or leave them out"
        )


class SlugTaken(QrCodeError):
    """Another code has this slug."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"another code has the slug {slug}: choose another one, or leave it out")


class KeyTaken(QrCodeError):
    """Another list was made with this key."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"another list was made with the key {key}: send the same list, or choose another key"
        )


class TooManyCodes(QrCodeError):
    """The account has as many codes of this kind as it may have."""

    def __init__(self, kind: str, most: int) -> None:
        super().__init__(f"an account has {most} {kind} codes at most: {_ADVICE[kind]}")


_ADVICE = {
    "permanent": "make temporary ones, which are renewed for you",
    "temporary": "delete some first",
}
