"""What a command says when WeChat's API fails."""

from datetime import timedelta

import httpx
import pytest

from app.cli.api_failure import api_failure
from app.wechat.api import WeChatApi
from app.wechat.errors import ApiError
from app.wechat_client.errors import NoToken
from tests.httpx_client import HttpxClient


async def failure(answer: httpx.Response | httpx.TimeoutException) -> ApiError:
    """Read the console's replies from a WeChat that answers so, and return the error."""

    async def reply(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, httpx.Response):
            return answer
        raise answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(reply)) as client:
        api = WeChatApi("https://api.weixin.qq.com", timedelta(seconds=4), HttpxClient(client))
        with pytest.raises(ApiError) as caught:
            await api.current_autoreply_info("T")
    return caught.value


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            httpx.Response(502),
            "HTTP 502 came instead of an answer: if this does not end in some minutes, check "
            "WECHAT_API_BASE_URL and the proxies on the way",
        ),
        (
            httpx.ConnectTimeout("", request=None),
            "api.weixin.qq.com accepts no connection in time: check this machine's network and "
            "firewall",
        ),
        (
            httpx.Response(200, json={"errcode": 48001, "errmsg": "api unauthorized rid: 6a-7b"}),
            "WeChat refuses with errcode 48001: The account has no right to this API. Check in "
            "WeChat's console, under API permissions, whether the account has this API: most of "
            "them need a verified account. (rid 6a-7b)",
        ),
    ],
    ids=["502", "time-out", "errcode"],
)
async def test_each_failure_is_one_plain_sentence(
    answer: httpx.Response | httpx.TimeoutException, said: str
) -> None:
    error = await failure(answer)

    assert api_failure(error) == said
    assert api_failure(NoToken(error)) == f"there is no access token: {said}"
