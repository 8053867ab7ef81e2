"""Puts figures into the table of the operating pages."""

import re
from collections.abc import Sequence

from tests.docs.pages import DOCS, LANGUAGES


def write(name: str, cells: Sequence[str]) -> None:
    """Replace the figures of one campaign in the pages of all languages."""
    for language in LANGUAGES:
        path = DOCS / language / "operating.md"
        path.write_text(replaced(path.read_text(encoding="utf-8"), name, cells), encoding="utf-8")


def replaced(text: str, name: str, cells: Sequence[str]) -> str:
    """Return a page with other figures in the row of one campaign; name and description stay."""
    row = re.compile(rf"^(\| `{re.escape(name)}` \| [^|]* \|).*$", re.MULTILINE)
    return row.sub(lambda found: f"{found[1]} {' | '.join(cells)} |", text)
