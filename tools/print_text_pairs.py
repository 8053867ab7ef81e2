"""The tables of docs/*/keywords.md: which keyword fits which text.

`.venv/bin/python -m tools.print_text_pairs en width` prints one of them; a test holds the pages
against tests/rules/matching/text_pairs.yaml.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from app.wechat.visible_text import shows_nothing

DATA: Final = Path(__file__).resolve().parents[1] / "tests/rules/matching/text_pairs.yaml"
_HEADS: Final = {
    "en": ("`match`", "Keyword", "Message", "Fits"),
    "zh": ("`match`", "关键词", "消息", "是否匹配"),
}
_FITS: Final = {"en": ("no", "yes"), "zh": ("否", "是")}
_EMPTY: Final = {"en": "(empty)", "zh": "（空）"}


@dataclass(frozen=True)
class TextPair:
    """A trigger and a text. match: its kind, and `raw` or `not`. group: the part of the page."""

    match: str
    keywords: tuple[str, ...]
    text: str
    fits: bool
    group: str

    @property
    def trigger(self) -> dict[str, object]:
        """The trigger as a rule writes it."""
        match, *flags = self.match.split()
        several = match in {"all", "any"}
        words = {"keywords": self.keywords} if several else {"keyword": self.keywords[0]}
        return {"on": "text", "match": match, **words, **dict.fromkeys(flags, True)}


def text_pairs() -> list[TextPair]:
    """Return all pairs, in the order of the file."""
    return [
        TextPair(match, tuple(keywords), text, fits, group)
        for match, keywords, text, fits, group in yaml.safe_load(DATA.read_text(encoding="utf-8"))
    ]


def table_of(language: str, group: str) -> str:
    """Return the table of one group in Markdown."""
    rows = [_HEADS[language], ("---",) * 4]
    for pair in text_pairs():
        if pair.group == group:
            match = " ".join(f"`{word}`" for word in pair.match.split())
            keywords = " ".join(f"`{_shown(keyword)}`" for keyword in pair.keywords)
            text = f"`{_shown(pair.text)}`" if pair.text else _EMPTY[language]
            rows.append((match, keywords, text, _FITS[language][pair.fits]))
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    lines[1] = "|---|---|---|---|"
    return "\n".join(lines)


def _shown(text: str) -> str:
    """Return a text with the number of each character that a page would not show."""
    return "".join(
        f"<U+{ord(character):04X}>"
        if shows_nothing(character) and (character != " " or shows_nothing(text))
        else character
        for character in text
    )


if __name__ == "__main__":
    print(table_of(*sys.argv[1:]))
