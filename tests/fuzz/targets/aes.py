"""AES unwrap: what a key opens, whoever encrypted it.

An input: a byte that chooses what is tried, then the bytes. 0: they are the base64 text that came;
1: the ciphertext; 2: the buffer inside the ciphertext, so that length, padding and AppID are tried;
3: the message of an honest buffer, which must come out again; 4: the text of an EncodingAESKey.
"""

import base64
from collections.abc import Iterable
from typing import Final

from Crypto.Cipher import AES

from app.wechat.crypto.aes import Key, decode_key, decrypt
from app.wechat.errors import BadEnvelope
from tests.fuzz.target import Target, Values
from tests.wechat.vectors import AES_KEY, APPID, INBOUND, NEGATIVE

_BLOCK: Final = 16
_KEY: Final = decode_key(AES_KEY)
_OPENER: Final = Key(_KEY)


def try_case(data: bytes) -> Values:
    """Open what came."""
    choice, rest = data[:1], data[1:]
    try:
        match choice:
            case b"\x01":
                _OPENER.decrypt(rest, APPID)
            case b"\x02":
                _OPENER.decrypt(_encrypted(rest), APPID)
            case b"\x03":
                assert decrypt(_KEY, _OPENER.encrypt(rest, APPID), APPID) == rest
            case b"\x04":
                _try_key(rest.decode("latin-1"))
            case _:
                decrypt(_KEY, rest.decode(errors="replace"), APPID)
    except BadEnvelope:
        pass
    return ()


def _encrypted(buffer: bytes) -> bytes:
    blocks = buffer[: len(buffer) // _BLOCK * _BLOCK]
    return AES.new(_KEY, AES.MODE_CBC, _KEY[:_BLOCK]).encrypt(blocks)


def _try_key(text: str) -> None:
    try:
        key = decode_key(text)
    except ValueError:
        return
    assert Key(key).decrypt(base64.b64decode(Key(key).encrypt(b"<xml/>", APPID)), APPID) == (
        b"<xml/>"
    )


def seeds() -> Iterable[bytes]:
    """Give the ciphertexts of the vectors, and the buffers inside of them."""
    for vector in (*INBOUND, *NEGATIVE):
        text = vector["ciphertext"]
        yield b"\x00" + text.encode()
        try:
            ciphertext = base64.b64decode(text)
            buffer = AES.new(_KEY, AES.MODE_CBC, _KEY[:_BLOCK]).decrypt(ciphertext)
        except ValueError:
            continue
        yield b"\x01" + ciphertext
        yield b"\x02" + buffer
    message = b"<xml><MsgType>text</MsgType></xml>"
    for length in (0, 1, 31, 32, 33, 255):
        yield b"\x03" + (message * 8)[:length]
        framed = b"r" * 16 + length.to_bytes(4, "big") + (message * 8)[:length] + APPID.encode()
        padding = 32 - len(framed) % 32
        yield b"\x02" + framed + bytes([padding]) * padding
        yield b"\x02" + framed + bytes([padding + 32]) * (padding + 32)
    yield b"\x04" + AES_KEY.encode()


TARGET: Final = Target(
    try_case, seeds, (APPID, "\x00\x00\x00", "\x20" * 32, "\x10" * 16), max_bytes=1024
)
