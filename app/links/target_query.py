"""The query of a link: what stands in the URL Link of all, and what each open adds. Pure.

`{link}` is the slug; `{ref}` is new for each open, and an arrival with it is counted for the link.
A query without `{ref}` gets `ref={ref}`, unless it has a parameter of that name. A parameter with
`{ref}` can't stand in a URL Link that all share: it goes into `cq`, by which a URL Link takes more
data.

Source: protocol 9.4; linkage 5.3.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from app import refs
from app.rules.definition.utm import Utm

LINK: Final = "{link}"
REF: Final = refs.PLACEHOLDER
MAX_QUERY: Final = 1024
# Of the percent-encoded text, which is the longer one: the documentation does not say which counts.
MAX_CQ: Final = 256
_ALLOWED: Final = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~%]*")


class BadQuery(ValueError):
    """The query can't stand in a link. The text says how to correct it."""


def shared_query(query: str, slug: str, utm: Utm | None) -> str:
    """Return the query of the URL Link that all visitors share, with the UTM parameters."""
    parts = [part for part in _parts(query) if REF not in part]
    return _with_utm("&".join(parts), slug, utm)


def whole_query(query: str, slug: str, utm: Utm | None, ref: str) -> str:
    """Return the query of a link that is made for one recipient alone."""
    filled = _with_utm("&".join(_parts_with_ref(query)).replace(REF, ref), slug, utm)
    if len(filled) <= MAX_QUERY or REF in query:
        return filled
    return _with_utm("&".join(_parts(query)), slug, utm)


def own_query(query: str, slug: str, ref: str) -> str:
    """Return what one open adds; empty if the query has a parameter `ref` of its own."""
    parts = [part for part in _parts_with_ref(query) if REF in part]
    return "&".join(parts).replace(LINK, slug).replace(REF, ref)


def with_cq(url_link: str, added: Iterable[str]) -> str:
    """Return a URL Link with the added parts of a query, as far as they fit."""
    taken = encoded = ""
    for part in filter(None, added):
        longer = f"{taken}&{part}" if taken else part
        as_cq = quote(longer, safe="")
        if _is_allowed(part) and len(as_cq) <= MAX_CQ:
            taken, encoded = longer, as_cq
    if not taken:
        return url_link
    joint = "&" if "?" in url_link else "?"
    return f"{url_link}{joint}cq={encoded}"


def check_query(query: str, slug: str, utm: Utm | None) -> None:
    """Raise BadQuery if a link with this query would be refused, or would lose a part of it."""
    ref = "x" * refs.LENGTH
    whole = whole_query(query, slug, utm, ref)
    wrong = re.sub(_ALLOWED, "", whole)
    if wrong:
        raise BadQuery(
            f"holds {wrong[0]!r}: percent-encode all but letters, digits and !#$&'()*+,/:;=?@-._~%;"
            " the placeholders are {link} and {ref}"
        )
    if len(whole) > MAX_QUERY:
        raise BadQuery(f"has {len(whole)} characters with its utm and {{ref}}: shorten it to 1,024")
    own = len(quote(own_query(query, slug, ref), safe=""))
    if own > MAX_CQ:
        raise BadQuery(
            f"has {own} percent-encoded characters in the parameters with {{ref}}: shorten them to "
            f"{MAX_CQ}"
        )


def _parts(query: str) -> list[str]:
    return [part for part in query.removeprefix("?").split("&") if part]


def _parts_with_ref(query: str) -> list[str]:
    parts = _parts(query)
    if REF in query or any(part.partition("=")[0] == refs.PARAMETER for part in parts):
        return parts
    return [*parts, f"{refs.PARAMETER}={REF}"]


def _with_utm(query: str, slug: str, utm: Utm | None) -> str:
    filled = query.replace(LINK, slug)
    if utm is None:
        return filled
    return utm.appended_to(f"?{filled}" if filled else "").removeprefix("?")


def _is_allowed(text: str) -> bool:
    return _ALLOWED.fullmatch(text) is not None
