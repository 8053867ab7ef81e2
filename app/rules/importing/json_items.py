"""Reads a JSON document rule by rule, so that memory does not grow with the document."""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NoReturn

from app.rules.importing.byte_source import ByteSource
from app.rules.importing.limits import (
    CHUNK_BYTES,
    MAX_DEPTH,
    MAX_ITEM_BYTES,
    MEMBER,
    BadDocument,
    NotAList,
    NotAnObject,
    TooDeep,
    TooLargeItem,
    require_few,
    require_members,
)

_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_ENCODING_BYTES: Final = 4


def read_json_items(stream: ByteSource) -> Iterator[object]:
    """Yield the items of the list `rules` one after the other. Raises BadDocument, ValueError."""
    window = _Window(stream)
    if window.next_character() != "{":
        window.value()
        raise NotAnObject
    window.skip("{")
    seen: set[str] = set()
    while window.next_character() != "}":
        key = window.key()
        if key in seen:
            raise _duplicate_key(key)
        seen.add(key)
        if key == MEMBER:
            yield from _list(window)
        else:
            window.value()
        require_few(seen)
        if window.next_character() != ",":
            break
        window.skip(",")
        if window.next_character() != '"':
            window.fail("Expecting property name enclosed in double quotes")
    window.expect("}")
    if window.next_character():
        window.fail("Extra data")
    require_members(seen)


def _list(window: "_Window") -> Iterator[object]:
    if window.next_character() != "[":
        window.value()
        raise NotAList
    window.skip("[")
    if window.next_character() == "]":
        window.skip("]")
        return
    while True:
        yield window.value()
        if window.next_character() != ",":
            break
        window.skip(",")
    window.expect("]")


class _Window:
    """The part of a document that is being read: at least MAX_ITEM_BYTES from the position on."""

    def __init__(self, stream: ByteSource) -> None:
        self._stream = stream
        start = stream.read(CHUNK_BYTES)
        encoding = json.detect_encoding(start[:_ENCODING_BYTES])
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._is_end = False
        self._text = ""
        self._at = 0
        self._lines = 0  # how many lines were dropped from the window
        self._column = 0  # how long the dropped part of the line is
        self._scanner = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_reject)
        self._add(start)

    def next_character(self) -> str:
        """Return the next character that is not blank, without taking it; empty at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = self._at if blanks is None else blanks.end()
            if self._at < len(self._text) or self._is_end:
                return self._text[self._at : self._at + 1]
            self._fill()

    def skip(self, character: str) -> None:
        """Take the next character, which is `character`."""
        self._at += len(character)

    def expect(self, character: str) -> None:
        """Take the next character. Raises BadDocument if it is another one."""
        if self.next_character() != character:
            self.fail("Expecting ',' delimiter")
        self.skip(character)

    def key(self) -> str:
        """Take a key and the colon behind it. Raises BadDocument."""
        if self.next_character() != '"':
            self.fail("Expecting property name enclosed in double quotes")
        key = self.value()
        if self.next_character() != ":":
            self.fail("Expecting ':' delimiter")
        self.skip(":")
        return str(key)

    def value(self) -> object:
        """Take a whole value. Raises BadDocument, TooDeep, TooLargeItem."""
        self.next_character()
        self._fill()
        try:
            value, end = self._scanner.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            cut = error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _CUT
            if cut and not self._is_end:
                raise TooLargeItem from None
            self.fail(error.msg, error.pos)
        except RecursionError:
            raise TooDeep from None
        if end - self._at > MAX_ITEM_BYTES:
            raise TooLargeItem
        if _is_deep(value):
            raise TooDeep
        self._at = end
        return value

    def fail(self, what: str, at: int | None = None) -> NoReturn:
        """Raise BadDocument with the line and the column."""
        place = self._at if at is None else at
        lines = self._text.count("\n", 0, place)
        before = self._text.rfind("\n", 0, place) + 1
        column = place - before + 1 + (0 if lines else self._column)
        raise BadDocument(
            f"is not valid JSON: {what}: line {self._lines + lines + 1} column {column}"
        )

    def _fill(self) -> None:
        while not self._is_end and len(self._text) - self._at <= MAX_ITEM_BYTES:
            self._drop()
            self._add(self._stream.read(CHUNK_BYTES))

    def _drop(self) -> None:
        newlines = self._text.count("\n", 0, self._at)
        if newlines:
            self._column = self._at - self._text.rfind("\n", 0, self._at) - 1
        else:
            self._column += self._at
        self._lines += newlines
        self._text, self._at = self._text[self._at :], 0

    def _add(self, data: bytes) -> None:
        self._is_end = not data
        self._text += self._decoder.decode(data, final=not data)


_CUT: Final = len("\\uXXXX\\uXXXX")
"""How far from the end of the window an error may stand that a longer window would not have."""


_OUTSIDE: Final = 2
"""Levels around a rule: the document, and the list of rules."""


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH - _OUTSIDE):
        level = [part for parts in level for part in _parts(parts)]
        if not level:
            return False
    return any(isinstance(part, dict | list) for part in level)


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise _duplicate_key(twice)
    return members


def _duplicate_key(key: str) -> BadDocument:
    return BadDocument(f"is not valid JSON for rules: the key {key} appears twice")


def _reject(name: str) -> None:
    raise BadDocument(f"is not valid JSON: {name} is not a number")
