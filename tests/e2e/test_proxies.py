"""The proxies of `deploy/`, where they are installed, in front of the service that runs."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulator.demo import ACCOUNT
from simulator.envelopes import new_stamp
from tests.e2e.children import ROOT, Child
from tests.e2e.peer import person
from tests.e2e.stack import Stack
from tests.processes import free_port
from tests.service import WorldClock, message, sealed
from tests.waiting import eventually

NGINX = ROOT / "deploy/nginx/oa-bridge.conf"
CADDYFILE = ROOT / "deploy/caddy/Caddyfile"
UPSTREAM = "127.0.0.1:8000"
LARGEST_BODY = 65_536
NOT_FOR_THE_PUBLIC = ("/", "/api/rules", "/docs", "/openapi.json", "/metrics", "/readyz", "/livez")

MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/oa-bridge.conf;
}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that runs. log: where it writes its requests. inside: for operators, of nginx."""

    url: str
    log: Path
    inside: str = ""


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate of this test alone, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "oa.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    chain, secret = folder / "chain.pem", folder / "secret.pem"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return chain, secret


def program(name: str) -> str:
    """Return the path of a program; skip the test where it is not installed."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed; tests/docs/test_deploy.py reads its configuration")
    return found


def replaced(text: str, changes: dict[str, str]) -> str:
    """Return `text` with every key replaced, each of which must stand in it."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[Proxy]:
    """Run nginx with the file of `deploy/`, on ports and in a folder of this test."""
    command = [program("nginx"), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    chain, secret = certificate(folder)
    port, inside = free_port(), free_port()
    changes = {
        UPSTREAM: upstream,
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 127.0.0.1:8080": f"listen 127.0.0.1:{inside}",
        "/etc/nginx/certs/oa.example.com.pem": str(chain),
        "/etc/nginx/certs/oa.example.com.key": str(secret),
        "/var/log/nginx": str(folder),
    }
    (folder / "oa-bridge.conf").write_text(replaced(NGINX.read_text(), changes))
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    subprocess.run([*command, "-t"], check=True)
    child = Child("nginx", command, folder, port=port)
    try:
        child.start()
        child.listen()
        yield Proxy(
            f"https://127.0.0.1:{port}", folder / "oa-bridge.log", f"http://127.0.0.1:{inside}"
        )
    finally:
        child.clean_up()


@contextmanager
def caddy(folder: Path, upstream: str) -> Iterator[Proxy]:
    """Run Caddy with the file of `deploy/`, without TLS, for which it would ask the internet."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "DOMAIN": url,
        "UPSTREAM": upstream,
        "CADDY_ADMIN": f"127.0.0.1:{free_port()}",
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    validate = [command[0], "validate", *command[2:]]
    subprocess.run(validate, check=True, env={**os.environ, **settings})
    child = Child("caddy", command, folder, settings, port)
    try:
        child.start()
        child.listen()
        yield Proxy(url, folder / "caddy.log")
    finally:
        child.clean_up()


PROXIES = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(params=PROXIES)
def proxy(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path) -> Iterator[Proxy]:
    """Each proxy, in front of the first web process."""
    with PROXIES[request.param](tmp_path, f"127.0.0.1:{stack.webs[0].port}") as running:
        yield running


async def test_a_push_passes_a_proxy_and_nothing_else_does(proxy: Proxy) -> None:
    clock, openid = WorldClock(), person(1, "proxies")
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=proxy.url) as http:  # noqa: S501 - its own certificate
        envelope = sealed(message(clock, "商城", openid=openid), new_stamp(clock.now()))
        callback = f"/callback/{ACCOUNT.appid}"
        query = {**envelope.query, "openid": openid}
        pushed = await http.post(callback, params=query, content=envelope.body)
        broken = await http.post(callback, params=query, content=b"x" * LARGEST_BODY)
        too_large = await http.post(callback, params=query, content=b"x" * (LARGEST_BODY + 1))
        hidden = {path: (await http.get(path)).status_code for path in NOT_FOR_THE_PUBLIC}

    assert pushed.status_code == 200
    assert b"<Encrypt>" in pushed.content
    assert broken.status_code == 400
    # Caddy says 502 where it has already begun to pass the body on.
    assert too_large.status_code in {413, 502}
    assert hidden == dict.fromkeys(NOT_FOR_THE_PUBLIC, 404)

    async def is_logged() -> bool:
        return callback in proxy.log.read_text()

    await eventually(is_logged, "the request to be logged")
    assert openid not in proxy.log.read_text()
    assert "signature" not in proxy.log.read_text()


async def test_the_inner_address_of_nginx_reaches_everything(stack: Stack, tmp_path: Path) -> None:
    with nginx(tmp_path, f"127.0.0.1:{stack.webs[0].port}") as proxy:
        async with httpx.AsyncClient(trust_env=False, base_url=proxy.inside) as http:
            ready = await http.get("/readyz")
            refused = await http.get("/api/rules")

    assert ready.json()["status"] in {"ok", "degraded"}
    assert refused.status_code == 401
