"""Signing secrets as they stand in the database: sealed, if the settings have a key for it. Pure.

AES-256-GCM, bound to the webhook, with a key that HKDF-SHA-256 makes of WEBHOOK_SECRET_KEY. What
was stored without a key stays readable with one, until the secret is changed.
"""

import base64
import secrets
from typing import Final
from uuid import UUID

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from pydantic import SecretStr

SEALED: Final = "sealed:"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_CONTEXT: Final = b"oa-bridge webhook secrets"


class DecryptionFailed(Exception):
    """A secret was sealed with another key than the settings have now."""


class SecretBox:
    """Seals secrets and opens them again. key: None leaves them as they are."""

    def __init__(self, key: SecretStr | None) -> None:
        self._key = None if key is None else _derived(key.get_secret_value())

    def encrypt(self, secret: str, webhook_id: UUID) -> str:
        """Return a secret as it is stored."""
        if self._key is None:
            return secret
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = AES.new(self._key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_BYTES)
        cipher.update(webhook_id.bytes)
        sealed, tag = cipher.encrypt_and_digest(secret.encode())
        return SEALED + base64.b64encode(nonce + tag + sealed).decode()

    def decrypt(self, stored: str, webhook_id: UUID) -> str:
        """Return what was sealed. Raises NotOpened."""
        if not stored.startswith(SEALED):
            return stored
        if self._key is None:
            raise DecryptionFailed
        raw = base64.b64decode(stored.removeprefix(SEALED))
        nonce, rest = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        cipher = AES.new(self._key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_BYTES)
        cipher.update(webhook_id.bytes)
        try:
            return cipher.decrypt_and_verify(rest[_TAG_BYTES:], rest[:_TAG_BYTES]).decode()
        except ValueError:
            raise DecryptionFailed from None


def _derived(key: str) -> bytes:
    derived = HKDF(key.encode(), 32, b"", SHA256, 1, _CONTEXT)
    if not isinstance(derived, bytes):  # only several keys come in a tuple
        raise TypeError
    return derived
