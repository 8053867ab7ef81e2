"""UTM parameters of mini-program pages, by which visits can be counted for each rule."""

import re
from typing import Annotated, Final
from urllib.parse import quote

from pydantic import Field

from app.rules.definition.fields import Strict, Words, unset

_FRAGMENT: Final = re.compile(r"(?<!&)#")

_Value = Annotated[Words, Field(max_length=100)]


class Utm(Strict):
    """Query parameters `utm_source`, `utm_medium`… of every mini-program page that a rule opens."""

    source: _Value | None = Field(default=None, exclude_if=unset)
    """`utm_source`."""
    medium: _Value | None = Field(default=None, exclude_if=unset)
    """`utm_medium`."""
    campaign: _Value | None = Field(default=None, exclude_if=unset)
    """`utm_campaign`."""
    term: _Value | None = Field(default=None, exclude_if=unset)
    """`utm_term`."""
    content: _Value | None = Field(default=None, exclude_if=unset)
    """`utm_content`."""

    def appended_to(self, pagepath: str, joint: str = "&") -> str:
        """Return the path of a page with the parameters added before its fragment.

        joint: the separator of two parameters. A parameter that the page already has is kept.
        """
        page, hash_sign, fragment = _split(pagepath)
        path, _, query = page.partition("?")
        present = {part.partition("=")[0] for part in query.replace("&amp;", "&").split("&")}
        added = [
            f"utm_{name}={quote(value, safe='')}"
            for name, value in self
            if value is not None and f"utm_{name}" not in present
        ]
        if not added:
            return pagepath
        parameters = joint.join([query, *added] if query else added)
        return f"{path}?{parameters}{hash_sign}{fragment}"


def _split(pagepath: str) -> tuple[str, str, str]:
    """Return the page, the # and the fragment; the # of &#38; and the like begins no fragment."""
    found = _FRAGMENT.search(pagepath)
    if found is None:
        return pagepath, "", ""
    return pagepath[: found.start()], "#", pagepath[found.end() :]
