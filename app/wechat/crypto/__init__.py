"""Verify, decrypt, encrypt and sign, exactly as WeChat does. Source: protocol 1 and 2."""

from app.wechat.crypto.aes import decode_key, decrypt, encrypt
from app.wechat.crypto.cipher import Cipher, Opened
from app.wechat.crypto.query import CallbackQuery
from app.wechat.crypto.signing import check_freshness, msg_signature, signature
from app.wechat.document import Format

__all__ = [
    "CallbackQuery",
    "Cipher",
    "Format",
    "Opened",
    "check_freshness",
    "decode_key",
    "decrypt",
    "encrypt",
    "msg_signature",
    "signature",
]
