"""Signatures of a callback."""

import hashlib
import hmac


def signature(token: str, timestamp: str, nonce: str) -> str:
    """Return the signature, 40 hex digits. It proves the Token, but does not cover the body.

    Source: protocol 1.2.
    """
    return _digest(token, timestamp, nonce)


def msg_signature(token: str, timestamp: str, nonce: str, encrypt: str) -> str:
    """Return the msg_signature, 40 hex digits. It covers the ciphertext, too.

    encrypt: the value of Encrypt as received, base64. Source: protocol 1.3.
    """
    return _digest(token, timestamp, nonce, encrypt)


def signatures_equal(given: str, expected: str) -> bool:
    """Compare two signatures in constant time, also where `given` is not ASCII."""
    return hmac.compare_digest(given.encode(), expected.encode())


def _digest(*parts: str) -> str:
    # The protocol demands SHA-1, here as a checksum with a key.
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()
