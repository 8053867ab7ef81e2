"""UTM parameters, so that the visits of one rule can be told from another's."""

from typing import Annotated
from urllib.parse import quote

from pydantic import Field

from app.rules.words import Strict, Words, unset

_Value = Annotated[Words, Field(max_length=100)]


class Utm(Strict):
    """Query parameters `utm_source`, `utm_medium`… of every mini-program page that a rule opens."""

    source: _Value | None = Field(default=None, exclude_if=unset)
    medium: _Value | None = Field(default=None, exclude_if=unset)
    campaign: _Value | None = Field(default=None, exclude_if=unset)
    term: _Value | None = Field(default=None, exclude_if=unset)
    content: _Value | None = Field(default=None, exclude_if=unset)

    def appended_to(self, pagepath: str, joint: str = "&") -> str:
        """Return the page with its parameters. joint: what stands between two of them."""
        given = [f"utm_{name}={quote(value, safe='')}" for name, value in self if value is not None]
        if not given:
            return pagepath
        return f"{pagepath}{joint if '?' in pagepath else '?'}{joint.join(given)}"
