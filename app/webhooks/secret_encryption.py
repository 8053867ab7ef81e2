"""Encrypts the signing secrets of webhooks for the database, if WEBHOOK_SECRET_KEY is set. Pure.

The cipher is AES-256-GCM with the webhook's id as associated data. HKDF-SHA-256 derives the key
from WEBHOOK_SECRET_KEY. Secrets that were stored without a key can still be read with one.
"""

import base64
import secrets
from typing import Final
from uuid import UUID

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from pydantic import SecretStr

# Stored in the database: it marks an encrypted secret.
ENCRYPTED_PREFIX: Final = "sealed:"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_HKDF_CONTEXT: Final = b"oa-bridge webhook secrets"


class DecryptionFailed(Exception):
    """A secret was encrypted with a key other than WEBHOOK_SECRET_KEY."""


class SecretBox:
    """Encrypts and decrypts secrets. key: None stores them in plain text."""

    def __init__(self, key: SecretStr | None) -> None:
        self._key = None if key is None else _derive_key(key.get_secret_value())

    def encrypt(self, secret: str, webhook_id: UUID) -> str:
        """Return the text to store for a secret."""
        if self._key is None:
            return secret
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = AES.new(self._key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_BYTES)
        cipher.update(webhook_id.bytes)
        ciphertext, tag = cipher.encrypt_and_digest(secret.encode())
        return ENCRYPTED_PREFIX + base64.b64encode(nonce + tag + ciphertext).decode()

    def decrypt(self, stored: str, webhook_id: UUID) -> str:
        """Return the secret of a stored text. Raises DecryptionFailed."""
        if not stored.startswith(ENCRYPTED_PREFIX):
            return stored
        if self._key is None:
            raise DecryptionFailed
        raw = base64.b64decode(stored.removeprefix(ENCRYPTED_PREFIX))
        nonce, rest = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        cipher = AES.new(self._key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_BYTES)
        cipher.update(webhook_id.bytes)
        try:
            return cipher.decrypt_and_verify(rest[_TAG_BYTES:], rest[:_TAG_BYTES]).decode()
        except ValueError:
            raise DecryptionFailed from None


def _derive_key(key: str) -> bytes:
    derived = HKDF(key.encode(), 32, b"", SHA256, 1, _HKDF_CONTEXT)
    if not isinstance(derived, bytes):  # it is a tuple only for several keys
        raise TypeError
    return derived
