"""wechatpy's API client, an independent one, against a simulator of its own process."""

import io
from collections.abc import Iterator

import httpx
import pytest
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from simulator.demo import ACCOUNT, OPENIDS
from simulator.followers import unionid_of
from tests.processes import run_simulator
from tests.simulator.conftest import JPEG

OPENID = OPENIDS[0]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with run_simulator("--callback-url", "http://127.0.0.1:1/{appid}") as base_url:
        yield base_url


@pytest.fixture
def client(url: str) -> Iterator[WeChatClient]:
    wechat = WeChatClient(ACCOUNT.appid, ACCOUNT.secret)
    wechat.API_BASE_URL = f"{url}/cgi-bin/"
    # wechatpy asks for its first token at the public address, whatever the base URL is.
    wechat.fetch_access_token = lambda: wechat._fetch_access_token(
        f"{url}/cgi-bin/token",
        {
            "grant_type": "client_credential",
            "appid": ACCOUNT.appid,
            "secret": ACCOUNT.secret,
        },
    )
    yield wechat
    wechat._http.close()


def test_it_gets_a_token_and_a_new_one_after_the_end(url: str, client: WeChatClient) -> None:
    first = client.access_token
    httpx.post(f"{url}/_sim/clock", json={"advance_seconds": 7200}).raise_for_status()

    client.user.get(OPENID)

    assert client.access_token != first


def test_it_reads_users(client: WeChatClient) -> None:
    assert client.user.get(OPENID)["unionid"] == unionid_of(OPENID)
    assert {user["openid"] for user in client.user.get_batch(list(OPENIDS))} == set(OPENIDS)
    assert list(client.user.iter_followers()) == list(OPENIDS)


def test_it_uploads_a_picture_and_sends_a_card_with_it(url: str, client: WeChatClient) -> None:
    push = {"text": "商城", "openid": OPENID, "delivery": {"deliveries": 1}}
    httpx.post(f"{url}/_sim/push", json=push).raise_for_status()
    picture = io.BytesIO(JPEG)
    picture.name = "a.jpg"
    media_id = client.media.upload("image", picture)["media_id"]
    card = {
        "title": "商城",
        "appid": ACCOUNT.linked_mini_programs[0],
        "pagepath": "pages/index",
        "thumb_media_id": media_id,
    }

    client.message.send_mini_program_page(OPENID, card)

    assert httpx.get(f"{url}/_sim/followers/{OPENID}/inbox").json()[-1]["content"] == card
    assert client.media.download(media_id).content == JPEG


def test_it_is_told_that_no_window_is_open(client: WeChatClient) -> None:
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_text(OPENIDS[1], "hi")

    assert refused.value.errcode == 45015
