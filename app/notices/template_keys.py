"""The keys of a template, read from its content. Pure. Source: linkage 2.1 and 2.3.

A line of the content is a label and a key in double braces: `取件码:{{character_string1.DATA}}`.
The name of a key is the type of its value and a number.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_KEY: Final = re.compile(r"\{\{\s*([A-Za-z][A-Za-z0-9_]{0,63})\.DATA\s*\}\}")
_TYPE: Final = re.compile(r"(.*?)\d*")
# WeChat drops them on delivery since 2023, whatever the content lists. Source: linkage 3.
DROPPED: Final = frozenset({"first", "remark"})
MAX_KEYS: Final = 20


@dataclass(frozen=True, slots=True)
class TemplateKey:
    """One value that a template takes.

    type: `thing`, `time`…; what WeChat adds later is kept as it is. choices: the only values that
    it takes, if there are such.
    """

    name: str
    label: str
    type: str
    choices: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON that the table has."""
        found: dict[str, Any] = {"name": self.name, "label": self.label, "type": self.type}
        return found | ({"choices": list(self.choices)} if self.choices else {})


def keys_of(content: str, choices: Mapping[str, Sequence[str]] | None = None) -> list[TemplateKey]:
    """Return the keys of a template in their order; those that WeChat drops are left out."""
    found: dict[str, TemplateKey] = {}
    for line in content.splitlines():
        begin = 0
        for match in _KEY.finditer(line):
            name, label = match[1], line[begin : match.start()].strip().rstrip(":：").strip()
            begin = match.end()
            if name not in DROPPED and name not in found:
                allowed = tuple((choices or {}).get(name, ()))
                found[name] = TemplateKey(name, label, type_of(name), allowed)
    return list(found.values())[:MAX_KEYS]


def type_of(name: str) -> str:
    """Return the type of a key: its name without the number at the end."""
    match = _TYPE.fullmatch(name)
    return match[1] if match is not None and match[1] else name


def keys_from_json(stored: Sequence[Mapping[str, Any]]) -> list[TemplateKey]:
    """Return the keys of a row of the table."""
    return [
        TemplateKey(one["name"], one["label"], one["type"], tuple(one.get("choices", ())))
        for one in stored
    ]
