"""Reads and writes XML. Characters that XML forbids are removed, and a DOCTYPE is refused."""

import re
import sys
from types import SimpleNamespace
from xml.parsers import expat

import xmltodict

from app.wechat.errors import BadEnvelope

MAX_DEPTH = 32

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SECTION_OR_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&#(?:x([0-9a-fA-F]+)|([0-9]+));", re.DOTALL
)
_DIGITS_OF_THE_LAST_CODE_POINT = 7


# The exact shape of a flat push, which no XML parser could read differently. The parser calls a
# function for every element, which costs more than all other steps of reading a message.
_FIELD = (
    r"\s*<([A-Za-z_]\w*)>(?:<!\[CDATA\[([^\]\r]*(?:\](?!\]>)[^\]\r]*)*)\]\]>|([^<>&\]\r]*))</\%d>"
)
_FLAT = re.compile(rf"\s*<xml>(?:{_FIELD % 1})+\s*</xml>\s*", re.ASCII)
_FIELDS = re.compile(_FIELD % 1, re.ASCII)


def strip_illegal(text: str) -> str:
    """Return the text without the characters that XML 1.0 can't hold."""
    return _ILLEGAL.sub("", text)


def cdata(text: str) -> str:
    """Return a CDATA section for `text`, which may hold `]]>`."""
    return f"<![CDATA[{strip_illegal(text).replace(']]>', ']]]]><![CDATA[>')}]]>"


def parse_xml(text: str) -> dict[str, object]:
    """Return the children of `<xml>` without attributes and without text between elements.

    Raises BadEnvelope (malformed, forbidden_dtd).
    """
    text = strip_illegal(text)
    flat = _flat(text)
    if flat is not None:
        return flat
    try:
        document = _read(text)
    except expat.ExpatError:
        document = _read_without_illegal_references(text)
    root = document.get("xml") if document else None
    if not isinstance(root, dict):
        raise BadEnvelope("malformed")
    return root


def _flat(text: str) -> dict[str, object] | None:
    """Return the members if the document has the flat shape that WeChat writes, else None."""
    if _FLAT.fullmatch(text) is None:
        return None
    fields = _FIELDS.findall(text, text.index("<xml>") + len("<xml>"))
    members: dict[str, object] = {name: section or plain for name, section, plain in fields}
    return members if len(members) == len(fields) else None


def _parser(encoding: str, namespace_separator: str | None) -> expat.XMLParserType:
    parser = expat.ParserCreate(encoding, namespace_separator)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_declaration: object) -> None:
    raise BadEnvelope("forbidden_dtd")


# xmltodict uses this as its expat module. It refuses a DOCTYPE, so no entity can be declared. A
# search for "<!DOCTYPE" in the raw text would also refuse one that a follower typed inside CDATA.
_EXPAT = SimpleNamespace(ParserCreate=_parser)


def _read(text: str) -> dict[str, object] | None:
    document: dict[str, object] | None = xmltodict.parse(
        text,
        expat=_EXPAT,
        xml_attribs=False,
        strip_whitespace=False,
        postprocessor=_child,
    )
    return document


def _child(path: list[object], name: str, value: object) -> tuple[str, object] | None:
    if len(path) > MAX_DEPTH:
        raise BadEnvelope("malformed")
    if name == "#text":
        return None
    return name, "" if value is None else value


def _read_without_illegal_references(text: str) -> dict[str, object] | None:
    try:
        return _read(_SECTION_OR_REFERENCE.sub(_keep_if_legal, text))
    except expat.ExpatError as error:
        raise BadEnvelope("malformed") from error


def _keep_if_legal(match: re.Match[str]) -> str:
    hexadecimal, decimal = match.groups()
    digits = (hexadecimal or decimal or "").lstrip("0")
    if hexadecimal is None and decimal is None:
        return match[0]
    if not 0 < len(digits) <= _DIGITS_OF_THE_LAST_CODE_POINT:
        return ""
    code_point = int(digits, 16 if hexadecimal else 10)
    return match[0] if code_point <= sys.maxunicode and strip_illegal(chr(code_point)) else ""
