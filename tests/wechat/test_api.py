"""The client of WeChat's API: what it writes on the wire, how it reads answers and failures."""

import asyncio
import contextlib
import gzip
import json
import logging
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY

from app.wechat.api import WeChatApi
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError, TransportError
from app.wechat.failure_words import failure_in
from app.wechat.ids import AppId, OpenId
from app.wechat.transport import MAX_RESPONSE_BYTES
from tests.httpx_client import HttpxClient

APPID = AppId("wx1f2e3d4c5b6a7980")
OPENID = OpenId("oDEMO0aBcDeFgHiJkLmNoPqRsTuV")
TOKEN = "TOKEN-of-the-account"
OK = {"errcode": 0, "errmsg": "ok"}

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class WeChat:
    """Answers every request with `answer`, and remembers the requests."""

    def __init__(self, answer: object = OK, status: int = 200) -> None:
        self.content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.status = status
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.status, content=self.content)

    @property
    def request(self) -> httpx.Request:
        (only,) = self.requests
        return only


@asynccontextmanager
async def api_to(wechat: WeChat) -> AsyncIterator[WeChatApi]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(wechat)) as client:
        yield WeChatApi("https://api.example.com/", timedelta(seconds=4), HttpxClient(client))


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    """A server on a real socket; yields its address, `127.0.0.1:port`."""
    served: list[asyncio.Task[None]] = []

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.create_task(serve_and_close(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await asyncio.gather(*served)
    await server.wait_closed()


async def failed_send(base_url: str, *, seconds: float = 10) -> TransportError:
    """Send a message to a server that fails, and return the failure."""
    api = WeChatApi(base_url, timedelta(seconds=seconds))
    with pytest.raises(TransportError) as caught:
        await api.custom_send(TOKEN, {})
    await api.close()
    return caught.value


async def keep_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


def query(request: httpx.Request) -> dict[str, str]:
    return dict(request.url.params)


async def test_a_stable_token_is_asked_for_with_the_secret_in_the_body_only() -> None:
    wechat = WeChat({"access_token": "T1", "expires_in": 7200})
    async with api_to(wechat) as api:
        token = await api.stable_token(APPID, "the-secret")

    assert (token.token, token.expires_in) == ("T1", 7200)
    assert wechat.request.method == "POST"
    assert str(wechat.request.url) == "https://api.example.com/cgi-bin/stable_token"
    assert json.loads(wechat.request.content) == {
        "grant_type": "client_credential",
        "appid": APPID,
        "secret": "the-secret",
        "force_refresh": False,
    }


async def test_a_leaked_token_can_be_replaced_by_force() -> None:
    wechat = WeChat({"access_token": "T1", "expires_in": 7200})
    async with api_to(wechat) as api:
        await api.stable_token(APPID, "the-secret", force_refresh=True)

    assert json.loads(wechat.request.content)["force_refresh"] is True


async def test_a_printed_token_does_not_show_itself() -> None:
    async with api_to(WeChat({"access_token": "T1", "expires_in": 7200})) as api:
        token = await api.stable_token(APPID, "the-secret")

    assert "T1" not in repr(token)


async def test_40001_is_a_wrong_secret_for_a_token_and_a_stale_token_elsewhere() -> None:
    async with api_to(WeChat({"errcode": 40001, "errmsg": "invalid credential"})) as api:
        with pytest.raises(ApiError) as at_token:
            await api.stable_token(APPID, "the-secret")
        with pytest.raises(ApiError) as elsewhere:
            await api.custom_send(TOKEN, {})

    assert at_token.value.action is Action.CONFIGURATION
    assert elsewhere.value.action is Action.REFRESH_TOKEN


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"expires_in": 7200}])
async def test_an_answer_without_a_token_is_unreadable(answer: dict[str, Any]) -> None:
    async with api_to(WeChat(answer)) as api:
        with pytest.raises(TransportError, match="unreadable"):
            await api.stable_token(APPID, "the-secret")


async def test_a_message_goes_out_as_raw_utf8_with_the_token_in_the_query() -> None:
    wechat = WeChat()
    body = {"touser": OPENID, "msgtype": "text", "text": {"content": "商城🎉 <b>&\\u"}}
    async with api_to(wechat) as api:
        await api.custom_send(TOKEN, body)

    assert wechat.request.url.path == "/cgi-bin/message/custom/send"
    assert query(wechat.request) == {"access_token": TOKEN}
    assert wechat.request.headers["Content-Type"] == "application/json"
    assert "商城🎉".encode() in wechat.request.content
    assert json.loads(wechat.request.content) == body


async def test_a_picture_is_uploaded_as_the_form_field_media() -> None:
    wechat = WeChat({"type": "image", "media_id": "M1", "created_at": 1795500000})
    async with api_to(wechat) as api:
        media = await api.upload_media(TOKEN, "image", b"\x89PNG\r\n\x1a\n-bytes")

    assert media.media_id == "M1"
    assert media.created_at == datetime.fromtimestamp(1795500000, UTC)
    assert wechat.request.url.path == "/cgi-bin/media/upload"
    assert query(wechat.request) == {"access_token": TOKEN, "type": "image"}
    head, _, rest = wechat.request.content.partition(b"\r\n\r\n")
    assert b'name="media"; filename="image.png"' in head
    assert b"Content-Type: image/png" in head
    assert rest.startswith(b"\x89PNG\r\n\x1a\n-bytes\r\n--")


async def test_the_old_name_of_a_thumbs_media_id_is_understood() -> None:
    answer = {"type": "thumb", "thumb_media_id": "M2", "created_at": "1795500000"}
    async with api_to(WeChat(answer)) as api:
        media = await api.upload_media(TOKEN, "thumb", b"jpg")

    assert media.media_id == "M2"


async def test_a_follower_is_read_with_the_blanks_of_the_unionid_trimmed() -> None:
    answer = {
        "subscribe": 1,
        "openid": OPENID,
        "subscribe_time": 1795500000,
        "unionid": " o6_bmas",
        "subscribe_scene": "ADD_SCENE_QR_CODE",
        "qr_scene": 98765,
        "qr_scene_str": "",
        "nickname": "",
    }
    wechat = WeChat(answer)
    async with api_to(wechat) as api:
        info = await api.user_info(TOKEN, OPENID)

    assert query(wechat.request) == {"access_token": TOKEN, "openid": OPENID, "lang": "zh_CN"}
    assert (info.openid, info.subscribed, info.unionid) == (OPENID, True, "o6_bmas")
    assert info.subscribe_time == datetime.fromtimestamp(1795500000, UTC)
    assert info.subscribe_scene == "ADD_SCENE_QR_CODE"
    assert (info.qr_scene, info.qr_scene_str) == (98765, None)


async def test_somebody_who_does_not_follow_has_neither_unionid_nor_follow_time() -> None:
    answer = {"subscribe": 0, "openid": OPENID, "unionid": "", "qr_scene": 0}
    async with api_to(WeChat(answer)) as api:
        info = await api.user_info(TOKEN, OPENID)

    assert not info.subscribed
    assert (info.unionid, info.subscribe_time, info.qr_scene) == (None, None, None)


@pytest.mark.parametrize("moment", [-5, 10**15, "soon", None, 1.5])
async def test_an_impossible_follow_time_is_no_follow_time(moment: object) -> None:
    answer = {"subscribe": 1, "openid": OPENID, "subscribe_time": moment}
    async with api_to(WeChat(answer)) as api:
        assert (await api.user_info(TOKEN, OPENID)).subscribe_time is None


async def test_people_are_asked_for_together() -> None:
    wechat = WeChat(
        {"user_info_list": [{"openid": "b", "subscribe": 0}, {"openid": "a", "subscribe": 1}]}
    )
    async with api_to(wechat) as api:
        infos = await api.batchget(TOKEN, [OpenId("a"), OpenId("b")])

    assert [info.openid for info in infos] == ["b", "a"]
    assert json.loads(wechat.request.content) == {
        "user_list": [{"openid": "a", "lang": "zh_CN"}, {"openid": "b", "lang": "zh_CN"}]
    }


@pytest.mark.parametrize(
    ("answer", "openids", "after"),
    [
        ({"total": 3, "count": 2, "data": {"openid": ["a", "b"]}, "next_openid": "b"}, 2, "b"),
        ({"total": 3, "count": 1, "data": {"openid": ["c"]}, "next_openid": ""}, 1, None),
        ({"total": 3, "count": 0, "next_openid": "c"}, 0, None),
    ],
)
async def test_the_list_of_followers_ends_with_an_empty_page_or_an_empty_cursor(
    answer: dict[str, Any], openids: int, after: str | None
) -> None:
    wechat = WeChat(answer)
    async with api_to(wechat) as api:
        page = await api.user_get(TOKEN, "start")

    assert query(wechat.request) == {"access_token": TOKEN, "next_openid": "start"}
    assert (page.total, len(page.openids), page.next_openid) == (3, openids, after)


async def test_the_first_page_of_followers_is_asked_for_without_a_cursor() -> None:
    wechat = WeChat({"total": 0, "count": 0})
    async with api_to(wechat) as api:
        await api.user_get(TOKEN)

    assert query(wechat.request) == {"access_token": TOKEN}


async def test_wechats_addresses_are_read() -> None:
    async with api_to(WeChat({"ip_list": ["1.2.3.4", "101.226.103.0/25"]})) as api:
        assert await api.callback_ips(TOKEN) == ("1.2.3.4", "101.226.103.0/25")


async def test_an_error_carries_errcode_message_rid_and_what_to_do() -> None:
    answer = {"errcode": 45015, "errmsg": "response out of time limit rid: 6543-ab-12"}
    async with api_to(WeChat(answer)) as api:
        with pytest.raises(ApiError) as caught:
            await api.custom_send(TOKEN, {})

    error = caught.value
    assert (error.errcode, error.errmsg) == (45015, "response out of time limit")
    assert error.rid == "6543-ab-12"
    assert error.action is Action.WAIT
    assert not isinstance(error, TransportError)


async def test_failures_are_counted_by_errcode() -> None:
    def counted(code: str) -> float:
        return REGISTRY.get_sample_value("oa_bridge_api_errors_total", {"errcode": code}) or 0.0

    before = counted("45047"), counted("transport")
    async with api_to(WeChat({"errcode": 45047, "errmsg": ""})) as api:
        with pytest.raises(ApiError):
            await api.custom_send(TOKEN, {})
    async with api_to(WeChat(b"", status=502)) as api:
        with pytest.raises(ApiError):
            await api.custom_send(TOKEN, {})

    assert (counted("45047"), counted("transport")) == (before[0] + 1, before[1] + 1)


async def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    async with listening(keep_silent) as address:
        pass

    error = await failed_send(f"http://{address}")

    assert (error.action, error.outcome_unknown) == (Action.RETRY, False)
    assert error.errmsg == (
        "127.0.0.1 refuses the connection: check WECHAT_API_BASE_URL and the firewall"
    )


async def test_a_host_that_has_no_address_is_told_by_its_name() -> None:
    error = await failed_send("https://api.weixin.invalid")

    assert (error.action, error.outcome_unknown) == (Action.RETRY, False)
    assert error.errmsg == (
        "the name api.weixin.invalid is not found: check WECHAT_API_BASE_URL and this machine's DNS"
    )


async def test_a_host_that_speaks_no_tls_is_told_apart_from_one_that_is_away() -> None:
    async def answer_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(answer_plainly) as address:
        error = await failed_send(f"https://{address}")

    assert (error.action, error.outcome_unknown) == (Action.RETRY, False)
    assert error.errmsg.startswith("TLS with 127.0.0.1 failed (wrong version number): check this ")


@pytest.mark.parametrize("aborted", [False, True])
async def test_a_tls_handshake_that_is_cut_off_is_a_failure_of_tls(*, aborted: bool) -> None:
    """As a firewall on the way does that reads the name of the host."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if aborted:
            writer.transport.abort()

    async with listening(cut) as address:
        error = await failed_send(f"https://{address}")

    assert not error.outcome_unknown
    assert error.errmsg.startswith("TLS with 127.0.0.1 failed (the handshake is cut off): ")
    assert "握手被中断" in failure_in("zh", error.errmsg)


async def test_a_tls_handshake_that_never_ends_means_that_nothing_was_sent() -> None:
    async with listening(keep_silent) as address:
        error = await failed_send(f"https://{address}", seconds=0.3)

    assert not error.outcome_unknown
    assert error.errmsg.startswith("127.0.0.1 accepts no connection in time: ")


async def test_a_connection_dropped_before_the_answer_leaves_the_outcome_unknown() -> None:
    async def drop(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with listening(drop) as address:
        error = await failed_send(f"http://{address}")

    assert error.outcome_unknown


async def test_an_answer_cut_off_leaves_the_outcome_unknown() -> None:
    async def cut_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{"errcode":0')

    async with listening(cut_off) as address:
        error = await failed_send(f"http://{address}")

    assert error.outcome_unknown


async def test_no_answer_in_time_leaves_the_outcome_unknown() -> None:
    async with listening(keep_silent) as address:
        error = await failed_send(f"http://{address}", seconds=0.3)

    assert error.outcome_unknown


async def test_each_failure_in_the_middle_of_a_call_is_named() -> None:
    async def drop(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with listening(drop) as address:
        dropped = await failed_send(f"http://{address}")
    async with listening(keep_silent) as address:
        silent = await failed_send(f"http://{address}", seconds=0.3)

    check = (
        "if it happens often, check this machine's network, the proxies on the way and "
        "WECHAT_API_TIMEOUT_SECONDS"
    )
    broke = "the connection to 127.0.0.1 broke before the answer was complete"
    assert dropped.errmsg == f"{broke}: {check}"
    assert silent.errmsg == f"127.0.0.1 did not answer in time: {check}"


async def test_an_answer_that_drips_does_not_outlive_the_time_limit() -> None:
    async def drip(__: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(40):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
            writer.write(b"{}")

    async with listening(drip) as address:
        error = await failed_send(f"http://{address}", seconds=0.5)

    assert error.outcome_unknown


@pytest.mark.parametrize(
    ("head", "content"),
    [
        ("content-encoding: gzip, gzip", gzip.compress(gzip.compress(bytes(50_000_000)))),
        ("content-encoding: gzip", gzip.compress(json.dumps(OK).encode())),
        ("x: y", b'{"errmsg":"' + b"x" * MAX_RESPONSE_BYTES + b'"}'),
    ],
    ids=["a bomb", "gzip", "too large"],
)
async def test_an_answer_that_is_encoded_or_too_large_is_not_read(
    head: str, content: bytes
) -> None:
    asked = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = (await reader.readuntil(b"\r\n\r\n")).lower()
        writer.write(
            f"HTTP/1.1 200 OK\r\n{head}\r\ncontent-length: {len(content)}\r\n\r\n".encode()
        )
        with contextlib.suppress(ConnectionError):
            writer.write(content)
            await writer.drain()

    tracemalloc.start()
    async with listening(serve) as address:
        failure = await failed_send(f"http://{address}")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert b"accept-encoding: identity" in asked
    assert failure.outcome_unknown
    assert most < 30_000_000


@pytest.mark.parametrize(
    "answer",
    [b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"errcode":0}', b"HTTP/1.1 xyz\r\n\r\n"],
    ids=["success", "no HTTP"],
)
async def test_the_access_token_reaches_no_log(
    caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    caplog.set_level(logging.DEBUG)
    async with listening(serve) as address:
        api = WeChatApi(f"http://{address}", timedelta(seconds=10))
        try:
            await api.custom_send(TOKEN, {})
        except TransportError:
            logging.getLogger("app").exception("failed")
        await api.close()

    assert TOKEN not in caplog.text
