"""How the web process is configured: whom it believes about where a request comes from."""

import httpx
import pytest

from app.access.roles import Role
from app.cli.serve import config_of
from tests.console.operator import FROM_A_PAGE, sign_in_path
from tests.service import (
    Service,
    clock,
    service,
    settings,
)

__all__ = ["clock", "service", "settings"]

FORWARDED = {"X-Forwarded-For": "198.51.100.9, 203.0.113.7, 10.0.0.4", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("trusted", "peer", "address"),
    [
        ("10.0.0.0/8", "10.0.0.5", "203.0.113.7"),
        ("10.0.0.5", "10.0.0.5", "10.0.0.4"),
        ("10.0.0.0/8", "192.0.2.1", "192.0.2.1"),
        ("", "127.0.0.1", "127.0.0.1"),
    ],
)
async def test_only_a_trusted_proxy_tells_where_a_request_comes_from(
    service: Service, trusted: str, peer: str, address: str
) -> None:
    named = tuple(part for part in trusted.split(",") if part)
    config = config_of(service.settings.model_copy(update={"trusted_proxies": named}))
    config.app, config.factory = service.app, False
    config.load()
    path = await sign_in_path(service, "小王", Role.OWNER)
    transport = httpx.ASGITransport(config.loaded_app, client=(peer, 4321))
    async with httpx.AsyncClient(transport=transport, base_url="https://console.example") as http:
        answer = await http.post(path, headers=FORWARDED | FROM_A_PAGE)

    assert answer.status_code == 303
    (entry,) = (await service.read("audit", action="session.started"))["items"]
    assert entry["address"] == address
