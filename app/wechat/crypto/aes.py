"""WeChat's AES: 256 bits, CBC mode, the IV taken from the key, padding to 32 bytes.

Source: protocol 2.1 and 2.2.
"""

import base64
import os

from Crypto.Cipher import AES

from app.wechat.errors import BadEnvelope

_AES_BLOCK = 16
_PADDING_BLOCK = 32
_HEADER = 20


def decode_key(encoding_aes_key: str) -> bytes:
    """Return the 32 key bytes of an EncodingAESKey.

    43 characters carry two bits more than 32 bytes need, so four values of the last character
    mean the same key. Raises ValueError; its text does not hold the key. Source: protocol 2.2.
    """
    try:
        key = base64.b64decode(f"{encoding_aes_key}=", validate=True)
    except ValueError:
        key = b""
    if len(key) != _PADDING_BLOCK:
        raise ValueError("an EncodingAESKey is 43 letters and digits")
    return key


def encrypt(key: bytes, message: bytes, appid: str, random16: bytes | None = None) -> str:
    """Return the base64 of the encrypted buffer: random16, length, message, appid, padding.

    random16: 16 bytes, in ASCII because some decoders read the buffer as text; None: random ones.
    """
    return Key(key).encrypt(message, appid, random16)


def _framed(message: bytes, appid: str) -> bytes:
    return len(message).to_bytes(4, "big") + message + appid.encode()


def _padded(buffer: bytes) -> bytes:
    padding = _PADDING_BLOCK - len(buffer) % _PADDING_BLOCK
    return buffer + bytes([padding]) * padding


class Key:
    """One key whose AES objects are made once, because making one costs as much as using it."""

    def __init__(self, key: bytes) -> None:
        iv = key[:_AES_BLOCK]
        # Both objects go on from message to message without a reset to the IV. In CBC mode only
        # the first decrypted block depends on the message before: random16, which nobody reads.
        self._decrypter = AES.new(key, AES.MODE_CBC, iv)
        self._encrypter = AES.new(key, AES.MODE_CBC, iv)
        self._iv = self._last = int.from_bytes(iv, "big")

    def encrypt(self, message: bytes, appid: str, random16: bytes | None = None) -> str:
        """Do the same as the function `encrypt`."""
        head = int.from_bytes(random16 or base64.urlsafe_b64encode(os.urandom(12)), "big")
        # Undoes the chaining with the message before, as if the chain began with the IV.
        first = (head ^ self._iv ^ self._last).to_bytes(_AES_BLOCK, "big")
        encrypted = self._encrypter.encrypt(_padded(first + _framed(message, appid)))
        self._last = int.from_bytes(encrypted[-_AES_BLOCK:], "big")
        return base64.b64encode(encrypted).decode()

    def decrypt(self, ciphertext: bytes, appid: str) -> bytes:
        """Do the same as the function `decrypt`, for a ciphertext without its base64."""
        if not ciphertext or len(ciphertext) % _AES_BLOCK:
            raise BadEnvelope("bad_block_length")
        return _message(_unpadded(self._decrypter.decrypt(ciphertext)), appid.encode())


def decrypt(key: bytes, ciphertext_b64: str, appid: str) -> bytes:
    """Decrypt a buffer and return the message. The checks run in the order of protocol 2.2.

    Raises BadEnvelope (bad_base64, bad_block_length, bad_padding, too_short, bad_length,
    appid_mismatch).
    """
    return Key(key).decrypt(decode_base64(ciphertext_b64), appid)


def decode_base64(text: str) -> bytes:
    """Return the bytes of strict base64. Raises BadEnvelope (bad_base64)."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadEnvelope("bad_base64") from error


def _unpadded(buffer: bytes) -> bytes:
    # AES libraries unpad to their own block of 16; this protocol pads to 32.
    padding = buffer[-1]
    if not 1 <= padding <= _PADDING_BLOCK or not buffer.endswith(bytes([padding]) * padding):
        raise BadEnvelope("bad_padding")
    return buffer[:-padding]


def _message(buffer: bytes, appid: bytes) -> bytes:
    if len(buffer) < _HEADER:
        raise BadEnvelope("too_short")
    end = _HEADER + int.from_bytes(buffer[16:_HEADER], "big")
    if end > len(buffer):
        raise BadEnvelope("bad_length")
    if buffer[end:] != appid:
        raise BadEnvelope("appid_mismatch")
    return buffer[_HEADER:end]
