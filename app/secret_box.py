"""Encrypts the secrets that the database holds, if SECRET_KEY is set. Pure.

The cipher is AES-256-GCM. HKDF-SHA-256 derives the key from the setting. The associated data says
what a secret is for, so that a stored text can't stand in for another one. Secrets that were stored
without a key can still be read with one.
"""

import base64
import secrets
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from pydantic import SecretStr

from app.settings import Settings

# Stored in the database: it marks an encrypted secret. No secret in plain text begins so.
ENCRYPTED_PREFIX: Final = "sealed:"
WRONG_KEY: Final = (
    "it was encrypted with another key: set SECRET_KEY, or SECRET_KEY_PREVIOUS, to the key with "
    "which it was stored"
)
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
# The first secrets were those of webhooks. Another context would make what is stored unreadable.
_HKDF_CONTEXT: Final = b"oa-bridge webhook secrets"


class DecryptionFailed(Exception):
    """A secret was encrypted with a key that the settings do not have, or for another purpose."""


class SecretBox:
    """Encrypts and decrypts secrets.

    key: encrypts; None stores secrets in plain text. former: keys that still decrypt.
    purpose, of each method: what the secret is for, as bytes that never change.
    """

    def __init__(self, key: SecretStr | None, former: Iterable[SecretStr] = ()) -> None:
        self._key = None if key is None else _derive_key(key)
        self._former = tuple(_derive_key(one) for one in former)

    def encrypt(self, secret: str, purpose: bytes) -> str:
        """Return the text to store for a secret."""
        if self._key is None:
            return secret
        nonce = secrets.token_bytes(_NONCE_BYTES)
        ciphertext, tag = _cipher(self._key, nonce, purpose).encrypt_and_digest(secret.encode())
        return ENCRYPTED_PREFIX + base64.b64encode(nonce + tag + ciphertext).decode()

    def decrypt(self, stored: str, purpose: bytes) -> str:
        """Return the secret of a stored text. Raises DecryptionFailed."""
        return self._read(stored, purpose)[0]

    def is_current(self, stored: str, purpose: bytes) -> bool:
        """Tell whether a text is stored as `encrypt` stores it now. Raises DecryptionFailed."""
        return self._read(stored, purpose)[1] == self._key

    def _read(self, stored: str, purpose: bytes) -> tuple[str, bytes | None]:
        """Return the secret, and the key that decrypts it; None: it is in plain text."""
        if not stored.startswith(ENCRYPTED_PREFIX):
            return stored, None
        for key in (self._key, *self._former):
            if key is None:
                continue
            try:
                return _decrypt(key, stored.removeprefix(ENCRYPTED_PREFIX), purpose), key
            except ValueError:
                continue
        raise DecryptionFailed


def secret_box(settings: Settings) -> SecretBox:
    """Return the box of every secret but those of webhooks."""
    return SecretBox(settings.secret_key, _present(settings.secret_key_previous))


def webhook_secret_box(settings: Settings) -> SecretBox:
    """Return the box of webhooks' secrets, which WEBHOOK_SECRET_KEY encrypts without SECRET_KEY."""
    return SecretBox(
        settings.secret_key or settings.webhook_secret_key,
        _present(settings.secret_key_previous, settings.webhook_secret_key),
    )


def alarm_receiver_purpose(receiver_id: UUID) -> bytes:
    """Return the purpose of the secrets of a receiver of alarms."""
    return b"alarm_receiver:" + receiver_id.bytes


def _present(*keys: SecretStr | None) -> tuple[SecretStr, ...]:
    return tuple(key for key in keys if key is not None)


def _decrypt(key: bytes, encoded: str, purpose: bytes) -> str:
    """Return the plain text. Raises ValueError."""
    raw = base64.b64decode(encoded)
    nonce, tag = raw[:_NONCE_BYTES], raw[_NONCE_BYTES : _NONCE_BYTES + _TAG_BYTES]
    ciphertext = raw[_NONCE_BYTES + _TAG_BYTES :]
    secret: bytes = _cipher(key, nonce, purpose).decrypt_and_verify(ciphertext, tag)
    return secret.decode()


def _cipher(key: bytes, nonce: bytes, purpose: bytes) -> Any:  # noqa: ANN401 - a class of a library without types
    cipher = AES.new(key, AES.MODE_GCM, nonce=nonce, mac_len=_TAG_BYTES)
    cipher.update(purpose)
    return cipher


def _derive_key(key: SecretStr) -> bytes:
    derived = HKDF(key.get_secret_value().encode(), 32, b"", SHA256, 1, _HKDF_CONTEXT)
    if not isinstance(derived, bytes):  # it is a tuple only for several keys
        raise TypeError
    return derived
