"""The outside of a push in the three modes: query, signature, envelope, then the way to its row.

An input: a byte of choices, the query up to the first line feed, then the body. The choices: the
mode (plain, compatible, secure), whether the query is signed for the body as it stands, and
whether the body is the message, which is then encrypted and put into an envelope.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from app.callback.record import Record
from app.callback.response import callback_response
from app.settings import MessageMode
from app.wechat.crypto import (
    CallbackQuery,
    Cipher,
    check_freshness,
    encrypt,
    msg_signature,
    signature,
)
from app.wechat.crypto.aes import decode_key
from app.wechat.crypto.envelope import ciphertexts
from app.wechat.errors import PushRefused
from app.wechat.inbound import parse
from app.wechat.push_format import format_of
from tests.fuzz.accounts import NOW, arguments_of, record_of
from tests.fuzz.target import Target, Values
from tests.wechat.vectors import (
    AES_KEY,
    APPID,
    INBOUND,
    NEGATIVE,
    OTHER_AES_KEY,
    OTHER_TOKEN,
    TOKEN,
    cipher,
)

_CIPHERS: Final = tuple(
    cipher(mode, tokens=(TOKEN, OTHER_TOKEN), aes_keys=(AES_KEY, OTHER_AES_KEY))
    for mode in (MessageMode.PLAIN, MessageMode.COMPATIBLE, MessageMode.SECURE)
)
_KEY: Final = decode_key(AES_KEY)
_SIGNED: Final = 4
_ENCRYPTED: Final = 8
_IN_JSON: Final = 16
_OTHER_TOKEN: Final = 32
_WINDOW: Final = 64
_RANDOM: Final = b"0123456789abcdef"


def try_case(data: bytes) -> Values:
    """Take a push as the endpoint does, or a check of the URL."""
    stored = record(data)
    if stored is not None:
        return arguments_of(stored)
    text = data[1:].partition(b"\n")[0]
    choices = data[0] if data else 0
    return _checked_url(_CIPHERS[choices % 4 % 3], text, signed=bool(choices & _SIGNED))


def record(data: bytes) -> Record | None:
    """Return what a push stores; None where it is refused."""
    choices = data[0] if data else 0
    cipher_of_mode = _CIPHERS[choices % 4 % 3]
    text, _, body = data[1:].partition(b"\n")
    try:
        query = CallbackQuery.parse(text)
        if query.timestamp is not None:
            window = 600 if choices & _WINDOW else 0
            check_freshness(query.timestamp, now=NOW, window_seconds=window)
        if choices & _ENCRYPTED:
            body = _sealed(body, in_json=bool(choices & _IN_JSON))
        if choices & _SIGNED:
            query = _signed(query, body, OTHER_TOKEN if choices & _OTHER_TOKEN else TOKEN)
        cipher_of_mode.check_query(query)
        opened = cipher_of_mode.decrypt_push(body, query)
        message = parse(opened.text, opened.format)
        stored = record_of(message)
        if not opened.encrypted:
            stored = replace(stored, signature=bytes.fromhex(query.signature or ""))
    except PushRefused:
        return None
    callback_response(cipher_of_mode, opened, message, stored.passive, fixed=False, now=NOW)
    return stored


def _checked_url(cipher_of_mode: Cipher, text: bytes, *, signed: bool) -> Sequence[object]:
    try:
        query = CallbackQuery.parse(text)
        if signed:
            query = _signed(query, b"", TOKEN)
        return [cipher_of_mode.verify_url(query).encode()]
    except PushRefused:
        return []


def _signed(query: CallbackQuery, body: bytes, token: str) -> CallbackQuery:
    timestamp, nonce = query.timestamp or "", query.nonce or ""
    query = replace(query, signature=signature(token, timestamp, nonce))
    try:
        found = list(ciphertexts(body, format_of(body)))
    except PushRefused:
        return query
    # The last one, so that those before it are strange.
    return replace(
        query, msg_signature=msg_signature(token, timestamp, nonce, found[-1] if found else "")
    )


def _sealed(message: bytes, *, in_json: bool) -> bytes:
    ciphertext = encrypt(_KEY, message, APPID, _RANDOM)
    if in_json:
        return f'{{"ToUserName":"gh_1","Encrypt":"{ciphertext}"}}'.encode()
    return (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName>"
        f"<Encrypt><![CDATA[{ciphertext}]]></Encrypt></xml>"
    ).encode()


def seeds() -> Iterable[bytes]:
    """Give the vectors in every mode, and messages that are sealed here."""
    for vector in (*INBOUND, *NEGATIVE):
        text = "&".join(
            f"{name}={vector[name]}"
            for name in ("signature", "timestamp", "nonce", "msg_signature")
            if name in vector
        )
        body = vector["request_body"].encode()
        for mode in range(3):
            for choices in (0, _SIGNED):
                yield bytes([mode | choices]) + f"encrypt_type=aes&{text}\n".encode() + body
    message = (
        b"<xml><FromUserName>o1</FromUserName><CreateTime>1795500000</CreateTime>"
        b"<MsgType>text</MsgType><Content>shop</Content></xml>"
    )
    query = b"timestamp=1795500000&nonce=7&encrypt_type=aes&openid=o1&echostr=8\n"
    for choices in range(128):
        yield bytes([choices]) + query + message
    ciphertext = encrypt(_KEY, message, APPID, _RANDOM).encode()
    digest = hashlib.sha1(ciphertext, usedforsecurity=False).hexdigest().encode()
    yield (
        b"\x06signature="
        + digest
        + b"&"
        + query
        + b"<XML><Encrypt> "
        + ciphertext
        + (b"\n</Encrypt><Content>shop</Content></XML>")
    )


_WORDS: Final = (
    *("timestamp=", "nonce=", "signature=", "msg_signature=", "encrypt_type=aes", "echostr=", "&"),
    *("%00", "%0d%0a", "+", "%", "<xml>", "</xml>", "<Encrypt>", "</Encrypt>", "<![CDATA[", "]]>"),
    *("<ToUserName>", '{"Encrypt":"', '"Encrypt" : "', "\\/", '"}', "&#65;", "<!DOCTYPE", "\ufeff"),
)

TARGET: Final = Target(try_case, seeds, _WORDS)
