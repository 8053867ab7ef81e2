"""Why an attempt has no response is said in words."""

import httpx
import pytest

from app.console.webhooks.labels import ERRORS
from app.http_client.url_policy import Policy
from app.webhooks.send import post
from app.webhooks.signing import Signed


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.WriteError,
        httpx.RemoteProtocolError,
        TimeoutError,
    ],
)
async def test_every_failure_of_a_connection_has_words(failure: type[Exception]) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure("why")

    policy = Policy(http=False, private=False, settings="WEBHOOK")
    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as client:
        response = await post(client, "https://crm.example.com/", Signed(b"{}", {}), policy)

    assert response.error in ERRORS
