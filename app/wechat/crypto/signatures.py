"""Signatures of a callback, and how old a signed timestamp may be."""

import hashlib
import hmac


def signature(token: str, timestamp: str, nonce: str) -> str:
    """Return the 40 hex digits that prove knowledge of the Token; they cover no body.

    Source: protocol 1.2.
    """
    return _digest(token, timestamp, nonce)


def msg_signature(token: str, timestamp: str, nonce: str, encrypt: str) -> str:
    """Return the 40 hex digits that also cover the ciphertext.

    encrypt: the text of Encrypt as received, base64. Source: protocol 1.3.
    """
    return _digest(token, timestamp, nonce, encrypt)


def same(given: str, expected: str) -> bool:
    """Compare two signatures in constant time, also where `given` is not ASCII."""
    return hmac.compare_digest(given.encode(), expected.encode())


def _digest(*parts: str) -> str:
    # SHA-1 is what the protocol asks for, here as a keyed checksum.
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()
