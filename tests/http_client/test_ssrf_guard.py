"""What is connected to is what was checked, whatever a name resolves to the next moment."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from app.http_client.ssrf_guard import CheckedTransport, resolve
from app.http_client.url_policy import Policy
from app.webhooks.retry_policy import EndpointResponse
from app.webhooks.send import endpoint_client, post
from app.webhooks.signing import new_secret, sign
from tests.processes import free_port
from tests.webhooks.receiver import Receiver

OPEN = Policy(http=True, private=True)
STRICT = Policy(http=True, private=False)


class Names:
    """A resolver that answers in turn, and keeps what it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self._answers.pop(0)


async def attempt(url: str, names: Names, policy: Policy) -> EndpointResponse:
    signed = sign(b"{}", event_id=uuid4(), keys=[new_secret()], at=datetime.now(UTC))
    async with endpoint_client(policy, names) as client:
        return await post(client, url, signed, policy)


async def test_a_name_is_looked_up_in_the_form_in_which_the_certificate_has_it() -> None:
    """Python's resolver would look up strasse.de, which is somebody else's."""
    names = Names(["127.0.0.1"])

    await attempt("https://straße.de/hooks", names, STRICT)

    assert names.asked == [("xn--strae-oqa.de", 443)]


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"]],
    ids=str,
)
async def test_a_name_with_an_inner_address_is_not_called(
    receiver: Receiver, addresses: list[str]
) -> None:
    url = f"http://hooks.example:{receiver.port}/hooks"

    answer = await attempt(url, Names(addresses), STRICT)

    assert answer.status_code is None
    assert "network" in str(answer.error)
    assert receiver.received == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
async def test_an_inner_address_written_as_a_number_is_not_called(
    receiver: Receiver, host: str
) -> None:
    signed = sign(b"{}", event_id=uuid4(), keys=[new_secret()], at=datetime.now(UTC))
    async with endpoint_client(STRICT, resolve) as client:
        answer = await post(client, f"http://{host}:{receiver.port}/hooks", signed, STRICT)

    assert answer.status_code is None
    assert receiver.received == []


async def test_a_name_is_resolved_once_and_that_address_is_connected_to(
    receiver: Receiver,
) -> None:
    names = Names(["127.0.0.1"], ["192.0.2.1"])

    answer = await attempt(f"http://hooks.example:{receiver.port}/hooks", names, OPEN)

    assert answer.status_code == 200
    assert names.asked == [("hooks.example", receiver.port)]
    assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"


async def test_a_name_that_turns_inside_between_two_attempts_is_not_called_again(
    receiver: Receiver,
) -> None:
    """The first address is nobody's, so that the attempt fails after it passed the check."""
    names = Names([], ["127.0.0.1"])
    url = f"http://hooks.example:{receiver.port}/hooks"

    first, second = [await attempt(url, names, STRICT) for _ in range(2)]

    assert first.error == "ConnectError"
    assert "network" in str(second.error)
    assert receiver.received == []


async def test_the_next_address_is_tried_when_one_does_not_answer(receiver: Receiver) -> None:
    names = Names(["127.0.0.2", "127.0.0.1"])

    answer = await attempt(f"http://hooks.example:{receiver.port}/hooks", names, OPEN)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "answer",
    [RedirectResponse("/hooks", 302), RedirectResponse("/hooks", 307), Response(status_code=304)],
)
async def test_no_redirect_is_followed(receiver: Receiver, answer: Response) -> None:
    receiver.always = answer

    got = await attempt(receiver.url, Names(["127.0.0.1"]), OPEN)

    assert got.status_code == answer.status_code
    assert len(receiver.received) == 1


async def test_a_proxy_of_the_environment_is_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")

    answer = await attempt(receiver.url, Names(["127.0.0.1"]), OPEN)

    assert answer.status_code == 200


async def test_nobody_listening_and_unknown_names_are_answers_too() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError(f"{host}:{port} is unknown")

    nobody = await attempt(f"http://hooks.example:{free_port()}/", Names(["127.0.0.1"]), OPEN)
    async with endpoint_client(OPEN, unknown) as client:
        signed = sign(b"{}", event_id=uuid4(), keys=[new_secret()], at=datetime.now(UTC))
        unheard_of = await post(client, "http://hooks.example/?token=abc", signed, OPEN)

    assert nobody == EndpointResponse(error="ConnectError")
    assert unheard_of == EndpointResponse(error="OSError")


async def test_an_endpoint_that_never_answers_is_given_up(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.send.ATTEMPT_TIMEOUT_SECONDS", 0.2)
    receiver.holding = asyncio.Event()

    answer = await attempt(receiver.url, Names(["127.0.0.1"]), OPEN)

    assert answer == EndpointResponse(error="no answer in time")


async def test_what_is_no_http_is_an_answer_too() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x16\x03 not HTTP\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        answer = await attempt(f"http://hooks.example:{port}/", Names(["127.0.0.1"]), OPEN)

    assert answer.status_code is None
    assert answer.error is not None


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """Return a self-signed certificate with its key, and a context that trusts only it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path, ssl.create_default_context(cafile=str(path))


@asynccontextmanager
async def tls_server(chain: Path, seen: list[str | None]) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.sni_callback = lambda _socket, name, _context: seen.append(name)
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_the_certificate_is_checked_against_the_name(tmp_path: Path) -> None:
    chain, trusting = certificate(tmp_path, "hooks.example")
    seen: list[str | None] = []
    async with tls_server(chain, seen) as port:
        names = Names(["127.0.0.1"], ["127.0.0.1"])
        transport = CheckedTransport(OPEN, names, trusting)
        async with httpx.AsyncClient(transport=transport) as client:
            right = await client.post(f"https://hooks.example:{port}/")
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await client.post(f"https://other.example:{port}/")

    assert right.status_code == 204
    assert seen == ["hooks.example", "other.example"]


async def test_only_the_beginning_of_a_long_answer_is_read(receiver: Receiver) -> None:
    receiver.always = PlainTextResponse("x" * 5_000_000)

    assert (await attempt(receiver.url, Names(["127.0.0.1"]), OPEN)).status_code == 200
