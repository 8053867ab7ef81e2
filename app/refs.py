"""The `ref` of what is sent: ten characters by which an arrival is known to come from it. Pure.

The page of a mini-program gets it in its query, and the mini-program's backend reports it. A ref
leads to what was sent without a table of refs:

- a reply: the second of its id, and the last bits of it. Both find the id by an index of ids.
- a notice: the last bits of its id.
- a button of a menu: the mark of the published version, and the button's place.
- a link: bits of its id, and three characters that are new for each open.

All have at least 34 bits that nobody can guess. What was sent by an earlier release has another
form: the whole id of a reply or notice, `mark.position` of a button, `slug.mark` of a link.
"""

import hashlib
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

LENGTH: Final = 10
PARAMETER: Final = "ref"
PLACEHOLDER: Final = "{ref}"
# The first characters of the refs of a link, and of those of a version of a menu.
LINK_MARK: Final = 7
MENU_MARK: Final = 8

_OPEN: Final = LENGTH - LINK_MARK
_BITS: Final = 60
_LINK_BITS: Final = 6 * LINK_MARK
_SECOND_BITS: Final = 26
_LOW_BITS: Final = _BITS - _SECOND_BITS
# A second of a reply's ref is known up to a multiple of it: two years.
SECONDS_ROUND: Final = 1 << _SECOND_BITS

_SHORT: Final = re.compile(rf"[A-Za-z0-9_-]{{{LENGTH}}}")
_UUID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DOTTED: Final = re.compile(r"[A-Za-z0-9_-]{4,32}\.[A-Za-z0-9_-]{1,32}")
_POSITION: Final = re.compile(r"(?:c([0-9]+)-)?([0-9]+)(?:-([0-9]+))?")


@dataclass(frozen=True, slots=True)
class ReplyTrace:
    """What a ref says of the reply that it may belong to.

    second: that of its id, but for a multiple of SECONDS_ROUND. low: the last 34 bits of the id.
    """

    second: int
    low: int

    def second_before(self, moment: datetime) -> datetime:
        """Return the latest second before `moment` that the reply can have."""
        at = int(moment.timestamp())
        return datetime.fromtimestamp(at - (at - self.second) % SECONDS_ROUND, UTC)


def of_reply(reply_id: UUID) -> str:
    """Return the ref of a reply. reply_id: a UUIDv7 in whole seconds."""
    second = (reply_id.int >> 80) // 1000 % SECONDS_ROUND
    return _text(second << _LOW_BITS | reply_id.int & ((1 << _LOW_BITS) - 1))


def of_notice(notice_id: UUID) -> str:
    """Return the ref of a notice."""
    return _text(notice_id.int & ((1 << _BITS) - 1))


def of_button(mark: str, position: str) -> str:
    """Return the ref of a button. mark: of the version. position: such as `2-1` or `c1-2`."""
    found = _POSITION.fullmatch(position)
    if found is None:
        raise ValueError(f"{position} is no position of a button")
    menu, button, sub = (int(part or 0) for part in found.groups())
    # A menu that can be published has 3 buttons with 5 each, and 50 conditional menus.
    return mark + _text((menu * 64 + (button - 1) * 8 + sub) % 4096 << _BITS - 12)[:2]


def position_of(ref: str) -> str:
    """Return the position of the button that ten characters name, if they are those of a button."""
    number = _number("A" * (LENGTH - 2) + ref[-2:])
    menu, button, sub = number >> 6, (number >> 3 & 7) + 1, number & 7
    return (f"c{menu}-" if menu else "") + str(button) + (f"-{sub}" if sub else "")


def of_link(link_id: UUID, name: str | None = None) -> str:
    """Return a ref of a link. name: the same one has the same ref; None: a new one."""
    mark = link_mark(link_id)
    if name is None:
        return mark + secrets.token_urlsafe(_OPEN)[:_OPEN]
    digest = hashlib.blake2b(name.encode(), digest_size=_OPEN).digest()
    return mark + urlsafe_b64encode(digest).decode()[:_OPEN]


def link_mark(link_id: UUID) -> str:
    """Return the characters with which every ref of a link begins."""
    return _text((link_id.int & ((1 << _LINK_BITS) - 1)) << _BITS - _LINK_BITS)[:LINK_MARK]


def link_end(ref: str) -> str:
    """Return the last ten characters of the id of the link as text; an index has the same.

    Of the ids that end so, the one with the `link_mark` of the ref is that of the link.
    """
    return f"{_number(ref) >> _BITS - _LINK_BITS & ((1 << 40) - 1):010x}"


def may_be_ref(text: str) -> bool:
    """Tell whether a text has the form of a ref, or that of an earlier release."""
    return any(form.fullmatch(text) for form in (_SHORT, _UUID, _DOTTED))


def is_short(text: str) -> bool:
    """Tell whether a text has ten characters of a ref."""
    return _SHORT.fullmatch(text) is not None


def id_in(text: str) -> UUID | None:
    """Return the id of a reply or notice that a ref of an earlier release is."""
    return UUID(text) if _UUID.fullmatch(text) else None


def dotted_parts(text: str) -> tuple[str, str] | None:
    """Return the two parts of a ref of an earlier release: mark and position, or slug and mark."""
    if _DOTTED.fullmatch(text) is None:
        return None
    mark, _, rest = text.partition(".")
    return mark, rest


def reply_trace(ref: str) -> ReplyTrace:
    """Return what ten characters say of a reply."""
    number = _number(ref)
    return ReplyTrace(number >> _LOW_BITS, number & ((1 << _LOW_BITS) - 1))


def notice_end(ref: str) -> str:
    """Return the last 16 characters of the id of the notice as text; an index has the same."""
    digits = f"{_number(ref):015x}"
    return f"{digits[:3]}-{digits[3:]}"


def page_with_ref(page: str, ref: str) -> str:
    """Return a page with the ref in its query, unless it has a parameter of that name already."""
    whole, hash_mark, fragment = page.partition("#")
    path, _, query = whole.partition("?")
    if ref in page or any(part.partition("=")[0] == PARAMETER for part in query.split("&")):
        return page
    joined = f"{query}&" if query else ""
    return f"{path}?{joined}{PARAMETER}={ref}{hash_mark}{fragment}"


def _text(number: int) -> str:
    return urlsafe_b64encode((number << 4).to_bytes(8, "big")).decode()[:LENGTH]


def _number(ref: str) -> int:
    return int.from_bytes(urlsafe_b64decode(ref + "A="), "big") >> 4
