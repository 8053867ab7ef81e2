"""UTM parameters, so that the visits of one rule can be told from another's."""

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
    medium: _Value | None = Field(default=None, exclude_if=unset)
    campaign: _Value | None = Field(default=None, exclude_if=unset)
    term: _Value | None = Field(default=None, exclude_if=unset)
    content: _Value | None = Field(default=None, exclude_if=unset)

    def appended_to(self, pagepath: str, joint: str = "&") -> str:
        """Return the page with its parameters, before its fragment.

        joint: what stands between two of them. A parameter that the page has already stays.
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
    """Return the page, # and the fragment; the # of a reference such as &#38; begins none."""
    found = _FRAGMENT.search(pagepath)
    if found is None:
        return pagepath, "", ""
    return pagepath[: found.start()], "#", pagepath[found.end() :]
