"""Finds the ciphertext in the outer body of an encrypted push, before anything is verified.

The body holds ToUserName and Encrypt; an event of nobody may lack the first. In compatible mode
it holds the plain push as well. Until the signature holds, a stranger may have written it. So it
is not parsed: what looks like a ciphertext is searched for in one pass, and the signature decides.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from app.wechat.errors import BadEnvelope
from app.wechat.push_format import Format, decode, parse_document

# The exact shape that WeChat writes, which no XML parser could read differently. It saves most of
# the parsing of an encrypted push.
_CANONICAL: Final = re.compile(
    rb"\s*<xml>\s*<ToUserName><!\[CDATA\[[\w-]*\]\]></ToUserName>"
    rb"\s*<Encrypt><!\[CDATA\[([A-Za-z0-9+/=]*)\]\]></Encrypt>\s*</xml>\s*"
)
# One CDATA section at most: base64 gives no reason to split it, and thousands would cost
# milliseconds.
_XML: Final = re.compile(
    rb"<Encrypt(?:\s[^<>]*+)?>([^<&]*+(?:<!\[CDATA\[[^\]<]*+\]\]>[^<&]*+)?+)</Encrypt\s*+>",
    re.IGNORECASE,
)
_CDATA: Final = re.compile(rb"<!\[CDATA\[([^\]]*)\]\]>")
_JSON: Final = re.compile(
    rb'"\s*+(?i:Encrypt)\s*+"\s*+:\s*+("(?:[^"\\]++|\\[/nrt]|\\u00[2-7][0-9a-fA-F])*+")'
)
# A text that a follower typed may look like a ciphertext, too: the true one is among the first.
MAX_CANDIDATES: Final = 4
_ENCRYPTED_MEMBERS: Final = frozenset({"tousername", "encrypt"})  # in lower case


def lone_ciphertext(body: bytes) -> str | None:
    """Return the ciphertext of a body that has the exact shape which WeChat writes, else None.

    Such a body holds the ciphertext and ToUserName alone.
    """
    canonical = _CANONICAL.fullmatch(body)
    return None if canonical is None else canonical[1].decode()


def ciphertexts(body: bytes, format: Format) -> Iterator[str]:
    """Yield what may be the signed ciphertext: as received, and without blanks around it.

    Takes time that grows with the length of the body alone. Raises nothing.
    """
    found = islice((_XML if format is Format.XML else _JSON).finditer(body), MAX_CANDIDATES)
    for match in found:
        if format is Format.JSON:
            written = json.loads(match[1].decode(errors="replace"), strict=False)
        else:
            written = _CDATA.sub(rb"\1", match[1]).decode(errors="replace")
        yield written
        if written != written.strip():
            yield written.strip()


def require_ciphertext_only(body: bytes, format: Format, ciphertext: str) -> None:
    """Raise BadEnvelope (mixed_body) if the body holds more than the ciphertext and ToUserName.

    For a body whose signature holds; also raises what `parse_document` does.
    """
    document = parse_document(decode(body), format)
    members = {name.lower(): value for name, value in document.items()}
    encrypt = members.get("encrypt")
    alone = len(members) == len(document) and members.keys() <= _ENCRYPTED_MEMBERS
    if not alone or not isinstance(encrypt, str):
        raise BadEnvelope("mixed_body")
    if encrypt.strip() != ciphertext.strip():
        raise BadEnvelope("mixed_body")
