"""What is wrong with a menu, in the words of the console, and where. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from app.console.menus import labels
from app.menus.check import MenuProblem


@dataclass(frozen=True, slots=True)
class Shown:
    """A problem. menu: 0 is the default one. button: numbers from 1; empty: the menu itself.

    member: of the button, `matchrule` or `button`. text: to be translated.
    """

    menu: int
    button: str
    member: str
    text: str
    errcode: int | None
    blocks: bool


def shown_problems(problems: Iterable[MenuProblem]) -> list[Shown]:
    """Return problems as the editor shows them."""
    return [_shown(problem) for problem in problems]


def _shown(problem: MenuProblem) -> Shown:
    loc = list(problem.loc)
    menu = 0
    if loc[0] == "conditional":
        menu = int(loc[1]) + 1
        loc = loc[2:]
    numbers = [str(int(part) + 1) for part in loc if isinstance(part, int)]
    member = str(loc[-1]) if isinstance(loc[-1], str) else "button"
    text = _text(problem, member)
    return Shown(menu, "-".join(numbers), member, text, problem.errcode, problem.blocks)


def _text(problem: MenuProblem, member: str) -> str:
    if problem.errcode is not None:
        return labels.PROBLEMS[problem.errcode]
    if not problem.blocks:
        hints = {"name": labels.NAME_HINT, "url": labels.URL_HINT}
        return hints.get(member, labels.RULE_HINT)
    return labels.KEY_PROBLEM if member == "key" else labels.OTHER_PROBLEM
