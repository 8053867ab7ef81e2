"""Reads YAML 1.2 into plain values only: no tags, no aliases, no objects of other types."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml

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

_NUMBER: Final = "(?:0|[1-9][0-9]*)"
RESOLVERS: Final = (
    ("bool", re.compile(r"^(?:true|false)$"), list("tf")),
    ("null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""]),
    ("int", re.compile(rf"^[-+]?{_NUMBER}$"), list("-+0123456789")),
    (
        "float",
        re.compile(rf"^[-+]?{_NUMBER}?\.[0-9]+(?:[eE][-+]?[0-9]+)?$"),
        list("-+.0123456789"),
    ),
)
"""The types of words without quotes: tag, pattern, possible first characters.

They are fewer than in YAML 1.1, which reads `on`, `no`, 09:00 and 0898 as booleans and numbers.
"""

_MEANINGS: Final[dict[str, Callable[[str], object]]] = {
    "bool": "true".__eq__,
    "null": lambda _: None,
    "int": int,
    "float": float,
}


class Forbidden(BadDocument):
    """The YAML holds more than plain values; str() says what."""


class _Source:
    """Feeds libyaml, which otherwise would keep a word of any length, up to a limit."""

    def __init__(self, stream: ByteSource) -> None:
        self._stream = stream
        self._left = 0
        self.is_exceeded = False
        self.allow_item()

    def allow_item(self) -> None:
        """Let as much be read as one item may have, and what is read ahead of it."""
        self._left = MAX_ITEM_BYTES + CHUNK_BYTES // 4

    def read(self, size: int = CHUNK_BYTES, /) -> bytes:
        """Return the next bytes; nothing once an item is too large."""
        if self._left <= 0:
            self.is_exceeded = True
            return b""
        data = self._stream.read(size)
        self._left -= len(data)
        return data


def read_yaml(content: bytes) -> object:
    """Return the value of a document that is in memory. Raises BadDocument, yaml.YAMLError."""
    events = yaml.parse(content, Loader=yaml.CSafeLoader)
    value: object = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise yaml.YAMLError("there is more than one document")
            value = _value(next(events), events, 0)
    return value


def read_yaml_items(stream: ByteSource) -> Iterator[object]:
    """Yield the items of the list `rules` one after the other.

    Raises BadDocument, yaml.YAMLError, ValueError.
    """
    source = _Source(stream)
    try:
        yield from _items(source)
    except (yaml.YAMLError, BadDocument):
        # The end of what was read is taken for the end of the document.
        if not source.is_exceeded:
            raise
    if source.is_exceeded:
        raise TooLargeItem


def _items(source: _Source) -> Iterator[object]:
    events = yaml.parse(source, Loader=yaml.CSafeLoader)
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise yaml.YAMLError("there is more than one document")
            yield from _document(source, events)
    if not documents:
        raise NotAnObject


def _document(source: _Source, events: Iterator[yaml.Event]) -> Iterator[object]:
    event = next(events)
    if isinstance(event, yaml.MappingStartEvent) and event.tag is None:
        yield from _members(source, events)
        return
    _value(event, events, 0)  # for what else is wrong with it
    raise NotAnObject


def _members(source: _Source, events: Iterator[yaml.Event]) -> Iterator[object]:
    seen: set[str] = set()
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _key(event, events, 1, seen)
        if key == MEMBER:
            yield from _list(source, events)
        else:
            source.allow_item()
            _value(next(events), events, 1)
        require_few(seen)
    require_members(seen)


def _list(source: _Source, events: Iterator[yaml.Event]) -> Iterator[object]:
    event = next(events)
    if not isinstance(event, yaml.SequenceStartEvent) or event.tag is not None:
        _value(event, events, 1)
        raise NotAList
    source.allow_item()
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        value = _value(event, events, 2)
        if source.is_exceeded:
            raise TooLargeItem
        yield value
        source.allow_item()


def _value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> object:
    # With aliases, a small document could expand without limit.
    if isinstance(event, yaml.AliasEvent):
        raise Forbidden("holds an alias (*name): write the part out instead")
    if getattr(event, "tag", None) is not None:
        raise Forbidden("holds a tag (!name): write the value alone")
    if isinstance(event, yaml.ScalarEvent):
        return _plain(event.value) if event.implicit[0] else event.value
    if depth == MAX_DEPTH:
        raise TooDeep
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, depth + 1)
    return _mapping(events, depth + 1)


def _sequence(events: Iterator[yaml.Event], depth: int) -> list[object]:
    values = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        values.append(_value(event, events, depth))
    return values


def _mapping(events: Iterator[yaml.Event], depth: int) -> dict[Any, object]:
    values: dict[Any, object] = {}
    seen: set[str] = set()
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _key(event, events, depth, seen)
        values[key] = _value(next(events), events, depth)
    return values


def _key(event: yaml.Event, events: Iterator[yaml.Event], depth: int, seen: set[str]) -> Any:  # noqa: ANN401 - a plain value of any type
    key = _value(event, events, depth)
    if not isinstance(event, yaml.ScalarEvent):
        raise yaml.YAMLError(f"a key must be one word{_where(event)}")
    if event.value in seen:
        raise yaml.YAMLError(f"the key {event.value} appears twice{_where(event)}")
    seen.add(event.value)
    return key


def _where(event: yaml.Event) -> str:
    return "" if event.start_mark is None else f" (line {event.start_mark.line + 1})"


def _plain(word: str) -> object:
    for name, pattern, starts in RESOLVERS:
        if word[:1] in starts and pattern.match(word):
            return _MEANINGS[name](word)
    return word
