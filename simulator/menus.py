"""The custom menus of each account: what the API made, and what the console has.

Source: linkage 1.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count

from simulator.followers import Follower

Json = dict[str, object]

# A maximum exists, and no page prints it.
MOST_CONDITIONAL = 30

CONSOLE_MENU: list[Json] = [
    {"type": "view", "name": "官网", "url": "https://www.example.cn/"},
    {
        "name": "更多",
        "sub_button": {"list": [{"type": "text", "name": "营业时间", "value": "每天 9:00"}]},
    },
]


@dataclass(frozen=True, slots=True)
class Conditional:
    """A conditional menu. matchrule: as it was sent."""

    menuid: int
    button: list[Json]
    matchrule: Json

    def fits(self, follower: Follower) -> bool:
        """Return whether a follower sees it, unless a newer one fits, too.

        Of several tags the one that was applied last counts.
        """
        tag = str(self.matchrule.get("tag_id") or "")
        platform = str(self.matchrule.get("client_platform_type") or "")
        last = str(follower.tags[-1]) if follower.tags else ""
        return tag in {"", last} and platform in {"", follower.platform}


@dataclass(slots=True)
class AccountMenus:
    """The menus of one account. button: of the default menu; None if the API made none.

    conditional: the oldest first. console: what was made in the console.
    """

    button: list[Json] | None = None
    menuid: int = 0
    conditional: list[Conditional] = field(default_factory=list)
    console: list[Json] = field(default_factory=lambda: list(CONSOLE_MENU))

    def seen_by(self, follower: Follower) -> list[Json]:
        """Return the menu that a follower sees: the newest that fits, else the default one."""
        for each in reversed(self.conditional):
            if each.fits(follower):
                return each.button
        return self.button or []


@dataclass(slots=True)
class MenuStore:
    """All menus. most_conditional: of one account. shows_menuid: whether `menu/get` has ids."""

    most_conditional: int = MOST_CONDITIONAL
    shows_menuid: bool = True
    of: defaultdict[str, AccountMenus] = field(default_factory=lambda: defaultdict(AccountMenus))
    ids: "count[int]" = field(default_factory=lambda: count(430011223))
