"""Random secrets, of which the database holds only the SHA-256.

A secret of 256 random bits can't be guessed, so a plain hash is enough: nothing is gained by a slow
one, and a lookup by the hash takes no time that depends on the secret.
"""

import hashlib
import secrets
from typing import Final

SECRET_BYTES: Final = 32
# What a caller presents is hashed in full; nobody shall make the service hash a whole body.
MAX_SECRET_CHARACTERS: Final = 200


def new_secret() -> str:
    """Return a new secret: 43 characters of `A-Z a-z 0-9 - _`."""
    return secrets.token_urlsafe(SECRET_BYTES)


def secret_hash(secret: str) -> bytes:
    """Return the SHA-256 of a secret, 32 bytes; of one that is too long, that of its start."""
    return hashlib.sha256(secret[:MAX_SECRET_CHARACTERS].encode("utf-8", "replace")).digest()
