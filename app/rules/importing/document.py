"""Reads and writes the whole set of rules as one YAML or JSON document."""

import json
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import orjson
import yaml

from app.rules.definition.schemas import RuleIn, RuleOut
from app.rules.definition.validation_errors import InvalidRequest, Problem
from app.rules.importing.safe_yaml import RESOLVERS, Forbidden, read_yaml

MAX_BYTES: Final = 96 * 1024 * 1024
"""Enough for MAX_RULES rules, each with a card and a text of the usual length."""


class DocumentFormat(StrEnum):
    """The format of a document."""

    YAML = "yaml"
    JSON = "json"


MEDIA_TYPES: Final = {
    DocumentFormat.YAML: "application/yaml",
    DocumentFormat.JSON: "application/json",
}
_SPELLINGS: Final = {
    "application/yaml": DocumentFormat.YAML,
    "application/x-yaml": DocumentFormat.YAML,
    "text/yaml": DocumentFormat.YAML,
    "text/x-yaml": DocumentFormat.YAML,
    "application/json": DocumentFormat.JSON,
}


class _Dumper(yaml.CSafeDumper):
    """Quotes every text that `read_yaml` or a YAML 1.1 parser would not read as text."""


for _name, _pattern, _starts in RESOLVERS:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, _starts)


def format_of(content_type: str) -> DocumentFormat | None:
    """Return the format that a Content-Type names; None for other media types."""
    return _SPELLINGS.get(content_type.partition(";")[0].strip().lower())


def read(document: bytes, format: DocumentFormat) -> object:
    """Return the value that a document holds. Raises InvalidRequest."""
    try:
        return _read_json(document) if format is DocumentFormat.JSON else read_yaml(document)
    except json.JSONDecodeError as error:
        raise _invalid(f"is not valid JSON: {error}") from None
    except Forbidden as error:
        raise _invalid(str(error)) from None
    except yaml.YAMLError as error:
        raise _invalid(f"is not valid YAML: {' '.join(str(error).split())}") from None
    except (ValueError, LookupError, AttributeError, RecursionError) as error:
        raise _invalid(f"can't be read: {error}") from None


def write(rules: Sequence[RuleOut], format: DocumentFormat) -> bytes:
    """Return a document with these rules; JSON has one line for each rule."""
    # Rule by rule: the nodes of all of them take about a hundred times the size of the document.
    if format is DocumentFormat.JSON:
        lines = (orjson.dumps(_members_of(rule)) for rule in rules)
        return b'{"rules": [\n' + b",\n".join(lines) + b"\n]}\n"
    if not rules:
        return b"rules: []\n"
    return b"rules:\n" + b"".join(_as_yaml([_members_of(rule)]) for rule in rules)


def _as_yaml(part: object) -> bytes:
    text: str = yaml.dump(part, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    return text.encode()


def _members_of(rule: RuleOut) -> dict[str, Any]:
    members = {"id", *RuleIn.model_fields}
    written = rule.model_dump(mode="json", by_alias=True, include=members)
    return {"id": written.pop("id"), **written}


def _read_json(document: bytes) -> object:
    return json.loads(document, object_pairs_hook=_members, parse_constant=_reject_constant)


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise _invalid(f"is not valid JSON for rules: the key {twice} appears twice")
    return members


def _reject_constant(name: str) -> None:
    raise _invalid(f"is not valid JSON: {name} is not a number")


def _invalid(msg: str) -> InvalidRequest:
    return InvalidRequest([Problem(loc=["body"], msg=msg, type="document")])
