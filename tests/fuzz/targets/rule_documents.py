"""Documents with the whole set of rules, YAML and JSON, as an import reads and checks them.

An input: a byte that chooses the format, then the document.
"""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import yaml

from app.rules.definition.schemas import RuleOut
from app.rules.definition.validation_errors import InvalidRequest
from app.rules.importing.document import DocumentFormat, read_items, write
from app.rules.importing.imported_rules import ImportedRules, read_rules
from app.rules.importing.preview import problems_of
from app.rules.text.regex_cost import cost_of
from app.settings import Settings
from tests.fuzz.storable import JsonText, refusal
from tests.fuzz.target import Target, Values
from tests.rules.makers import NOON, as_posted, settings_with

_FORMATS: Final = (DocumentFormat.YAML, DocumentFormat.JSON)
_STAMPS: Final = {"revision": 1, "created_at": NOON, "updated_at": NOON}
_JSON_COLUMNS: Final = ("trigger", "replies", "conditions", "utm")
_MAX_INTEGER: Final = 2**31 - 1


@cache
def _settings() -> Settings:
    folder = Path(tempfile.mkdtemp(prefix="oa-bridge-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return settings_with(folder)


def try_case(data: bytes) -> Values:
    """Read a document; what is imported must read back from a document as the same."""
    format = _FORMATS[(data[0] if data else 0) % len(_FORMATS)]
    rules = read(data[1:], format)
    return () if rules is None else [inner for rule in rules for inner in _columns(rule, format)]


def read(document: bytes, format: DocumentFormat) -> list[dict[str, Any]] | None:
    """Return the columns of the rules; None where the document is refused."""
    try:
        rules: ImportedRules = read_rules(BytesIO(document), format, _settings())
    except InvalidRequest as error:
        problems = error.problems
    else:
        found = [rules.columns(number) for number in range(len(rules))]
        rules.close()
        return found
    assert problems
    assert all(problem.msg for problem in problems)
    assert refusal([JsonText(json.dumps(problems_of(problems), ensure_ascii=False))]) is None
    return None


def _columns(columns: dict[str, Any], format: DocumentFormat) -> list[object]:
    stored = RuleOut.model_validate({**columns, "id": 7, **_STAMPS})
    (again,) = read_items(BytesIO(write([stored], format)), format)
    assert isinstance(again, dict)
    assert {"id": 7, **{name: columns[name] for name in again if name != "id"}} == again
    assert abs(columns["priority"]) <= _MAX_INTEGER
    return [
        JsonText(json.dumps(value, ensure_ascii=False)) if name in _JSON_COLUMNS else value
        for name, value in columns.items()
    ]


_CARD: Final = {
    "msgtype": "miniprogrampage",
    "title": "Shop",
    "appid": "wx0000000000000009",
    "pagepath": "pages/index?ref={ref}",
    "thumb": {"file": "shop.png"},
}
_TRIGGERS: Final[tuple[dict[str, Any], ...]] = (
    {"on": "text", "match": "exact", "keyword": "商城", "raw": True},
    {"on": "text", "match": "regex", "keyword": "^order (?P<number>[0-9]{1,9})$"},
    {"on": "text", "match": "any", "keywords": ["a", "b"], "not": True},
    {"on": "msgmenu", "id": "7"},
    {"on": "subscribe", "scene": "shop_"},
    {"on": "scan", "scene": "shop"},
    {"on": "click", "key": "K"},
    {"on": "location", "latitude": 31.5, "longitude": 121, "radius_metres": 500},
    {"on": "fallback"},
)


def seeds() -> Iterable[bytes]:
    """Give documents with rules of each kind, and some that are none."""
    rules = [
        as_posted(name=f"Rule {number}", trigger=trigger)
        for number, trigger in enumerate(_TRIGGERS)
    ]
    rules.append(as_posted(replies=[{"msgtype": "text", "via": "passive", "content": "a {ref}"}]))
    rules.append(
        as_posted(
            conditions={
                "cooldown_seconds": 60,
                "share": {"percent": 50, "salt": "s"},
                "from": "2026-11-24T00:00:00+08:00",
                "days": ["mon"],
            },
            utm={"source": "oa", "medium": "reply"},
        )
    )
    for some in (*([rule] for rule in rules), rules, []):
        document = {"rules": some}
        yield b"\x00" + yaml.safe_dump(document, allow_unicode=True).encode()
        yield b"\x01" + json.dumps(document, ensure_ascii=False).encode()
    yield b"\x00rules: &a [*a]"
    yield b"\x00rules: [!!python/object:os.system x]"
    yield b"\x00rules:\n- {name: 1e999, priority: 0x1F}"
    yield b'\x01{"rules": [{"name": "\\ud800", "priority": 1e999}]}'
    yield b"\x01" + b'{"rules": [' + b"[" * 500
    yield b"\x00rules: " + b"[" * 500


_WORDS: Final = (
    *{name for trigger in _TRIGGERS for name in trigger},
    *("rules:", "name:", "appid:", "enabled:", "priority:", "trigger:", "replies:", "conditions:"),
    *('"rules":', '"name":', '"id":', '"utm":', '"share":', '"content":', '"msgtype":', '"via":'),
    *("text", "news", "msgmenu", "image", "passive", "custom", "regex", "exact", "subscribe"),
    *("null", "true", "~", "1e999", ".inf", "-", ": ", "- ", "? ", "| ", "> ", "&a", "*a", "<<"),
    *("!!str", "\\u0000", "\\ud800", "\x00", "\ufeff", "{ref}", "{1}", "{{", "9" * 20, "\u0085"),
)


def _forget() -> None:
    cost_of.cache_clear()


TARGET: Final = Target(try_case, seeds, _WORDS, _forget)
