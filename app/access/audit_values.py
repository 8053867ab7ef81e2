"""What the audit log shows of things that have no revisions: their members before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

# Of one member, so that a long name leaves room for the others.
MAX_MEMBER_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Hidden:
    """A value that is compared and not shown. words: what is shown in its place."""

    value: object
    words: str


Value = str | int | date | datetime | Sequence[str] | Hidden | None
Members = Mapping[str, Value]


def shown(members: Members) -> str:
    """Return the members of what is added or deleted, but for empty ones, in one line."""
    return _line({name: value for name, value in members.items() if value not in (None, "", [])})


def difference(before: Members, after: Members) -> tuple[str | None, str | None]:
    """Return the members that a change has made different, as they were and as they are.

    Both have the same members. None if none is different.
    """
    changed = [name for name in before if before[name] != after[name]]
    if not changed:
        return None, None
    earlier = {name: before[name] for name in changed}
    later = {name: _other_than(before[name], after[name]) for name in changed}
    return _line(earlier), _line(later)


def secret(value: str | None) -> Hidden:
    """Return a secret, of which it is shown whether it is set."""
    return Hidden(value, "set" if value else "none")


def address(url: str) -> Hidden:
    """Return a URL, of which neither user name nor password, query and fragment are shown."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    hidden = "?…" if parts.query or parts.fragment else ""
    return Hidden(url, f"{parts.scheme}://{host}{parts.path}{hidden}")


def _other_than(before: Value, after: Value) -> Value:
    """Return what is shown of a changed value whose words alone do not tell that it changed."""
    if isinstance(before, Hidden) and isinstance(after, Hidden) and before.words == after.words:
        return Hidden(after.value, f"{after.words} (changed)")
    return after


def _line(members: Members) -> str:
    return "; ".join(f"{name}: {_text(value)}" for name, value in members.items())


def _text(value: Value) -> str:
    match value:
        case None | "":
            return "–"
        case Hidden():
            text = value.words
        case bool():
            return "on" if value else "off"
        case str() | int():
            text = str(value)
        case date():
            return value.isoformat()
        case _:
            text = " ".join(value) or "–"
    if len(text) <= MAX_MEMBER_CHARACTERS:
        return text
    return f"{text[: MAX_MEMBER_CHARACTERS - 1]}…"
