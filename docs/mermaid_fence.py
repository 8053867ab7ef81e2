"""Puts the SVG of a Mermaid drawing into the site in place of its text.

The SVG files stand in docs/images/mermaid/, named by the digest of the text, so that a drawing
whose text has changed is found missing.
"""

import hashlib
from pathlib import Path
from typing import Final

from pymdownx.superfences import SuperFencesException

FOLDER: Final = Path(__file__).with_name("images") / "mermaid"


class DrawingMissing(SuperFencesException):  # type: ignore[misc]  # without types
    """No SVG has been made of a Mermaid drawing. Any other exception would be passed over."""


def path_of(source: str) -> Path:
    """Return where the SVG of a drawing stands; source: the text between the fences."""
    digest = hashlib.sha256(source.strip().encode()).hexdigest()
    return FOLDER / f"{digest[:12]}.svg"


def draw(source: str, *_: object, **__: object) -> str:
    """Return the HTML of one drawing, as `pymdownx.superfences` asks for it."""
    path = path_of(source)
    if not path.exists():
        raise DrawingMissing(f"Make {path.name} of the drawing, see CONTRIBUTING.md")
    return f'<div class="drawing">{path.read_text(encoding="utf-8")}</div>'
