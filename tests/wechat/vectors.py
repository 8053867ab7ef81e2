"""The protocol's worked examples, and the account that they belong to."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.settings import MessageMode
from app.wechat.crypto import CallbackQuery, Cipher

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "wechat-vectors.json").read_text()
)
INBOUND = [vector for vector in VECTORS["positive"] if vector["direction"] == "inbound"]
OUTBOUND = [vector for vector in VECTORS["positive"] if vector["direction"] == "outbound"]
NEGATIVE = VECTORS["negative"]
S01 = INBOUND[0]

APPID = S01["receive_id"]
TOKEN = S01["token"]
AES_KEY = S01["encoding_aes_key"]
OTHER_TOKEN = "anotherToken02"
OTHER_AES_KEY = "hV3nB8qLzXc5Mw1RtYk7JdPs2GfA9oUe6Ci4NxTbKyQ"


def cipher(
    mode: MessageMode = MessageMode.SECURE,
    *,
    tokens: Sequence[str] = (TOKEN,),
    aes_keys: Sequence[str] = (AES_KEY,),
) -> Cipher:
    return Cipher(APPID, mode, tokens, aes_keys)


def query_of(vector: dict[str, Any]) -> CallbackQuery:
    """The query of an encrypted push, as WeChat sends it."""
    return CallbackQuery(
        signature=vector.get("signature", "0" * 40),
        timestamp=vector["timestamp"],
        nonce=vector["nonce"],
        encrypt_type="aes",
        msg_signature=vector["msg_signature"],
    )
