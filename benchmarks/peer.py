"""WeChat's side of the encrypted envelope, independent of the code that it checks.

Source: protocol 1.3, 1.4 and 2.
"""

import base64
import hashlib
import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

APPID: Final = "wx0123456789abcdef"
ORIGINAL_ID: Final = "gh_0123456789ab"
TOKEN: Final = "benchtoken"  # noqa: S105  # of an account that exists in this benchmark only
ENCODING_AES_KEY: Final = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

_KEY: Final = base64.b64decode(ENCODING_AES_KEY + "=")
_CIPHER: Final = Cipher(algorithms.AES(_KEY), modes.CBC(_KEY[:16]))
_PADDING_BLOCK: Final = 32


def sign(*parts: str) -> str:
    """Return the signature of the Token and `parts`: 40 hexadecimal digits."""
    joined = "".join(sorted((TOKEN, *parts)))
    return hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()


def seal(message: bytes) -> str:
    """Encrypt a message; return the base64 text of the element Encrypt."""
    buffer = secrets.token_bytes(16) + len(message).to_bytes(4, "big") + message + APPID.encode()
    padding = _PADDING_BLOCK - len(buffer) % _PADDING_BLOCK
    encryptor = _CIPHER.encryptor()
    sealed = encryptor.update(buffer + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(sealed).decode()


def unseal(encrypt: str) -> bytes:
    """Decrypt the text of Encrypt. Raises ValueError if base64, padding or AppID is wrong."""
    decryptor = _CIPHER.decryptor()
    buffer = decryptor.update(base64.b64decode(encrypt, validate=True)) + decryptor.finalize()
    padding = buffer[-1]
    if buffer[-padding:] != bytes([padding]) * padding:
        raise ValueError("bad padding")
    buffer = buffer[:-padding]
    end = 20 + int.from_bytes(buffer[16:20], "big")
    if buffer[end:] != APPID.encode():
        raise ValueError("wrong AppID")
    return buffer[20:end]
