"""Compares the sampled replies of a measurement with the expected ones."""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from xml.parsers.expat import ExpatError

import xmltodict

from benchmarks.keywords import FALLBACK_REPLY
from benchmarks.peer import ORIGINAL_ID, sign, unseal
from benchmarks.pushes import Expected

HEADER: Final = struct.Struct("<III")

Check = Callable[[bytes, Expected], str | None]
"""Returns what is wrong with the body of a reply, or None."""


def check_samples(path: Path, expected: Sequence[Expected], check: Check) -> tuple[int, list[str]]:
    """Return the number of sampled replies, and what is wrong with them."""
    problems = []
    count = 0
    for index, status, body in _read(path.read_bytes()):
        count += 1
        problem = f"status {status}" if status != 200 else check(body, expected[index])
        if problem is not None:
            problems.append(f"reply {index}: {problem}")
    return count, problems


def is_success(body: bytes, _: Expected) -> str | None:
    """Check a reply of the empty route."""
    return None if body == b"success" else "not `success`"


def is_sealed_reply(body: bytes, expected: Expected) -> str | None:
    """Check an encrypted passive reply: signature, recipient, sender and content."""
    try:
        envelope = _members(body)
        encrypt, signature = envelope["Encrypt"], envelope["MsgSignature"]
        if signature != sign(envelope["TimeStamp"], envelope["Nonce"], encrypt):
            return "wrong MsgSignature"
        message = _members(unseal(encrypt))
    except (ExpatError, KeyError, ValueError) as error:
        return f"no sealed reply ({type(error).__name__})"
    expected_members = {
        "ToUserName": expected.openid,
        "FromUserName": ORIGINAL_ID,
        "MsgType": "text",
        "Content": expected.content,
    }
    wrong = [name for name, value in expected_members.items() if message.get(name) != value]
    return f"wrong {', '.join(wrong)}" if wrong else None


def is_sealed_fallback(body: bytes, expected: Expected) -> str | None:
    """Check an encrypted passive reply of a peer that says the same to everybody."""
    return is_sealed_reply(body, replace(expected, content=FALLBACK_REPLY))


def _read(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at < len(data):
        index, status, length = HEADER.unpack_from(data, at)
        at += HEADER.size
        yield index, status, data[at : at + length]
        at += length


def _members(document: bytes) -> dict[str, str]:
    members: dict[str, str] = xmltodict.parse(document)["xml"]
    return members
