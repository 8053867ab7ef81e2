"""Reads YAML 1.2 into plain values only: no tags, no aliases, no objects of other types."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml

MAX_DEPTH: Final = 32

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


class Forbidden(Exception):
    """The YAML holds more than plain values; str() says what."""


def read_yaml(document: bytes) -> object:
    """Return the value of a document. Raises Forbidden, yaml.YAMLError, ValueError."""
    events = yaml.parse(document, Loader=yaml.CSafeLoader)
    value: object = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise yaml.YAMLError("there is more than one document")
            value = _value(next(events), events, 0)
    return value


def _value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> object:
    # With aliases, a small document could expand without limit.
    if isinstance(event, yaml.AliasEvent):
        raise Forbidden("holds an alias (*name): write the part out instead")
    if getattr(event, "tag", None) is not None:
        raise Forbidden("holds a tag (!name): write the value alone")
    if isinstance(event, yaml.ScalarEvent):
        return _plain(event.value) if event.implicit[0] else event.value
    if depth == MAX_DEPTH:
        raise Forbidden("is nested too deeply")
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
        key = _value(event, events, depth)
        if not isinstance(event, yaml.ScalarEvent):
            raise yaml.YAMLError(f"a key must be one word{_where(event)}")
        if event.value in seen:
            raise yaml.YAMLError(f"the key {event.value} appears twice{_where(event)}")
        seen.add(event.value)
        values[key] = _value(next(events), events, depth)
    return values


def _where(event: yaml.Event) -> str:
    return "" if event.start_mark is None else f" (line {event.start_mark.line + 1})"


def _plain(word: str) -> object:
    for name, pattern, starts in RESOLVERS:
        if word[:1] in starts and pattern.match(word):
            return _MEANINGS[name](word)
    return word
