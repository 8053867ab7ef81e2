"""Reads the list of codes that one call makes: CSV with a name and perhaps a scene. Pure."""

import csv
import io
import re
from dataclasses import dataclass
from typing import Final

from app.csv_rows import BYTE_ORDER_MARK, NO_CSV
from app.qrcodes.scene import SCENE_PATTERN, BadScene, check_scene

MAX_CODES: Final = 1000
MAX_NAME: Final = 100
MAX_BYTES: Final = 262_144
_COLUMNS: Final = ("name", "scene")
_SCENE: Final = re.compile(SCENE_PATTERN)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class BadList(ValueError):
    """The list can't be used. The text names the line and says how to correct it."""


@dataclass(frozen=True, slots=True)
class ListedCode:
    """One line. scene: None if one is to be drawn."""

    name: str
    scene: str | None


def read_list(content: bytes) -> list[ListedCode]:
    """Return the codes of a CSV document, 1 to 1,000. Raises BadList.

    The first line names the columns: `name`, and perhaps `scene`. Without such a line the columns
    are a name and perhaps a scene. Lines without any text are skipped.
    """
    try:
        text = content.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError:
        raise BadList("is not UTF-8 text: save it as CSV UTF-8") from None
    codes: list[ListedCode] = []
    lines: dict[str, int] = {}
    columns: tuple[str, ...] = _COLUMNS
    for line, cells in _rows(text):
        if not codes and columns is _COLUMNS and "name" in (found := _words(cells)):
            columns = _header(found, line)
            continue
        code = _code(dict(zip(columns, cells, strict=False)), cells, len(columns), line)
        if len(codes) == MAX_CODES:
            raise BadList(f"has more than {MAX_CODES} codes: split it")
        _refuse_repeated(code, lines, line)
        codes.append(code)
    if not codes:
        raise BadList("holds no code: write one name on each line")
    return codes


def _rows(text: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    rows = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append((reader.line_num, cells))
    except csv.Error:
        raise BadList(f"line {reader.line_num}: {NO_CSV}") from None
    return rows


def _words(cells: list[str]) -> tuple[str, ...]:
    return tuple(cell.lower() for cell in cells)


def _header(columns: tuple[str, ...], line: int) -> tuple[str, ...]:
    unknown = [column for column in columns if column not in _COLUMNS]
    if unknown or len(set(columns)) < len(columns):
        raise BadList(f"line {line}: the columns are name and scene, each at most once")
    # Another object than _COLUMNS, so that a second such line is a code.
    return (*columns,)


def _code(named: dict[str, str], cells: list[str], most: int, line: int) -> ListedCode:
    if any(cells[most:]):
        raise BadList(f"line {line}: has more than {most} columns: put names with commas in quotes")
    name, scene = named.get("name", ""), named.get("scene") or None
    if not name or len(name) > MAX_NAME or _CONTROL.search(name):
        raise BadList(f"line {line}: a name has 1 to {MAX_NAME} characters on one line")
    if scene is not None:
        _check_scene(scene, line)
    return ListedCode(name, scene)


def _check_scene(scene: str, line: int) -> None:
    if _SCENE.fullmatch(scene) is None:
        raise BadList(f"line {line}: a scene has 1 to 64 letters, digits, _ and -")
    try:
        check_scene(scene)
    except BadScene as error:
        raise BadList(f"line {line}: the scene {error}") from None


def _refuse_repeated(code: ListedCode, lines: dict[str, int], line: int) -> None:
    if code.scene is None:
        return
    first = lines.setdefault(code.scene, line)
    if first != line:
        raise BadList(f"line {line}: has the scene of line {first}: choose another one")
