"""Makes the HTTP request of a push in each encryption mode. Source: protocol 1.3."""

import json
import secrets
import string
from dataclasses import dataclass
from datetime import datetime

from app.wechat.crypto import Format, decode_key, encrypt, msg_signature, signature
from simulator.accounts import Account, Mode
from simulator.documents import cdata

CONTENT_TYPES = {Format.XML: "text/xml", Format.JSON: "application/json"}


@dataclass(frozen=True, slots=True)
class Stamp:
    """The timestamp and nonce of one delivery."""

    timestamp: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """One HTTP request to a callback URL."""

    query: dict[str, str]
    body: bytes
    content_type: str


def new_stamp(now: datetime) -> Stamp:
    """Return a stamp with a new nonce."""
    nonce = "".join(secrets.choice(string.digits) for _ in range(10))
    return Stamp(str(int(now.timestamp())), nonce)


def seal(document: str, account: Account, openid: str, stamp: Stamp) -> Envelope:
    """Return the request that carries a document in the account's mode and format."""
    query = {
        "signature": signature(account.token, stamp.timestamp, stamp.nonce),
        "timestamp": stamp.timestamp,
        "nonce": stamp.nonce,
        "openid": openid,
    }
    content_type = CONTENT_TYPES[account.format]
    if account.mode is Mode.PLAIN:
        return Envelope(query, document.encode(), content_type)
    key = decode_key(account.encoding_aes_key)
    encrypted = encrypt(key, document.encode(), account.appid)
    query["encrypt_type"] = "aes"
    query["msg_signature"] = msg_signature(account.token, stamp.timestamp, stamp.nonce, encrypted)
    if account.mode is Mode.SECURE:
        body = sealed_body(account.original_id, encrypted, account.format)
    else:
        body = compatible_body(document, encrypted, account.format)
    return Envelope(query, body.encode(), content_type)


def sealed_body(original_id: str, encrypted: str, data_format: Format) -> str:
    """Return the body of secure mode, which has the ciphertext and not the message."""
    if data_format is Format.JSON:
        return json.dumps({"ToUserName": original_id, "Encrypt": encrypted})
    return (
        f"<xml><ToUserName>{cdata(original_id)}</ToUserName>"
        f"<Encrypt>{cdata(encrypted)}</Encrypt></xml>"
    )


def compatible_body(document: str, encrypted: str, data_format: Format) -> str:
    """Return the body of compatible mode: the document with its ciphertext as a further member."""
    if data_format is Format.JSON:
        return json.dumps(json.loads(document) | {"Encrypt": encrypted}, ensure_ascii=False)
    return document.removesuffix("</xml>") + f"<Encrypt>{cdata(encrypted)}</Encrypt></xml>"
