"""An SMTP server on loopback that keeps what it is handed, with TLS, STARTTLS or neither."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "smtp.example.com"


@dataclass
class SmtpServer:
    """security: tls, starttls or none. refusing: recipients. answer: to the e-mail itself.

    offers_starttls: False: a server, or somebody on the way, that leaves it out. said: each line
    that came, and whether it was encrypted.
    """

    security: str = "tls"
    offers_starttls: bool = True
    refusing: frozenset[str] = frozenset()
    answer: str = "250 taken"
    context: ssl.SSLContext | None = None
    port: int = 0
    said: list[tuple[str, bool]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    talking: list[asyncio.Task[None]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        transport = writer.transport
        self.talking.append(cast("asyncio.Task[None]", asyncio.current_task()))
        # What a client does that trusts no certificate, or leaves.
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._converse(reader, writer)
        writer.close()
        transport.abort()  # a handshake that failed leaves it open
        with suppress(OSError):
            await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _say(writer, "220 ready")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            encrypted = writer.get_extra_info("ssl_object") is not None
            self.said.append((line, encrypted))
            verb = line.split(" ")[0].upper()
            if verb == "STARTTLS":
                await _say(writer, "220 go ahead")
                await writer.start_tls(cast("ssl.SSLContext", self.context))
            elif verb == "DATA":
                await _say(writer, "354 go ahead")
                content = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(message_from_bytes(content[:-5], policy=policy.default))
                await _say(writer, self.answer)
            elif verb == "QUIT":
                await _say(writer, "221 bye")
                return
            else:
                await _say(writer, self._answer(verb, line, encrypted))

    def _answer(self, verb: str, line: str, encrypted: bool) -> str:
        if verb == "EHLO":
            starttls = self.security == "starttls" and self.offers_starttls and not encrypted
            return "250-smtp\r\n" + ("250-STARTTLS\r\n" if starttls else "") + "250 AUTH PLAIN"
        if verb == "AUTH":
            expected = base64.b64encode(b"\0alarms\0pass-word-1").decode()
            return "235 welcome" if line.endswith(expected) else "535 wrong password"
        if verb == "RCPT" and any(one in line for one in self.refusing):
            return "550 nobody here"
        return "250 fine"


@asynccontextmanager
async def serving(server: SmtpServer, folder: Path) -> AsyncIterator[ssl.SSLContext]:
    """Run the server; yield what trusts its certificate."""
    server.context, trusting = certificate(folder)
    listening = await asyncio.start_server(
        server.serve, "127.0.0.1", 0, ssl=server.context if server.security == "tls" else None
    )
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield trusting
        await asyncio.gather(*server.talking)


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the context of a server named HOST, and that of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "smtp.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    serving_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving_context.load_cert_chain(path)
    return serving_context, ssl.create_default_context(cafile=str(path))


async def _say(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(line.encode() + b"\r\n")
    await writer.drain()
