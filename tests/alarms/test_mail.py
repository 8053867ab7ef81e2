"""E-mails are handed in with TLS, at a checked address; no other server gets the password."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from app.alarms.message import Message
from app.alarms.models import ReceiverKind
from app.alarms.receiver_secrets import Secrets
from app.alarms.schemas import Mail
from app.alarms.send import INSIDE, SendResult, Target, Transport, send
from app.http_client.url_policy import Policy
from tests.alarms.smtp_server import HOST, SmtpServer, serving

OPEN = Policy(http=False, private=True)
STRICT = Policy(http=False, private=False)
MESSAGE = Message("OA Bridge 告警: 【告警】", "OA Bridge 告警\n.一行以点开头\n第三行", {})
AT = datetime(2026, 11, 28, 12, tzinfo=UTC)


async def hand_in(
    server: SmtpServer,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    policy: Policy = OPEN,
    trusted: bool = True,
    password: str | None = "pass-word-1",  # noqa: S107 - of this server
    **changes: object,
) -> SendResult:
    """Hand a message in at the server, whose name leads to this machine."""
    async with serving(server, folder) as trusting:
        context = trusting if trusted else ssl.create_default_context()
        monkeypatch.setattr("app.alarms.mail._context", lambda: context)
        mail = Mail.model_validate(
            {
                "host": HOST,
                "port": server.port,
                "security": server.security,
                "username": "" if password is None else "alarms",
                "sender": "alarms@example.com",
                "recipients": ["one@example.com", "two@example.com"],
            }
            | changes
        )
        target = Target(ReceiverKind.EMAIL, Secrets(password=password), mail)
        return await send(target, MESSAGE, uuid7(), AT, Transport(policy, _here))


async def _here(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_an_e_mail_is_handed_in_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    server = SmtpServer(security)

    assert await hand_in(server, tmp_path, monkeypatch) == SendResult()

    [mail] = server.mails
    assert mail["subject"] == MESSAGE.title
    assert (mail["from"], mail["to"]) == ("alarms@example.com", "one@example.com, two@example.com")
    assert mail["auto-submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == MESSAGE.text
    in_clear = [line.split(" ")[0] for line, encrypted in server.said if not encrypted]
    assert in_clear == ([] if security == "tls" else ["EHLO", "STARTTLS"])


async def test_without_starttls_nothing_more_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SmtpServer("starttls", offers_starttls=False)

    result = await hand_in(server, tmp_path, monkeypatch)

    assert not result.accepted
    assert {line.split(" ")[0] for line, _ in server.said} <= {"EHLO", "QUIT"}


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_certificate_that_is_not_trusted_gets_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    server = SmtpServer(security)

    result = await hand_in(server, tmp_path, monkeypatch, trusted=False)

    assert not result.accepted
    assert not any(line.startswith("AUTH") for line, _ in server.said)


async def test_a_certificate_of_another_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SmtpServer()

    result = await hand_in(server, tmp_path, monkeypatch, host="other.example.com")

    assert not result.accepted
    assert server.said == []


async def test_a_relay_without_encryption_and_password_may_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SmtpServer("none")

    assert await hand_in(server, tmp_path, monkeypatch, password=None) == SendResult()

    assert len(server.mails) == 1


async def test_a_server_inside_the_network_is_not_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SmtpServer()

    result = await hand_in(server, tmp_path, monkeypatch, policy=STRICT)

    assert result == SendResult(INSIDE)
    assert server.said == []


async def test_a_wrong_password_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = await hand_in(SmtpServer(), tmp_path, monkeypatch, password="another")

    assert result == SendResult("SMTP 535: wrong password")


async def test_an_e_mail_that_is_refused_is_not_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SmtpServer(answer="554 spam")

    result = await hand_in(server, tmp_path, monkeypatch)

    assert result == SendResult("SMTP 554: spam")


async def test_recipients_that_are_refused_are_told_and_the_others_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = SmtpServer(refusing=frozenset({"two@"}))
    result = await hand_in(server, tmp_path, monkeypatch)
    assert result == SendResult(note="the server refused 1 of the recipients")

    server = SmtpServer(refusing=frozenset({"one@", "two@"}))
    result = await hand_in(server, tmp_path, monkeypatch)
    assert result == SendResult("the server refused all recipients")


async def test_a_server_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = await hand_in(SmtpServer(), tmp_path, monkeypatch, port=1)

    assert not result.accepted
    assert not result.uncertain
