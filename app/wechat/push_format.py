"""Parses the body of a push, XML or JSON, into a dictionary of texts."""

import codecs
from enum import StrEnum

from app.wechat.errors import BadEnvelope
from app.wechat.json_document import parse_json
from app.wechat.xml_document import parse_xml


class Format(StrEnum):
    """The format of an account's pushes and of the passive replies to them."""

    XML = "xml"
    JSON = "json"


_BY_FIRST_BYTE = {b"<": Format.XML, b"{": Format.JSON}


def format_of(body: bytes) -> Format:
    """Return the format, by the first byte that is not blank: Content-Type may be wrong.

    Raises BadEnvelope (malformed). Source: protocol 1.1.
    """
    start = body.removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if start not in _BY_FIRST_BYTE:
        raise BadEnvelope("malformed")
    return _BY_FIRST_BYTE[start]


def decode(body: bytes) -> str:
    """Return the text of a body, without a byte order mark. Raises BadEnvelope (bad_utf8)."""
    try:
        return body.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        raise BadEnvelope("bad_utf8") from error


def parse_document(text: str, format: Format) -> dict[str, object]:
    """Return the members of a push as texts, dictionaries, and lists of these.

    Numbers keep their digits as text. An empty element and a JSON null become "". A repeated
    element or member becomes a list. No text holds NUL or a lone surrogate, so Postgres can
    store it.
    Raises BadEnvelope (malformed, forbidden_dtd).
    """
    return parse_xml(text) if format is Format.XML else parse_json(text)
