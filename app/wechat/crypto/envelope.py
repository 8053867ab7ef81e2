"""The outer body of an encrypted push: ToUserName, Encrypt, and in compatible mode the rest."""

import re
from collections.abc import Set
from dataclasses import dataclass

from app.wechat.errors import BadEnvelope
from app.wechat.push_format import Format, decode, parse_document

# Exactly the shape that WeChat writes, and nothing in which the XML parser could read otherwise:
# it saves most of the parsing of every encrypted push.
_CANONICAL = re.compile(
    rb"\s*<xml>\s*<ToUserName><!\[CDATA\[[\w-]*\]\]></ToUserName>"
    rb"\s*<Encrypt><!\[CDATA\[([A-Za-z0-9+/=]*)\]\]></Encrypt>\s*</xml>\s*"
)
_SEALED_MEMBERS = frozenset({"ToUserName", "Encrypt"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """encrypt: base64 as received. members: the names of everything in the outer body."""

    encrypt: str
    members: Set[str]

    def require_sealed(self) -> None:
        """Raise BadEnvelope (mixed_body) if anything stands beside the ciphertext, unsigned."""
        if self.members != _SEALED_MEMBERS:
            raise BadEnvelope("mixed_body")


def read_envelope(body: bytes, format: Format) -> Envelope:
    """Find the ciphertext. Raises BadEnvelope (not_encrypted, and as `parse_document` does)."""
    canonical = _CANONICAL.fullmatch(body)
    if canonical:
        return Envelope(canonical[1].decode(), _SEALED_MEMBERS)
    document = parse_document(decode(body), format)
    encrypt = document.get("Encrypt")
    if not isinstance(encrypt, str):
        raise BadEnvelope("not_encrypted")
    return Envelope(encrypt, document.keys())
