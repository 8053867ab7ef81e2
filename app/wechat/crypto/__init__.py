"""Signatures and encryption of callbacks, exactly as WeChat does them. Source: protocol 1, 2."""

from app.wechat.crypto.aes import decode_key, decrypt, encrypt
from app.wechat.crypto.callback_query import CallbackQuery
from app.wechat.crypto.cipher import Cipher, VerifiedPush
from app.wechat.crypto.replay_window import check_freshness
from app.wechat.crypto.signatures import msg_signature, signature
from app.wechat.push_format import Format

__all__ = [
    "CallbackQuery",
    "Cipher",
    "Format",
    "VerifiedPush",
    "check_freshness",
    "decode_key",
    "decrypt",
    "encrypt",
    "msg_signature",
    "signature",
]
