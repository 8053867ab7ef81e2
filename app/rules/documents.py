"""The whole set of rules as one YAML or JSON document, bounded before it is read."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import orjson
import yaml

from app.rules.problems import Problem, Refused
from app.rules.schemas import RuleIn, RuleOut

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 32


class DocumentFormat(StrEnum):
    """How a document is written."""

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


# YAML 1.2, not 1.1: `on`, `no`, 09:00 and 0898 are the text that they are.
_NUMBER: Final = "(?:0|[1-9][0-9]*)"
_RESOLVERS: Final = (
    ("bool", re.compile(r"^(?:true|false)$"), list("tf")),
    ("null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""]),
    ("int", re.compile(rf"^[-+]?{_NUMBER}$"), list("-+0123456789")),
    (
        "float",
        re.compile(rf"^[-+]?{_NUMBER}?\.[0-9]+(?:[eE][-+]?[0-9]+)?$"),
        list("-+.0123456789"),
    ),
)


class _Loader(yaml.CSafeLoader):
    """Reads plain words by the resolvers above, and takes a key only once."""

    # Of its own, so that the base class keeps its resolvers.
    yaml_implicit_resolvers = {}  # noqa: RUF012 - the base class declares its type

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return a mapping. Raises ConstructorError for a repeated key."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value} stands twice", key.start_mark
                    )
                seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


class _Dumper(yaml.CSafeDumper):
    """Quotes every text that a reader of YAML 1.1, or the loader, would take for something else."""


for _name, _pattern, _starts in _RESOLVERS:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, _starts)
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, _starts)


def format_of(content_type: str) -> DocumentFormat | None:
    """Return the format that a Content-Type names; None for any other."""
    return _SPELLINGS.get(content_type.partition(";")[0].strip().lower())


def read(document: bytes, format: DocumentFormat) -> object:
    """Return what a document says. Raises Refused."""
    try:
        return orjson.loads(document) if format is DocumentFormat.JSON else _read_yaml(document)
    except orjson.JSONDecodeError as error:
        raise _refused(f"is not valid JSON: {error}") from None
    except yaml.YAMLError as error:
        raise _refused(f"is not valid YAML: {' '.join(str(error).split())}") from None
    except (ValueError, LookupError, AttributeError, RecursionError) as error:
        raise _refused(f"can't be read: {error}") from None


def write(rules: Sequence[RuleOut], format: DocumentFormat) -> bytes:
    """Return the document of a set of rules."""
    document = {"rules": [_written(rule) for rule in rules]}
    if format is DocumentFormat.JSON:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2)
    if not rules:
        return b"rules: []\n"
    # Rule by rule: the nodes of all together are some hundred times as large as the document.
    return b"rules:\n" + b"".join(_as_yaml([written]) for written in document["rules"])


def _as_yaml(part: object) -> bytes:
    text: str = yaml.dump(part, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    return text.encode()


def _written(rule: RuleOut) -> dict[str, Any]:
    members = {"id", *RuleIn.model_fields}
    written = rule.model_dump(mode="json", by_alias=True, include=members)
    return {"id": written.pop("id"), **written}


def _read_yaml(document: bytes) -> object:
    depth = 0
    for event in yaml.parse(document, Loader=yaml.CSafeLoader):
        # An alias lets a small document grow without end.
        if isinstance(event, yaml.AliasEvent):
            raise _refused("holds an alias (*name): write the part out instead")
        if getattr(event, "tag", None) is not None:
            raise _refused("holds a tag (!name): write the value alone")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _refused("is nested too deeply")
    return yaml.load(document, Loader=_Loader)  # noqa: S506 - a safe loader, see above


def _refused(msg: str) -> Refused:
    return Refused([Problem(loc=["body"], msg=msg, type="document")])
