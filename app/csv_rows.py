"""Rows as CSV (RFC 4180) that is safe to open in a spreadsheet. Pure."""

import csv
import io
from collections.abc import Iterable
from typing import Final

# Excel, LibreOffice and Google Sheets evaluate a cell that begins so, also a quoted one; some read
# the full-width signs in the same way.
FORMULA_STARTS: Final = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)

# Without it Excel takes UTF-8 for the encoding of the machine, and Chinese texts are unreadable.
BYTE_ORDER_MARK: Final = "\ufeff"
# What is wrong with a line that can't be read as CSV.
NO_CSV: Final = "is no CSV: put a cell with quotes in quotes, and write each quote in it twice"


def csv_rows(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as CSV; None is an empty field, and a truth value `true` or `false` as in JSON.

    A text that a spreadsheet may take for a formula gets an apostrophe before it: followers and
    other systems choose such texts.
    """
    text = io.StringIO()
    csv.writer(text).writerows(_escaped(row) for row in rows)
    return text.getvalue()


def _escaped(row: Iterable[object]) -> list[object]:
    return [_cell(value) for value in row]


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and _may_be_formula(value):
        return f"'{value}"
    return value


def _may_be_formula(text: str) -> bool:
    # Some spreadsheets drop the blanks before a text when they read a file.
    return text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS)
