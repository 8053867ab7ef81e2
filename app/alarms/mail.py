"""Hands one e-mail in at an SMTP server, by way of the SSRF guard, with TLS but if it is refused.

aiosmtplib speaks SMTP: it is async, so that an attempt ends when its time is over. smtplib of the
standard library blocks a thread, which nothing can stop.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from functools import cache
from typing import Final

import aiosmtplib
import httpx

from app.alarms.message import Message
from app.alarms.schemas import Mail, Security
from app.http_client.ssrf_guard import Resolver, checked_addresses
from app.http_client.url_policy import Policy

CONNECT_SECONDS: Final = 5.0
# Of each step of the conversation; `send` bounds the whole of it.
STEP_SECONDS: Final = 10.0


async def hand_in(
    mail: Mail,
    password: str | None,
    message: Message,
    at: datetime,
    policy: Policy,
    resolver: Resolver,
) -> int:
    """Hand an e-mail in; return how many of several recipients the server has refused.

    Raises AddressRefused, OSError, or aiosmtplib.SMTPException.
    """
    connected = await _connect(mail, policy, resolver)
    client = aiosmtplib.SMTP(
        hostname=mail.host,
        # Else the library asks DNS for it, and everything waits for that.
        local_hostname=socket.gethostname(),
        sock=connected,
        timeout=STEP_SECONDS,
        use_tls=mail.security is Security.TLS,
        # True: an answer without STARTTLS is an error, and nothing is said in clear.
        start_tls=mail.security is Security.STARTTLS,
        tls_context=None if mail.security is Security.NONE else _context(),
        username=mail.username or None,
        password=password,
    )
    try:
        await client.connect()
        refused, _ = await client.send_message(_written(mail, message, at))
        # The server has the e-mail: whatever becomes of the good-bye, it is not sent again.
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit()
    finally:
        client.close()
    return len(refused)


def _written(mail: Mail, message: Message, at: datetime) -> EmailMessage:
    written = EmailMessage()
    written["From"] = mail.sender
    written["To"] = ", ".join(mail.recipients)
    written["Subject"] = message.title
    written["Date"] = format_datetime(at)
    written["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2])
    # Says to other programs that no person wrote it, so that none answers by itself (RFC 3834).
    written["Auto-Submitted"] = "auto-generated"
    written.set_content(message.text)
    return written


async def _connect(mail: Mail, policy: Policy, resolver: Resolver) -> socket.socket:
    """Return a socket that is connected to a checked address of the host."""
    failure: OSError | None = None
    for address in await checked_addresses(mail.host, mail.port, policy, resolver):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connecting = socket.socket(family, socket.SOCK_STREAM)
        connecting.setblocking(False)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(connecting, (address, mail.port))
        except OSError as error:  # TimeoutError is one
            connecting.close()
            failure = error
        except BaseException:
            connecting.close()
            raise
        else:
            return connecting
    raise failure or OSError("the host has no address")


@cache
def _context() -> ssl.SSLContext:
    # One of its own: that of HTTP calls tells the server that HTTP is spoken.
    return httpx.create_ssl_context(trust_env=False)
