"""Writes and reads the documents of pushes and replies. Source: protocol 4."""

import json
from collections.abc import Mapping
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

import xmltodict

from app.wechat.crypto import Format

JsonObject = dict[str, object]


def write(fields: Mapping[str, object], data_format: Format) -> str:
    """Return a document in XML or JSON; in XML, a list becomes a repeated element."""
    if data_format is Format.JSON:
        return json.dumps(fields, ensure_ascii=False)
    return element("xml", fields)


def element(name: str, value: object) -> str:
    """Return an XML element as the platform writes it: numbers bare, texts in CDATA."""
    if isinstance(value, list):
        return "".join(element(name, item) for item in value)
    if isinstance(value, Mapping):
        inner = "".join(element(child, item) for child, item in value.items())
    elif isinstance(value, int):
        inner = str(value)
    else:
        inner = cdata(str(value))
    return f"<{escape(name)}>{inner}</{escape(name)}>"


def cdata(text: str) -> str:
    """Return text as CDATA; a `]]>` inside it is split into two sections."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def read(text: str, data_format: Format) -> JsonObject:
    """Return the members of a document. Raises ValueError if it does not have this format."""
    parsed = json.loads(text) if data_format is Format.JSON else read_xml(text)
    if not isinstance(parsed, dict):
        raise ValueError("not a document")
    return parsed


def read_xml(text: str) -> object:
    """Return the content of the root element `xml`. Raises ValueError."""
    try:
        parsed = xmltodict.parse(text, disable_entities=True, strip_whitespace=False)
    except ExpatError as error:
        raise ValueError("not XML") from error
    return without_gaps(parsed.get("xml"))


def without_gaps(value: object) -> object:
    """Drop the text between elements, which has no meaning; text inside an element is kept."""
    if isinstance(value, dict):
        return {name: without_gaps(item) for name, item in value.items() if name != "#text"}
    if isinstance(value, list):
        return [without_gaps(item) for item in value]
    return value
