"""The mode of an account decides what is accepted, whatever a request claims."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.settings import MessageMode
from app.wechat.crypto import Format
from simulator.accounts import Mode
from simulator.documents import cdata, write
from simulator.envelopes import Envelope, new_stamp, seal
from tests.service import ACCOUNT, OPENID, Json, Service, WorldClock, message, running, settings_for

# Whatever is accepted there is kept in the spool, so that no server is needed.
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"

Made = Callable[[Json, Format, WorldClock], Envelope]


def in_mode(mode: Mode) -> Made:
    def made(document: Json, data_format: Format, clock: WorldClock) -> Envelope:
        account = ACCOUNT.model_copy(update={"mode": mode, "format": data_format})
        text = write(document, data_format)
        return seal(text, account, OPENID, new_stamp(clock.now()))

    return made


plaintext, mixed, encrypted = in_mode(Mode.PLAIN), in_mode(Mode.COMPATIBLE), in_mode(Mode.SECURE)


def unsigned(document: Json, data_format: Format, clock: WorldClock) -> Envelope:
    return without(plaintext(document, data_format, clock), "signature")


def encrypted_unsigned(document: Json, data_format: Format, clock: WorldClock) -> Envelope:
    return without(encrypted(document, data_format, clock), "msg_signature")


def plaintext_called_encrypted(document: Json, data_format: Format, clock: WorldClock) -> Envelope:
    envelope = plaintext(document, data_format, clock)
    query = envelope.query | {
        "encrypt_type": "aes",
        "msg_signature": envelope.query["signature"],
    }
    return Envelope(query, envelope.body, envelope.content_type)


def encrypted_called_plaintext(document: Json, data_format: Format, clock: WorldClock) -> Envelope:
    return without(encrypted(document, data_format, clock), "encrypt_type", "msg_signature")


def encrypted_for_another_account(
    document: Json, data_format: Format, clock: WorldClock
) -> Envelope:
    other = ACCOUNT.model_copy(
        update={"appid": "wx00000000000000ff", "mode": Mode.SECURE, "format": data_format}
    )
    return seal(write(document, data_format), other, OPENID, new_stamp(clock.now()))


def encrypted_and_altered(document: Json, data_format: Format, clock: WorldClock) -> Envelope:
    """The ciphertext of one delivery under the signature of another."""
    first, second = (encrypted(document, data_format, clock) for _ in range(2))
    return Envelope(second.query, first.body, first.content_type)


def with_a_stranger_beside(document: Json, data_format: Format, clock: WorldClock) -> Envelope:
    """An encrypted push with one more member, which no signature covers."""
    envelope = encrypted(document, data_format, clock)
    if data_format is Format.JSON:
        body = json.dumps(json.loads(envelope.body) | {"Content": "forged"}).encode()
    else:
        more = f"<Content>{cdata('forged')}</Content></xml>".encode()
        body = envelope.body.replace(b"</xml>", more)
    return Envelope(envelope.query, body, envelope.content_type)


def without(envelope: Envelope, *names: str) -> Envelope:
    query = {name: value for name, value in envelope.query.items() if name not in names}
    return Envelope(query, envelope.body, envelope.content_type)


KINDS: dict[str, Made] = {
    "encrypted": encrypted,
    "mixed": mixed,
    "plaintext": plaintext,
    "unsigned": unsigned,
    "encrypted, unsigned": encrypted_unsigned,
    "plaintext called encrypted": plaintext_called_encrypted,
    "encrypted called plaintext": encrypted_called_plaintext,
    "encrypted for another account": encrypted_for_another_account,
    "encrypted and altered": encrypted_and_altered,
    "encrypted with a stranger beside": with_a_stranger_beside,
}

STATUSES = {
    MessageMode.SECURE: {
        "encrypted": 200,
        "mixed": 400,
        "plaintext": 400,
        "unsigned": 400,
        "encrypted, unsigned": 403,
        "plaintext called encrypted": 400,
        "encrypted called plaintext": 400,
        "encrypted for another account": 400,
        "encrypted and altered": 403,
        "encrypted with a stranger beside": 400,
    },
    MessageMode.COMPATIBLE: {
        "encrypted": 200,
        "mixed": 200,
        "plaintext": 403,
        "unsigned": 403,
        "encrypted, unsigned": 403,
        "plaintext called encrypted": 400,
        "encrypted called plaintext": 403,
        "encrypted for another account": 400,
        "encrypted and altered": 403,
        "encrypted with a stranger beside": 200,
    },
    MessageMode.PLAIN: {
        "encrypted": 400,
        "mixed": 400,
        "plaintext": 200,
        "unsigned": 403,
        "encrypted, unsigned": 400,
        "plaintext called encrypted": 200,
        "encrypted called plaintext": 400,
        "encrypted for another account": 400,
        "encrypted and altered": 400,
        "encrypted with a stranger beside": 400,
    },
}


@asynccontextmanager
async def in_service(
    tmp_path: Path, clock: WorldClock, mode: MessageMode
) -> AsyncIterator[Service]:
    settings = settings_for(NOWHERE, tmp_path, wechat_message_mode=mode)
    async with running(settings, clock) as service:
        yield service


@pytest.mark.parametrize("data_format", list(Format))
@pytest.mark.parametrize("mode", list(MessageMode))
async def test_each_body_is_taken_or_refused_as_the_mode_says(
    tmp_path: Path, clock: WorldClock, mode: MessageMode, data_format: Format
) -> None:
    answers: dict[str, int] = {}
    kept: dict[str, int] = {}
    async with in_service(tmp_path, clock, mode) as service:
        for name, made in KINDS.items():
            before = service.inbox.spool_status().count
            answer = await service.post(made(message(clock), data_format, clock))
            answers[name] = answer.status_code
            kept[name] = service.inbox.spool_status().count - before

    assert answers == STATUSES[mode]
    assert kept == {name: int(status == 200) for name, status in answers.items()}


@pytest.mark.parametrize("mode", [MessageMode.SECURE, MessageMode.COMPATIBLE])
async def test_in_an_encrypted_push_only_the_encrypted_part_counts(
    tmp_path: Path, clock: WorldClock, mode: MessageMode
) -> None:
    """What a compatible-mode body says in the clear is signed by nobody."""
    document = message(clock, "sealed words")
    envelope = mixed(document, Format.XML, clock)
    forged = Envelope(
        envelope.query,
        envelope.body.replace(b"sealed words", b"forged words"),
        envelope.content_type,
    )
    async with in_service(tmp_path, clock, mode) as service:
        answer = await service.post(forged)
        content = (tmp_path / "spool.sqlite3").exists() and spooled_text(tmp_path)

    if mode is MessageMode.SECURE:
        assert answer.status_code == 400
    else:
        assert answer.status_code == 200
        assert "sealed words" in str(content)
        assert "forged words" not in str(content)


def spooled_text(folder: Path) -> str:
    return b"".join(
        (folder / name).read_bytes()
        for name in ("spool.sqlite3", "spool.sqlite3-wal")
        if (folder / name).exists()
    ).decode(errors="replace")
