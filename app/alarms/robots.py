"""The group robots of 企业微信, 飞书 and 钉钉: bodies, signatures, answers. Pure.

Sources are in the documentation of each open platform: 企业微信 under 群机器人配置说明, 飞书 under
自定义机器人使用指南, 钉钉 under 自定义机器人接入.
All three answer most refusals with status 200, and say in the body whether they took the message.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import orjson

from app.alarms.models import ReceiverKind

# 钉钉 takes 20 messages a minute, and after more none for ten minutes.
DINGTALK_TOO_FAST: Final = 130101
DINGTALK_PAUSE: Final = timedelta(minutes=10)
MAX_ERROR_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a robot answered. error: None if it took the message. pause: how long it takes none."""

    error: str | None
    pause: timedelta = timedelta()


def request_of(
    kind: ReceiverKind, url: str, secret: str | None, text: str, at: datetime
) -> tuple[str, bytes]:
    """Return the address and the body for a text. secret: signs; None without a signature."""
    match kind:
        case ReceiverKind.FEISHU:
            body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
            if secret is not None:
                body |= feishu_signature(secret, at)
            return url, orjson.dumps(body)
        case ReceiverKind.DINGTALK if secret is not None:
            signed = httpx.URL(url).copy_merge_params(dingtalk_signature(secret, at))
            return str(signed), _text_body(text)
        case _:
            return url, _text_body(text)


def dingtalk_signature(secret: str, at: datetime) -> dict[str, str]:
    """Return the query members `timestamp`, in milliseconds, and `sign`.

    The key is the secret, and it signs the timestamp, a line feed and the secret again.
    """
    timestamp = str(int(at.timestamp() * 1000))
    return {"timestamp": timestamp, "sign": _hmac(secret, f"{timestamp}\n{secret}")}


def feishu_signature(secret: str, at: datetime) -> dict[str, str]:
    """Return the members `timestamp`, in seconds, and `sign` of the body.

    The key is the timestamp, a line feed and the secret, and it signs an empty text.
    """
    timestamp = str(int(at.timestamp()))
    return {"timestamp": timestamp, "sign": _hmac(f"{timestamp}\n{secret}", "")}


def read_answer(kind: ReceiverKind, status: int, body: bytes) -> Answer:
    """Return whether a robot took the message. body: as it was received, perhaps cut off."""
    name, message = ("code", "msg") if kind is ReceiverKind.FEISHU else ("errcode", "errmsg")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Answer(f"the answer has status {status} and is not JSON: check the address")
    code = document.get(name) if isinstance(document, dict) else None
    if isinstance(code, bool) or not isinstance(code, int):
        return Answer(f"the answer has status {status} and no {name}: check the address")
    if code == 0:
        return Answer(None) if status == httpx.codes.OK else Answer(f"status {status}")
    too_fast = kind is ReceiverKind.DINGTALK and code == DINGTALK_TOO_FAST
    text = f"{name} {code}: {document.get(message, '')}"[:MAX_ERROR_CHARACTERS]
    return Answer(text, DINGTALK_PAUSE if too_fast else timedelta())


def _text_body(text: str) -> bytes:
    return orjson.dumps({"msgtype": "text", "text": {"content": text}})


def _hmac(key: str, message: str) -> str:
    digest = hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
