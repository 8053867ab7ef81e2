"""Fills the placeholders of a mini-program page in a menu. Pure.

`{ref}` tells the published version and the position of the button, so that an arrival with it is
counted for this button of this version. A page without it gets `ref={ref}`, unless it has a
parameter of that name. `{version}` is the number of the version, `{account}` the AppID of the
account. `{{` and `}}` are braces.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from app import refs
from app.rules.definition.templates import parts_of
from app.rules.definition.utm import Utm

PLACEHOLDERS: Final = frozenset({"ref", "version", "account"})


class BadPage(ValueError):
    """The page can't stand in a menu. The text says how to correct it."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What placeholders stand for. mark: of the version, new for each."""

    account: str
    version: int
    mark: str

    def ref(self, position: str) -> str:
        """Return `{ref}` of a button."""
        return refs.of_button(self.mark, position)


def filled_page(page: str, position: str, of: Attribution, utm: Utm | None) -> str:
    """Return a page as WeChat gets it. Raises BadPage and BadTemplate."""
    values = {"ref": of.ref(position), "version": str(of.version), "account": of.account}
    parts: list[str] = []
    for part in parts_of(page):
        if isinstance(part, str):
            parts.append(part)
        elif part.name in values:
            parts.append(quote(values[part.name], safe=""))
        else:
            raise BadPage(
                f"holds {{{part.name}}}: the placeholders are {{ref}}, {{version}} and {{account}}"
            )
    path = refs.page_with_ref("".join(parts), values["ref"])
    return path if utm is None else utm.appended_to(path)
