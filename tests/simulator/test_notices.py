"""Subscription notices and template messages, over HTTP."""

import asyncio

import pytest

from tests.simulator.conftest import OPENID, Json, Service, Simulator

CONTENT = "取件码:{{character_string1.DATA}}\n提示:{{thing3.DATA}}"
DATA: Json = {"character_string1": {"value": "K-1"}, "thing3": {"value": "请取件"}}
PARCEL: Json = {"touser": OPENID, "template_id": "TPL_parcel", "data": DATA}
MESSAGE: Json = PARCEL | {"template_id": "TPL_message"}
BIZSEND = "message/subscribe/bizsend"
TEMPLATE_SEND = "message/template/send"


@pytest.fixture(autouse=True)
async def templates(simulator: Simulator) -> None:
    for template_id, kind in (("TPL_parcel", 2), ("TPL_news", 3), ("TPL_message", None)):
        template = {"template_id": template_id, "title": "T", "content": CONTENT, "type": kind}
        await simulator.post("/_sim/templates", template)


async def consent(simulator: Simulator, status: str, template_id: str = "TPL_parcel") -> None:
    item = {"TemplateId": template_id, "SubscribeStatusString": status, "PopupScene": "1"}
    fields = {"SubscribeMsgPopupEvent": {"List": item}}
    await simulator.push(event="subscribe_msg_popup_event", fields=fields)


async def errcode(simulator: Simulator, path: str, body: Json) -> int:
    answer = await simulator.api(path, body)
    found: int = answer["errcode"]
    return found


async def test_one_accept_allows_one_notice_and_a_reject_none(simulator: Simulator) -> None:
    assert await errcode(simulator, BIZSEND, PARCEL) == 43101
    await consent(simulator, "accept")
    assert await errcode(simulator, BIZSEND, PARCEL) == 0
    assert await errcode(simulator, BIZSEND, PARCEL) == 43101
    await consent(simulator, "accept")
    await consent(simulator, "reject")
    assert await errcode(simulator, BIZSEND, PARCEL) == 43101


async def test_a_long_term_consent_allows_any_number(simulator: Simulator) -> None:
    await consent(simulator, "accept", "TPL_news")
    news = PARCEL | {"template_id": "TPL_news"}
    assert [await errcode(simulator, BIZSEND, news) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"template_id": "TPL_message"}, 40037),
        ({"touser": "oNobody"}, 40003),
        ({"data": DATA | {"thing3": {"value": "一" * 21}}}, 47003),
        ({"data": {"thing3": {"value": "x"}}}, 47003),
        ({"data": DATA | {"thing3": "x"}}, 47003),
        ({"miniprogram": {"appid": "wxffffffffffffffff"}}, 40166),
    ],
)
async def test_what_is_wrong_is_refused_and_costs_no_consent(
    simulator: Simulator, changes: Json, expected: int
) -> None:
    await consent(simulator, "accept")
    assert await errcode(simulator, BIZSEND, PARCEL | changes) == expected
    assert await errcode(simulator, BIZSEND, PARCEL) == 0


async def test_a_template_message_reaches_followers_once_for_each_id(
    simulator: Simulator,
) -> None:
    first = await simulator.api(TEMPLATE_SEND, MESSAGE | {"client_msg_id": "one"})
    again = await simulator.api(TEMPLATE_SEND, MESSAGE | {"client_msg_id": "one"})
    assert first["msgid"] == again["msgid"]
    await simulator.advance(601)
    later = await simulator.api(TEMPLATE_SEND, MESSAGE | {"client_msg_id": "one"})
    assert later["msgid"] != first["msgid"]
    simulator.state.notices.a_day = 2
    assert await errcode(simulator, TEMPLATE_SEND, MESSAGE) == 45009
    await simulator.push(event="unsubscribe")
    assert await errcode(simulator, TEMPLATE_SEND, MESSAGE) == 43004


async def test_the_report_of_a_delivery_is_pushed(simulator: Simulator, service: Service) -> None:
    simulator.state.notices.reports = True
    await consent(simulator, "accept")
    received = len(service.received)
    await simulator.api(BIZSEND, PARCEL)
    await simulator.api(TEMPLATE_SEND, MESSAGE)
    await asyncio.gather(*simulator.state.pending)
    assert len(service.received) == received + 2


async def test_templates_are_listed_by_kind(simulator: Simulator) -> None:
    token = await simulator.stable_token()
    notices = await simulator.get("/wxaapi/newtmpl/gettemplate", access_token=token)
    messages = await simulator.read_api("template/get_all_private_template")
    assert [one["priTmplId"] for one in notices["data"]] == ["TPL_parcel", "TPL_news"]
    assert [one["template_id"] for one in messages["template_list"]] == ["TPL_message"]
