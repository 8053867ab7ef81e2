"""Reads and writes the whole set of rules as one YAML or JSON document."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from io import BytesIO
from typing import IO, Annotated, Any, Final

import orjson
import yaml
from pydantic import Field, ValidationError

from app.rules.definition.fields import Strict
from app.rules.definition.schemas import RuleId, RuleIn, RuleOut
from app.rules.definition.validation_errors import InvalidRequest, Problem, problems_in
from app.rules.editing.room import MAX_RULES
from app.rules.importing.byte_source import ByteSource
from app.rules.importing.json_items import read_json_items
from app.rules.importing.limits import (
    MEMBER,
    BadDocument,
    NotAList,
    NotAnObject,
    WrongMembers,
)
from app.rules.importing.safe_yaml import RESOLVERS, read_yaml_items

MAX_ID: Final = 2**53
"""Exact in every client of the API, and far below the greatest id, so that ids do not run out."""


class ImportedRule(RuleIn):
    """A rule of a document."""

    id: Annotated[RuleId, Field(le=MAX_ID)] | None = None
    """The stored rule that it replaces; left out, the one with its name and appid."""


class Imported(Strict):
    """A document with the whole set of rules."""

    rules: Annotated[tuple[ImportedRule, ...], Field(max_length=MAX_RULES)]
    """All rules."""


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


_JSON_START: Final = b'{"rules": [\n'


class _Dumper(yaml.CSafeDumper):
    """Quotes every text that `read_yaml` or a YAML 1.1 parser would not read as text."""


for _name, _pattern, _starts in RESOLVERS:
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, _starts)


def format_of(content_type: str) -> DocumentFormat | None:
    """Return the format that a Content-Type names; None for other media types."""
    return _SPELLINGS.get(content_type.partition(";")[0].strip().lower())


def read_items(stream: ByteSource, format: DocumentFormat) -> Iterator[object]:
    """Yield the rules of a document as they stand there. Raises InvalidRequest.

    They are read one by one: a document of the greatest size takes no more memory than a few rules.
    """
    try:
        yield from _READERS[format](stream)
    except NotAnObject:
        raise _invalid_document([]) from None
    except NotAList:
        raise _invalid_document({MEMBER: None}) from None
    except WrongMembers as error:
        raise _invalid_document(dict.fromkeys(error.names, ())) from None
    except BadDocument as error:
        raise _invalid(str(error)) from None
    except yaml.YAMLError as error:
        where = " ".join(str(error).split()).replace('in "<file>", line', "in line")
        raise _invalid(f"is not valid YAML: {where}") from None
    except (ValueError, LookupError, AttributeError) as error:
        raise _invalid(f"can't be read: {error}") from None


def write(rules: Sequence[RuleOut], format: DocumentFormat) -> bytes:
    """Return a document with these rules; JSON has one line for each rule."""
    file = BytesIO()
    writer = DocumentWriter(file, format)
    writer.add(rules)
    writer.end()
    return file.getvalue()


class DocumentWriter:
    """Writes a document to a file, some rules after the others."""

    def __init__(self, file: IO[bytes], format: DocumentFormat) -> None:
        self._file = file
        self._format = format
        self._is_empty = True

    def add(self, rules: Sequence[RuleOut]) -> None:
        """Write further rules."""
        # Rule by rule: the nodes of all of them take a hundred times the size of the document.
        for rule in rules:
            self._file.write(self._separator())
            self._file.write(self._written(rule))
            self._is_empty = False

    def end(self) -> None:
        """Write the end; no rule may follow."""
        if self._format is DocumentFormat.JSON:
            self._file.write((_JSON_START if self._is_empty else b"") + b"\n]}\n")
        elif self._is_empty:
            self._file.write(b"rules: []\n")

    def _separator(self) -> bytes:
        if self._format is DocumentFormat.JSON:
            return _JSON_START if self._is_empty else b",\n"
        return b"rules:\n" if self._is_empty else b""

    def _written(self, rule: RuleOut) -> bytes:
        members = _members_of(rule)
        return orjson.dumps(members) if self._format is DocumentFormat.JSON else as_yaml([members])


def as_yaml(part: object) -> bytes:
    """Return plain values as YAML that `safe_yaml` reads back."""
    text: str = yaml.dump(part, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    return text.encode()


def _members_of(rule: RuleOut) -> dict[str, Any]:
    members = {"id", *RuleIn.model_fields}
    written = rule.model_dump(mode="json", by_alias=True, include=members)
    return {"id": written.pop("id"), **written}


def _invalid_document(part: object) -> InvalidRequest:
    try:
        Imported.model_validate(part)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return InvalidRequest(problems_in(found, "body"))
    return _invalid("can't be read")


def _invalid(msg: str) -> InvalidRequest:
    return InvalidRequest([Problem(loc=["body"], msg=msg, type="document")])


_READERS: Final[dict[DocumentFormat, Callable[[ByteSource], Iterator[object]]]] = {
    DocumentFormat.YAML: read_yaml_items,
    DocumentFormat.JSON: read_json_items,
}
