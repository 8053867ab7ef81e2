"""Reads codes from a CSV file as it arrives, one line after the other. Pure.

The first line may name the columns; the codes are those of the column `code`, or of the first one
if no line names it. Lines without any text are skipped.
"""

import codecs
import csv
from typing import Final

from app.codes.code_text import is_code
from app.codes.errors import BadCodes
from app.csv_rows import BYTE_ORDER_MARK, NO_CSV

MAX_CODES: Final = 1_000_000
MAX_PROBLEMS: Final = 100
# A line holds a code, and perhaps what the program that made it notes beside it.
MAX_LINE: Final = 2000
_COLUMN: Final = "code"


class CodeReader:
    """Reads one file. `feed` takes its pieces in their order, `end` what is left of it.

    What is wrong with lines is collected, and raised once there are MAX_PROBLEMS, or at the end.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._rest = ""
        self._line = 0
        self._column: int | None = None
        self._problems: list[str] = []
        self.total = 0

    def feed(self, piece: bytes) -> list[str]:
        """Return the codes of the lines that a piece completes. Raises BadCodes."""
        return self._codes(self._text(piece), last=False)

    def end(self) -> list[str]:
        """Return the codes of what is left. Raises BadCodes, also for a file without any code."""
        found = self._codes(self._text(b"", final=True), last=True)
        if self._problems:
            raise BadCodes(self._problems)
        if not self.total:
            raise BadCodes(["the file holds no code: write one on each line"])
        return found

    def _text(self, piece: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            self._problems.append(f"line {self._line + 1}: is not UTF-8 text: save it as CSV UTF-8")
            raise BadCodes(self._problems) from None

    def _codes(self, text: str, *, last: bool) -> list[str]:
        lines = (self._rest + text).split("\n")
        self._rest = "" if last else lines.pop()
        if len(self._rest) > MAX_LINE:
            lines.append(self._rest)
        found = [code for line in lines if (code := self._code(line)) is not None]
        self.total += len(found)
        if self.total > MAX_CODES:
            self._note(f"has more than {MAX_CODES} codes: split the file")
            raise BadCodes(self._problems)
        return found

    def _code(self, line: str) -> str | None:
        self._line += 1
        if self._line == 1:
            line = line.removeprefix(BYTE_ORDER_MARK)
        if len(line) > MAX_LINE:
            self._note(f"is longer than {MAX_LINE} characters: is this a CSV file?")
            raise BadCodes(self._problems)
        cells = self._cells(line)
        if not any(cells):
            return None
        if self._column is None:
            names = [cell.lower() for cell in cells]
            self._column = names.index(_COLUMN) if _COLUMN in names else 0
            if _COLUMN in names:
                return None
        code = cells[self._column] if self._column < len(cells) else ""
        if not is_code(code):
            self._note("a code has 4 to 64 letters, digits, and - . _ ~ alone")
            return None
        return code

    def _cells(self, line: str) -> list[str]:
        line = line.strip()
        if '"' not in line:
            return [cell.strip() for cell in line.split(",")]
        try:
            rows = list(csv.reader([line], strict=True))
        except csv.Error:
            self._note(NO_CSV)
            return []
        return [cell.strip() for cell in rows[0]] if rows else []

    def _note(self, words: str) -> None:
        self._problems.append(f"line {self._line}: {words}")
        if len(self._problems) == MAX_PROBLEMS:
            raise BadCodes(self._problems)
