"""The OpenAPI page works on a machine without the internet."""

import re
from urllib.parse import urljoin

import pytest

from tests.e2e.stack import Stack

LOADED = re.compile(r"""(?:src|href)=["']([^"']+)["']|(?:url|Url):\s*["']([^"']+)["']""")


@pytest.mark.parametrize("page", ["/docs"])
async def test_the_page_loads_everything_from_the_service_itself(stack: Stack, page: str) -> None:
    html = (await stack.http.get(stack.urls[0] + page)).raise_for_status().text
    addresses = ["".join(found) for found in LOADED.findall(html)]

    assert any(address.endswith(".js") for address in addresses)
    assert any(address.endswith("openapi.json") for address in addresses)
    assert not re.search(r"""["'](?:https?:)?//""", html), html
    for address in addresses:
        answer = await stack.http.get(urljoin(stack.urls[0] + page, address))
        assert answer.status_code == 200, address
