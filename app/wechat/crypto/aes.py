"""WeChat's AES: 256 bit, CBC, the IV taken from the key, padding to 32 bytes.

Source: protocol 2.1 and 2.2.
"""

import base64
import secrets

from Crypto.Cipher import AES

from app.wechat.errors import BadEnvelope

_AES_BLOCK = 16
_PADDING_BLOCK = 32
_HEADER = 20


def decode_key(encoding_aes_key: str) -> bytes:
    """Return the 32 key bytes of an EncodingAESKey.

    43 characters carry two bits more than needed; four spellings of the last one are the same key.
    Raises ValueError, without the key in it. Source: protocol 2.2.
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

    random16: 16 bytes of ASCII, because some decoders take the buffer for text; None draws them.
    """
    head = random16 or secrets.token_urlsafe(12).encode()
    buffer = head + len(message).to_bytes(4, "big") + message + appid.encode()
    padding = _PADDING_BLOCK - len(buffer) % _PADDING_BLOCK
    cipher = AES.new(key, AES.MODE_CBC, key[:_AES_BLOCK])
    return base64.b64encode(cipher.encrypt(buffer + bytes([padding]) * padding)).decode()


def decrypt(key: bytes, ciphertext_b64: str, appid: str) -> bytes:
    """Return the message, after every check in the order of protocol 2.2.

    Raises BadEnvelope (bad_base64, bad_block_length, bad_padding, too_short, bad_length,
    appid_mismatch).
    """
    return decrypt_raw(key, decode_base64(ciphertext_b64), appid)


def decode_base64(text: str) -> bytes:
    """Return the bytes of strict base64. Raises BadEnvelope (bad_base64)."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadEnvelope("bad_base64") from error


def decrypt_raw(key: bytes, ciphertext: bytes, appid: str) -> bytes:
    """Do what `decrypt` does, for a ciphertext that is out of its base64 already."""
    if not ciphertext or len(ciphertext) % _AES_BLOCK:
        raise BadEnvelope("bad_block_length")
    buffer = AES.new(key, AES.MODE_CBC, key[:_AES_BLOCK]).decrypt(ciphertext)
    return _message(_unpadded(buffer), appid.encode())


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
