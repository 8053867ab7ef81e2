"""One threshold, and its ETag, so that nobody replaces one that they have not seen.

A tag says what is set: a threshold that comes back as it was has its earlier tag.
"""

from dataclasses import dataclass
from typing import Final

from app.alarms.errors import StaleThreshold

NOT_SET: Final = "none"
_ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Threshold:
    """When one kind of alarm begins. value: None for the default of the kind."""

    enabled: bool = True
    value: float | None = None


def tag_of(threshold: Threshold | None) -> str:
    """Return the tag of what is set, without quotes. threshold: None if nothing is."""
    if threshold is None:
        return NOT_SET
    value = "default" if threshold.value is None else f"{threshold.value!r}"
    return f"{'on' if threshold.enabled else 'off'}-{value}"


def require(if_match: str | None, stored: Threshold | None) -> None:
    """Check that If-Match names what is set; None and `*` allow anything. Raises StaleThreshold."""
    if if_match is None or if_match.strip() == _ANY:
        return
    # Without quotes, and marked as weak by a proxy that compresses, it counts too.
    named = {part.strip().removeprefix("W/").strip('"') for part in if_match.split(",")}
    if tag_of(stored) not in named:
        raise StaleThreshold(tag_of(stored))
