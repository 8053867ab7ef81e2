"""CSV as spreadsheets read it safely. Pure."""

import csv
import io
from collections.abc import Iterable
from typing import Final

# Excel, LibreOffice and Google Sheets evaluate a cell that begins so, also a quoted one; some read
# the full-width signs in the same way.
FORMULA_STARTS: Final = (
    *("=", "+", "-", "@", "\t", "\r", "\n"),
    *("\uff1d", "\uff0b", "\uff0d", "\uff20"),
)


def csv_rows(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as RFC 4180 CSV; null is an empty field.

    A text that a spreadsheet may take for a formula gets an apostrophe before it: followers,
    operators and other systems choose such texts.
    """
    text = io.StringIO()
    csv.writer(text).writerows(_escaped(row) for row in rows)
    return text.getvalue()


def _escaped(row: Iterable[object]) -> Iterable[object]:
    for value in row:
        is_formula = isinstance(value, str) and value.startswith(FORMULA_STARTS)
        yield f"'{value}" if is_formula else value
