"""What counts as a success, and what is read of an answer that is not as the reference shows it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wechat.api import WeChatApi
from app.wechat.api_responses import StableToken, follower_page, user_info
from app.wechat.datacube import FigureCall
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError, TransportError
from app.wechat.ids import AppId, OpenId
from app.wechat.link_target import LinkTarget
from app.wechat.read_response import read_response, unreadable_response
from tests.httpx_client import HttpxClient

APPID = AppId("wx1f2e3d4c5b6a7980")
OPENID = OpenId("oDEMO0aBcDeFgHiJkLmNoPqRsTuV")
TOKEN = "TOKEN-of-the-account"


@asynccontextmanager
async def answering(
    content: object, status: int = 200, headers: dict[str, str] | None = None
) -> AsyncIterator[WeChatApi]:
    """A client of an API that answers every call so."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body, headers=headers)

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(answer), follow_redirects=True
    ) as client:
        yield WeChatApi("https://api.example.com", timedelta(seconds=4), HttpxClient(client))


async def failed_send(
    content: object, status: int = 200, headers: dict[str, str] | None = None
) -> ApiError:
    """Send a message, which fails, and return the failure."""
    async with answering(content, status, headers) as api:
        with pytest.raises(ApiError) as caught:
            await api.custom_send(TOKEN, {})
    return caught.value


@pytest.mark.parametrize(
    ("status", "content", "outcome_unknown"),
    [
        (500, b"", False),
        (502, b"<html>bad gateway</html>", False),
        (503, b'{"errcode":0}', False),
        (504, b"", True),
        (403, b'{"message":"Forbidden"}', False),
        (404, b'{"message":"no Route matched"}', False),
        (404, b'{"errcode":0,"errmsg":"ok"}', False),
        (403, b"<html>", False),
        (201, b'{"errcode":0}', True),
        (204, b"", True),
        (200, b'{"code":500}', True),
        (200, b"{}", True),
        (200, b"<html>", True),
        (200, b"", True),
        (200, b"[]", True),
        (200, b'"ok"', True),
        (200, b"0", True),
        (200, b'{"errcode":"x"}', True),
        (200, b'{"errcode":null}', True),
        (200, b'{"errcode":false}', True),
        (200, b'{"errcode":[0]}', True),
        (200, b'{"errcode":99999999999}', True),
        (200, b'{"errcode":NaN}', True),
        (200, b'{"errcode":0', True),
        (200, b"[" * 100_000, True),
    ],
)
async def test_only_errcode_0_with_http_200_means_that_a_message_is_sent(
    status: int, content: bytes, outcome_unknown: bool
) -> None:
    error = await failed_send(content, status)

    assert isinstance(error, TransportError)
    assert error.action is Action.RETRY
    assert error.errcode is None
    assert f"HTTP {status}" in error.errmsg
    assert status >= 500 or "check WECHAT_API_BASE_URL" in error.errmsg
    assert error.outcome_unknown is outcome_unknown


@pytest.mark.parametrize(
    "content",
    [
        b'{"errcode":0,"errmsg":"ok"}',
        b'\xef\xbb\xbf{"errcode":0}',
        b'{"errcode":"0"}',
        b'\n{"errcode":0.0}',
    ],
)
async def test_errcode_0_is_read_however_it_is_written(content: bytes) -> None:
    async with answering(content) as api:
        await api.custom_send(TOKEN, {})


@pytest.mark.parametrize(
    "content",
    [
        b'{"errcode":"40001","errmsg":"invalid credential rid: 6a-7b-8c"}',
        b'{"errcode":" 40001 ","errmsg":"invalid credential rid: 6a-7b-8c"}',
        b'\xef\xbb\xbf{"errcode":40001,"errmsg":"invalid credential rid: 6a-7b-8c"}',
        b'{"errcode":40001,"errmsg":"invalid\\u0000 credential\\ud800 rid: 6a-7b-8c"}',
    ],
    ids=["text", "blanks", "BOM", "characters that can't be stored"],
)
async def test_an_errcode_is_read_however_it_is_written(content: bytes) -> None:
    error = await failed_send(content)

    assert (error.errcode, error.action) == (40001, Action.REFRESH_TOKEN)
    assert (error.errmsg, error.rid) == ("invalid credential", "6a-7b-8c")


async def test_an_errmsg_in_gbk_does_not_hide_the_errcode() -> None:
    # The last byte of 誠 is a backslash in GBK, and hides the end of the text from a JSON parser.
    error = await failed_send('{"errcode":45009,"errmsg":"超出限制誠"}'.encode("gbk"))

    assert (error.errcode, error.errmsg) == (45009, "超出限制誠")


async def test_an_errmsg_without_end_is_cut() -> None:
    error = await failed_send({"errcode": 45009, "errmsg": "x" * 100_000 + " rid: " + "y" * 9000})

    assert len(error.errmsg) == 500
    assert len(error.rid or "") == 100


def test_raw_control_characters_in_an_answer_are_tolerated() -> None:
    found = read_response(200, b'{"remark":"a\x08\xff"}', promised=("remark",))

    assert found == {"remark": "a\x08�"}


def test_a_number_that_no_json_holds_is_left_out_wherever_it_stands() -> None:
    content = b'{"errcode":0,"list":[1e999,{"deep":-1e999},1.5],"nan":NaN,"end":-Infinity}'

    assert read_response(200, content) == {
        "errcode": 0,
        "list": [None, {"deep": None}, 1.5],
        "nan": None,
        "end": None,
    }


def test_what_the_database_can_t_hold_is_removed_wherever_it_stands() -> None:
    written = rb'{"errcode": 0, "a\u0000": ["b\u0000", {"c": "\ud800d"}, 1], "e": "f\u0000"}'

    assert read_response(200, written) == {"errcode": 0, "a": ["b", {"c": "d"}, 1], "e": "f"}
    assert read_response(200, b'{"errcode": 0, "a": "b\x00"}') == {"errcode": 0, "a": "b"}


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (300, "HTTP 300 redirects to no address"),
        (399, "HTTP 399 redirects to no address"),
        (400, "unreadable answer, HTTP 400"),
        (499, "unreadable answer, HTTP 499"),
        (500, "HTTP 500"),
    ],
)
def test_each_class_of_status_begins_at_its_first_number(status: int, what: str) -> None:
    with pytest.raises(TransportError) as caught:
        read_response(status, b"<html>")

    assert caught.value.errmsg.startswith(what)


@pytest.mark.parametrize(("status", "unknown"), [(299, True), (300, False)])
def test_an_unreadable_answer_that_is_no_success_was_not_carried_out(
    status: int, unknown: bool
) -> None:
    assert unreadable_response(status).outcome_unknown == unknown


async def test_the_largest_errcode_that_can_be_stored_is_one() -> None:
    assert (await failed_send({"errcode": 2**31 - 1})).errcode == 2**31 - 1


@pytest.mark.parametrize("errmsg", [None, 7, ["x"], {}])
async def test_an_errmsg_that_is_no_text_is_none(errmsg: object) -> None:
    error = await failed_send({"errcode": 40003, "errmsg": errmsg})

    assert (error.errcode, error.errmsg, error.rid) == (40003, "", None)


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://login.portal.example/a?access_token=T", "https://login.portal.example,"),
        ("//login.portal.example/a", "https://login.portal.example,"),
        ("http://login.portal.example:8080/a", "http://login.portal.example,"),
        ("/elsewhere", "another address of the same host,"),
        (None, "no address,"),
        ("http://[", "another address of the same host,"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_message_is_named_and_not_followed(
    status: int, location: str | None, named: str
) -> None:
    headers = {} if location is None else {"location": location}
    error = await failed_send(b"<html>", status, headers)

    assert isinstance(error, TransportError)
    assert (error.action, error.outcome_unknown) == (Action.RETRY, False)
    assert error.errmsg.startswith(f"HTTP {status} redirects to {named}")
    assert error.errmsg.endswith(": check WECHAT_API_BASE_URL and the proxies on the way")
    assert "access_token" not in error.errmsg


@pytest.mark.parametrize("number", [10**18, -(10**18), 1e300, "9" * 19, 10**400])
def test_a_number_that_no_column_holds_counts_as_none(number: object) -> None:
    info = user_info({"openid": "o1", "subscribe": 1, "qr_scene": number, "subscribe_time": number})

    assert (info.qr_scene, info.subscribe_time) == (None, None)
    with pytest.raises(TransportError, match="unreadable answer"):
        follower_page({"total": number, "count": 1, "data": {"openid": ["o1"]}})


def test_a_redirect_is_named_without_what_the_database_refuses() -> None:
    with pytest.raises(TransportError, match=r"redirects to https://login\.example,"):
        read_response(302, b"", location="https://log\x00in.example/")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("7200", 7200),
        (7200, 7200),
        (1, 1),
        (0, 0),
        (-1, 0),
        (10**12, 7200),
        ("-5", 0),
        (60.0, 60),
        (None, 0),
        ("", 0),
        ("7200s", 0),
        ([7200], 0),
        (True, 0),
        ({}, 0),
        (7199.5, 0),
    ],
)
async def test_the_life_of_a_token_is_read_and_bounded(written: object, seconds: int) -> None:
    async with answering({"access_token": "T", "expires_in": written}) as api:
        assert (await api.stable_token(APPID, "the-secret")).expires_in == seconds


async def test_a_token_that_comes_without_its_life_is_a_token() -> None:
    async with answering({"access_token": "T"}) as api:
        assert await api.stable_token(APPID, "the-secret") == StableToken("T", 0)


async def test_an_upload_without_a_time_is_an_upload() -> None:
    async with answering({"type": "image", "media_id": "M"}) as api:
        assert (await api.upload_media(TOKEN, "image", b"jpg")).media_id == "M"


@pytest.mark.parametrize(
    "row",
    [None, {}, {"openid": None}, {"openid": ""}, {"openid": 7}, [], "x", {"openid": "o" * 3000}],
)
async def test_a_row_without_an_openid_costs_nobody_else_their_unionid(row: object) -> None:
    rows = [{"openid": "a", "subscribe": 1, "unionid": "U"}, row, {"openid": "b", "subscribe": 0}]
    async with answering({"user_info_list": rows}) as api:
        found = await api.batchget(TOKEN, [OpenId("a"), OpenId("x"), OpenId("b")])

    assert [(one.openid, one.unionid) for one in found] == [("a", "U"), ("b", None)]


async def test_numbers_as_text_are_numbers() -> None:
    answer = {
        "openid": OPENID,
        "subscribe": "1",
        "subscribe_time": "1795500000",
        "qr_scene": "98765",
        "subscribe_scene": "ADD\x00_SCENE",
    }
    async with answering(answer) as api:
        info = await api.user_info(TOKEN, OPENID)

    assert (info.subscribed, info.qr_scene, info.subscribe_scene) == (True, 98765, "ADD_SCENE")
    assert info.subscribe_time == datetime.fromtimestamp(1795500000, UTC)


@pytest.mark.parametrize(
    ("answer", "openids"),
    [
        ({"total": "2", "count": 2, "data": {"openid": ["a", None, "", 5, "b"]}}, ["a", "b"]),
        ({"total": 0, "count": 0, "data": None}, []),
        ({"total": 0, "count": 0, "data": []}, []),
        ({"total": 0, "count": 0, "data": {"openid": None}}, []),
    ],
)
async def test_what_can_be_read_of_a_page_of_followers_is_read(
    answer: dict[str, Any], openids: list[str]
) -> None:
    async with answering(answer) as api:
        assert list((await api.user_get(TOKEN)).openids) == openids


@pytest.mark.parametrize(
    "answer",
    [
        {"total": 3, "count": 3, "next_openid": "c"},
        {"total": 3, "count": "3", "data": {}},
        {"count": 0},
        {"total": 1, "count": 1, "data": {"openid": "a"}},
    ],
)
async def test_a_page_of_followers_that_lacks_them_is_not_the_last_page(
    answer: dict[str, Any],
) -> None:
    async with answering(answer) as api:
        with pytest.raises(TransportError):
            await api.user_get(TOKEN)


DAY = date(2026, 11, 27)
TARGET = LinkTarget("pages/index/index", "a=b", "release")
# Every call, and what it needs to see before it believes an answer.
CALLS: dict[str, Callable[[WeChatApi], Awaitable[object]]] = {
    "stable_token": lambda api: api.stable_token(APPID, "the-secret"),
    "upload_media": lambda api: api.upload_media(TOKEN, "image", b"jpg"),
    "user_info": lambda api: api.user_info(TOKEN, OPENID),
    "batchget": lambda api: api.batchget(TOKEN, [OPENID]),
    "user_get": lambda api: api.user_get(TOKEN),
    "callback_ips": lambda api: api.callback_ips(TOKEN),
    "current_autoreply_info": lambda api: api.current_autoreply_info(TOKEN),
    "current_selfmenu_info": lambda api: api.current_selfmenu_info(TOKEN),
    "callback_check": lambda api: api.callback_check(TOKEN),
    "quota": lambda api: api.quota(TOKEN, "/cgi-bin/user/get"),
    "generate_urllink": lambda api: api.generate_urllink(TOKEN, TARGET, 30),
    "generate_scheme": lambda api: api.generate_scheme(TOKEN, TARGET, 30),
    "short_link": lambda api: api.short_link(TOKEN, "pages/index", "t", permanent=False),
    "mini_program_code": lambda api: api.mini_program_code(TOKEN, {"scene": "a"}),
    "add_draft": lambda api: api.add_draft(TOKEN, {"title": "t"}),
    "jsapi_ticket": lambda api: api.jsapi_ticket(TOKEN),
    "menu_get": lambda api: api.menu_get(TOKEN),
    "menu_addconditional": lambda api: api.menu_addconditional(TOKEN, {"button": []}),
    "menu_trymatch": lambda api: api.menu_trymatch(TOKEN, OPENID),
    "notice_templates": lambda api: api.notice_templates(TOKEN),
    "message_templates": lambda api: api.message_templates(TOKEN),
    "figures": lambda api: api.figures(TOKEN, FigureCall.USER_SUMMARY, DAY, DAY),
    "create_qrcode": lambda api: api.create_qrcode(TOKEN, "store", permanent=True),
    "tags": lambda api: api.tags(TOKEN),
    "create_tag": lambda api: api.create_tag(TOKEN, "会员"),
    "tag_members": lambda api: api.tag_members(TOKEN, 100, None),
}
# A success of these says no more than errcode 0; the id of a notice may be missing.
PROMISING_NOTHING = {
    "clear_quota", "close", "custom_send", "menu_create", "menu_delconditional", "menu_delete",
    "send_notice", "send_template_message", "rename_tag", "delete_tag", "tag_followers",
    "untag_followers",
}  # fmt: skip


def test_every_call_that_promises_something_is_tried() -> None:
    public = {name for name in vars(WeChatApi) if not name.startswith("_")}

    assert public - CALLS.keys() == PROMISING_NOTHING


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"<html>",
        b'{"errcode":0,"errmsg":"ok"}',
        b'{"code":200,"data":{}}',
        b'{"access_token":[],"media_id":{},"openid":7,"user_info_list":{},"total":"x",'
        b'"ip_list":"x","dns":"x","quota":[],"url_link":1,"openlink":1,"link":1}',
    ],
)
async def test_a_call_is_believed_only_in_its_own_form(name: str, content: bytes) -> None:
    async with answering(content) as api:
        with pytest.raises(TransportError, match="unreadable answer"):
            await CALLS[name](api)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'\xef\xbb\xbf{"errcode":"45009","errmsg":"\xb3\xac"}', 200),
        (b'{"errcode":45009,"access_token":"T"}', 200),
        (b'{"errcode":45009}', 403),
    ],
)
async def test_every_call_reads_an_errcode(name: str, content: bytes, status: int) -> None:
    async with answering(content, status) as api:
        with pytest.raises(ApiError) as caught:
            await CALLS[name](api)

    assert caught.value.errcode == 45009


@pytest.mark.parametrize("name", CALLS)
async def test_no_call_follows_a_redirect(name: str) -> None:
    async with answering(b'{"access_token":"T"}', 302, {"location": "https://login/"}) as api:
        with pytest.raises(TransportError, match="redirects to https://login"):
            await CALLS[name](api)


@pytest.mark.parametrize("subscribe", [None, 2, -1, "", "yes", True, []])
async def test_who_is_not_said_not_to_follow_has_not_left(subscribe: object) -> None:
    """A follower who has left is erased where ON_UNFOLLOW says so."""
    row = {"openid": OPENID, "subscribe": subscribe}
    async with answering({"user_info_list": [row, {"openid": OPENID}]}) as api:
        assert await api.batchget(TOKEN, [OPENID]) == []
    async with answering(row) as api:
        with pytest.raises(TransportError, match="unreadable answer"):
            await api.user_info(TOKEN, OPENID)


@pytest.mark.parametrize(
    ("name", "member"),
    [("generate_urllink", "url_link"), ("generate_scheme", "openlink"), ("short_link", "link")],
)
@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "http://wxaurl.cn/a", "//evil.example", "data:a", "a b", ""]
)
async def test_a_link_has_the_form_that_wechat_gives_it(name: str, member: str, link: str) -> None:
    async with answering({"errcode": 0, member: link}) as api:
        with pytest.raises(TransportError, match="unreadable answer"):
            await CALLS[name](api)


@pytest.mark.parametrize(
    ("name", "member"), [("stable_token", "access_token"), ("upload_media", "media_id")]
)
@pytest.mark.parametrize("value", ["x" * 5000, "a b", "a\nb", "a\x7f", "ключ"])
async def test_a_token_and_a_media_id_are_bounded_words_of_ascii(
    name: str, member: str, value: str
) -> None:
    async with answering({member: value, "expires_in": 7200}) as api:
        with pytest.raises(TransportError, match="unreadable answer"):
            await CALLS[name](api)


@pytest.mark.parametrize("quota", [{"daily_limit": -1, "used": 0}, {"daily_limit": 9, "used": -1}])
async def test_a_quota_below_nothing_is_none(quota: dict[str, int]) -> None:
    async with answering({"errcode": 0, "quota": quota}) as api:
        with pytest.raises(TransportError, match="unreadable answer"):
            await api.quota(TOKEN, "/cgi-bin/user/get")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_are_more_than_an_unreadable_answer(content: bytes) -> None:
    with pytest.raises(ApiError):
        read_response(200, content)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)


@given(errcode=_JSON, errmsg=_JSON)
def test_whatever_an_answer_holds_its_errcode_and_texts_can_be_stored(
    errcode: object, errmsg: object
) -> None:
    content = json.dumps({"errcode": errcode, "errmsg": errmsg}).encode()
    failure = refused(content)

    if failure is None:
        assert int(float(str(errcode))) == 0
    elif failure.errcode is not None:
        assert -(2**31) < failure.errcode < 2**31
        assert "\x00" not in failure.errmsg
        failure.errmsg.encode()


def refused(content: bytes) -> ApiError | None:
    """Read an answer, and return the error; None for a success."""
    try:
        read_response(200, content)
    except ApiError as error:
        return error
    return None
