"""Reads the outer body of an encrypted push.

It holds ToUserName and Encrypt; in compatible mode it holds the plain push as well.
"""

import re
from collections.abc import Set
from dataclasses import dataclass

from app.wechat.errors import BadEnvelope
from app.wechat.push_format import Format, decode, parse_document

# The exact shape that WeChat writes, which no XML parser could read differently. It saves most of
# the parsing of an encrypted push.
_CANONICAL = re.compile(
    rb"\s*<xml>\s*<ToUserName><!\[CDATA\[[\w-]*\]\]></ToUserName>"
    rb"\s*<Encrypt><!\[CDATA\[([A-Za-z0-9+/=]*)\]\]></Encrypt>\s*</xml>\s*"
)
_ENCRYPTED_MEMBERS = frozenset({"ToUserName", "Encrypt"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """An outer body. encrypt: the ciphertext in base64, as received. members: all its names."""

    encrypt: str
    members: Set[str]

    def require_ciphertext_only(self) -> None:
        """Raise BadEnvelope (mixed_body) if the body holds more than the ciphertext, unsigned."""
        if self.members != _ENCRYPTED_MEMBERS:
            raise BadEnvelope("mixed_body")


def read_envelope(body: bytes, format: Format) -> Envelope:
    """Find the ciphertext. Raises BadEnvelope (not_encrypted, or a reason of `parse_document`)."""
    canonical = _CANONICAL.fullmatch(body)
    if canonical:
        return Envelope(canonical[1].decode(), _ENCRYPTED_MEMBERS)
    document = parse_document(decode(body), format)
    encrypt = document.get("Encrypt")
    if not isinstance(encrypt, str):
        raise BadEnvelope("not_encrypted")
    return Envelope(encrypt, document.keys())
