"""The inputs that are kept in the repository: one line of base64 for each, in a file per target.

A line of words after `#` says what the next input once did wrong.
"""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "corpus"


def read(name: str) -> list[bytes]:
    """Return the inputs of a target."""
    file = FOLDER / f"{name}.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    return [base64.b64decode(line) for line in lines if line and not line.startswith("#")]


def add(name: str, inputs: Iterable[bytes]) -> int:
    """Add inputs that are not there yet, the shortest first; return how many there are."""
    known = set(read(name))
    new = sorted({*inputs} - known, key=lambda data: (len(data), data))
    file = FOLDER / f"{name}.txt"
    with file.open("a") as out:
        out.writelines(f"{base64.b64encode(data).decode()}\n" for data in new)
    return len(known) + len(new)
