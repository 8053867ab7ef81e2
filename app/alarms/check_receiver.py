"""Checks a receiver and joins what is sent with the secrets that are stored. Pure."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import httpx

from app.alarms.errors import BadReceiver
from app.alarms.models import ReceiverKind
from app.alarms.receiver_secrets import Secrets
from app.alarms.schemas import Mail, ReceiverIn, Security
from app.http_client.url_policy import BadUrl, Policy, parse_url

# The robot of 企业微信 has no signature.
SIGNING: Final = frozenset({ReceiverKind.WEBHOOK, ReceiverKind.FEISHU, ReceiverKind.DINGTALK})
WEBHOOK_SECRET: Final = "whsec_"  # noqa: S105 - what such a secret begins with
MIN_SECRET_BYTES: Final = 24
MAX_SECRET_BYTES: Final = 64


def merged(
    receiver: ReceiverIn, stored: Secrets, policy: Policy, before: Mapping[str, Any] | None = None
) -> Secrets:
    """Return the secrets of a receiver, those that it leaves out as they are stored.

    before: the stored settings of an e-mail. Raises BadReceiver if something is missing or wrong.
    """
    if receiver.kind is ReceiverKind.EMAIL:
        return _of_mail(receiver, stored, before)
    if receiver.mail is not None or receiver.password is not None:
        member = "mail" if receiver.mail is not None else "password"
        raise BadReceiver(member, "is for e-mail: leave it out")
    url = receiver.url or stored.url
    if url is None:
        raise BadReceiver("url", "is missing: write the address of the webhook or robot")
    try:
        parse_url(url, policy)
    except BadUrl as error:
        raise BadReceiver("url", str(error)) from None
    secret = stored.secret if receiver.secret is None else receiver.secret or None
    _check_secret(receiver.kind, secret)
    return Secrets(url=url, secret=secret)


def host_of(receiver: ReceiverIn, secrets: Secrets) -> str:
    """Return the host to which messages go."""
    if receiver.mail is not None:
        return receiver.mail.host
    return "" if secrets.url is None else httpx.URL(secrets.url).host


def _of_mail(receiver: ReceiverIn, stored: Secrets, before: Mapping[str, Any] | None) -> Secrets:
    if receiver.mail is None:
        raise BadReceiver("mail", "is missing: name the SMTP server, the sender and the recipients")
    for member in ("url", "secret"):
        if getattr(receiver, member) is not None:
            raise BadReceiver(member, "is not for e-mail: leave it out")
    password = stored.password if receiver.password is None else receiver.password or None
    if receiver.password is None and password is not None and _moves(receiver.mail, before):
        # Or whoever may change a receiver could have the password sent to a server of their own.
        raise BadReceiver("password", "must be written again, since the server is another one")
    if password is not None and receiver.mail.security is Security.NONE:
        raise BadReceiver("password", "is not sent without encryption: choose tls or starttls")
    if password is not None and not receiver.mail.username:
        raise BadReceiver("password", "needs mail.username: name who signs in")
    if receiver.mail.username and password is None:
        raise BadReceiver("password", "is missing for mail.username: write it, or remove the name")
    return Secrets(password=password)


def _moves(mail: Mail, before: Mapping[str, Any] | None) -> bool:
    return before is not None and (mail.host, mail.port) != (before["host"], before["port"])


def _check_secret(kind: ReceiverKind, secret: str | None) -> None:
    if secret is None:
        return
    if kind not in SIGNING:
        raise BadReceiver("secret", f"is not for {kind}, whose robots check no signature")
    if kind is ReceiverKind.WEBHOOK and not _is_webhook_secret(secret):
        raise BadReceiver(
            "secret", "must be whsec_ and 24 to 64 bytes in base64, as Standard Webhooks has it"
        )


def _is_webhook_secret(secret: str) -> bool:
    if not secret.startswith(WEBHOOK_SECRET):
        return False
    try:
        key = base64.b64decode(secret.removeprefix(WEBHOOK_SECRET), validate=True)
    except binascii.Error:
        return False
    return MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES
