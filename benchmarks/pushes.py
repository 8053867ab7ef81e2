"""Writes the file that wxload sends: correctly signed and encrypted pushes of text messages."""

import random
import secrets
import string
import struct
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.keywords import Keywords
from benchmarks.peer import APPID, ORIGINAL_ID, seal, sign

TEXT_CHARACTERS: Final = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过"
    "，。！？"
)
OPENID_CHARACTERS: Final = string.ascii_letters + string.digits + "_-"


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected reply to one push: recipient and content."""

    openid: str
    content: str


def write_pushes(
    path: Path, count: int, keywords: Keywords, rng: random.Random, *, followers: int | None = None
) -> list[Expected]:
    """Write `count` pushes; return the expected replies, in order.

    followers: how many there are, each named `o` and a number, one of whom sends each push; None:
    each push is from somebody new.
    A quarter matches an exact rule and a quarter a `contains` rule; the others get the fallback.
    """
    expected = []
    with path.open("wb") as file:
        texts = _texts(count, keywords, rng)
        for msgid, text in enumerate(texts, secrets.randbits(40) << 20):
            openid = _new_openid(rng) if followers is None else f"o{rng.randrange(followers)}"
            request = _request(openid, text, msgid, str(rng.randrange(10**8, 10**10)))
            file.write(struct.pack("<I", len(request)) + request)
            expected.append(Expected(openid, keywords.answer(text)))
    return expected


def _texts(count: int, keywords: Keywords, rng: random.Random) -> Iterator[str]:
    for _ in range(count):
        roll = rng.random()
        if roll < 0.25:
            yield rng.choice(keywords.exact)
        elif roll < 0.5:
            yield _filler(rng) + rng.choice(keywords.contains) + _filler(rng)
        else:
            yield _filler(rng) + _filler(rng)


def _new_openid(rng: random.Random) -> str:
    return "o" + "".join(rng.choices(OPENID_CHARACTERS, k=27))


def _filler(rng: random.Random) -> str:
    return "".join(rng.choices(TEXT_CHARACTERS, k=rng.randint(2, 30)))


def _request(openid: str, text: str, msgid: int, nonce: str) -> bytes:
    now = str(int(time.time()))
    encrypt = seal(
        (
            f"<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>"
            f"<FromUserName><![CDATA[{openid}]]></FromUserName><CreateTime>{now}</CreateTime>"
            f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content>"
            f"<MsgId>{msgid}</MsgId></xml>"
        ).encode()
    )
    query = urllib.parse.urlencode(
        {
            "signature": sign(now, nonce),
            "timestamp": now,
            "nonce": nonce,
            "openid": openid,
            "encrypt_type": "aes",
            "msg_signature": sign(now, nonce, encrypt),
        }
    )
    body = (
        f"<xml>\n    <ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>\n"
        f"    <Encrypt><![CDATA[{encrypt}]]></Encrypt>\n</xml>\n"
    ).encode()
    head = (
        f"POST /callback/{APPID}?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"User-Agent: Mozilla/4.0\r\nAccept: */*\r\nContent-Type: text/xml\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
