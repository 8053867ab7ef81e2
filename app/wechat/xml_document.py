"""Reads and writes XML. A DOCTYPE is refused.

Characters that XML forbids are removed, but half of a surrogate pair becomes U+FFFD.
"""

import re
import sys
from types import SimpleNamespace
from xml.parsers import expat

import xmltodict

from app.wechat.errors import BadEnvelope

MAX_DEPTH = 32

# One class of characters: an alternative would take twice the time for every push.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]+)|([0-9]+));")
_SECTION_OR_REFERENCES = re.compile(
    rf"<!\[CDATA\[.*?(?:\]\]>|\Z)|(?P<references>(?:{_REFERENCE.pattern})+)", re.DOTALL
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
    """Return the text without the characters that XML 1.0 can't hold.

    Half of a surrogate pair was part of something that a person typed: U+FFFD takes its place.
    """
    return _ILLEGAL.sub(_replacement, text)


def _replacement(illegal: re.Match[str]) -> str:
    return "\ufffd" if "\ud800" <= illegal[0] <= "\udfff" else ""


def cdata(text: str) -> str:
    """Return a CDATA section for `text`, which may hold `]]>`."""
    return f"<![CDATA[{strip_illegal(text).replace(']]>', ']]]]><![CDATA[>')}]]>"


def parse_xml(text: str) -> dict[str, object]:
    """Return the children of `<xml>` without attributes and without text between elements.

    Upper and lower case make no difference in the name of the root.
    Raises BadEnvelope (malformed, forbidden_dtd).
    """
    text = strip_illegal(text)
    flat = _flat(text)
    if flat is not None:
        return flat
    try:
        document = _read(text)
    except expat.ExpatError:
        document = _read_with_legal_references(text)
    for name, root in (document or {}).items():  # there is one root
        if name.lower() == "xml" and isinstance(root, dict):
            return root
    raise BadEnvelope("malformed")


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


def _read_with_legal_references(text: str) -> dict[str, object] | None:
    try:
        return _read(_SECTION_OR_REFERENCES.sub(_legal, text))
    except expat.ExpatError as error:
        raise BadEnvelope("malformed") from error


def _legal(match: re.Match[str]) -> str:
    """Return a CDATA section as it is, and numeric references as those that XML allows.

    A pair of surrogates, as Java and JavaScript count characters, becomes the character it means.
    """
    references = match["references"]
    if references is None:
        return match[0]
    characters = "".join(map(_character, _REFERENCE.finditer(references)))
    # UTF-16 joins the pairs.
    whole = characters.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return "".join(f"&#{ord(character)};" for character in strip_illegal(whole))


def _character(reference: re.Match[str]) -> str:
    """Return the character that a numeric reference means, "" if there is none."""
    hexadecimal, decimal = reference.groups()
    digits = (hexadecimal or decimal).lstrip("0")
    if not 0 < len(digits) <= _DIGITS_OF_THE_LAST_CODE_POINT:
        return ""
    code_point = int(digits, 16 if hexadecimal else 10)
    return chr(code_point) if code_point <= sys.maxunicode else ""
