"""Subscription notices and template messages. Source: protocol 9.2 and 9.3; linkage 2 and 3."""

import asyncio
import re

from fastapi import APIRouter

from simulator.accounts import Account
from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.control_api import account_named
from simulator.errors import ApiError
from simulator.notices import SentNotice, Template
from simulator.push import begin
from simulator.push_request import PushRequest
from simulator.state import State, StateDep

router = APIRouter()

KEY = re.compile(r"\{\{(\w+)\.DATA\}\}")
DROPPED = ("first", "remark")
# The longest value of each type; what is missing is checked by its pattern or not at all.
LONGEST = {
    "thing": 20,
    "number": 33,
    "letter": 32,
    "symbol": 5,
    "character_string": 32,
    "amount": 16,
    "phone_number": 17,
    "car_number": 8,
    "name": 20,
    "phrase": 5,
    "short_thing": 5,
}
CLOCK = re.compile(r"\d{1,2}[:：]\d\d|\d{1,2}月|\d{4}[-/.年]|\d{1,2}[-/.]\d")
CHINESE = re.compile(r"[\u3400-\u9fff]")


@router.get("/wxaapi/newtmpl/gettemplate")
async def gettemplate(account: CallerDep, state: StateDep) -> JsonObject:
    """List the templates of subscription notices."""
    found = [one for one in state.notices.templates[account.appid].values() if one.type is not None]
    return {"errcode": 0, "errmsg": "ok", "data": [described(one) for one in found]}


@router.get("/cgi-bin/template/get_all_private_template")
async def get_all_private_template(account: CallerDep, state: StateDep) -> JsonObject:
    """List the templates of template messages."""
    found = [one for one in state.notices.templates[account.appid].values() if one.type is None]
    return {
        "template_list": [
            {
                "template_id": one.template_id,
                "title": one.title,
                "primary_industry": "IT科技",
                "deputy_industry": "互联网|电子商务",
                "content": one.content,
                "example": one.example,
            }
            for one in found
        ]
    }


@router.post("/cgi-bin/message/subscribe/bizsend")
async def bizsend(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Send a subscription notice, which uses up a consent."""
    notices = state.notices
    template = notices.template(account.appid, body.get("template_id"), of_notices=True)
    follower = state.follower(account.appid, body.get("touser"))
    check_values(template, body.get("data"))
    check_page(account, body)
    notices.spend(account.appid, follower.openid, template)
    msgid = taken(body, follower.openid, template, account, state)
    state.show(follower, "notice", template.title, body.get("data"))
    answer: JsonObject = {"errcode": 0, "errmsg": "ok"}
    return answer | ({"msgid": msgid} if notices.names_msgid else {})


@router.post("/cgi-bin/message/template/send")
async def template_send(body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Send a template message; one with the client_msg_id of an earlier one is not sent again."""
    notices, now = state.notices, state.clock.now()
    template = notices.template(account.appid, body.get("template_id"), of_notices=False)
    follower = state.follower(account.appid, body.get("touser"))
    if not follower.following:
        raise ApiError(43004)
    client_msg_id = str(body.get("client_msg_id") or "")
    earlier = notices.repeated(follower.openid, client_msg_id, now)
    if client_msg_id and earlier is not None:
        return {"errcode": 0, "errmsg": "ok", "msgid": earlier}
    check_values(template, body.get("data"))
    check_page(account, body)
    notices.count_message(account.appid, now)
    msgid = taken(body, follower.openid, template, account, state)
    notices.known[follower.openid, client_msg_id] = now, msgid
    state.show(follower, "notice", template.title, body.get("data"))
    return {"errcode": 0, "errmsg": "ok", "msgid": msgid}


@router.post("/_sim/templates")
async def add_template(template: Template, state: StateDep, appid: str | None = None) -> JsonObject:
    """Add a template to an account, or replace one."""
    account = account_named(state, appid)
    state.notices.templates[account.appid][template.template_id] = template
    return {"template_id": template.template_id}


def taken(body: JsonObject, openid: str, template: Template, account: Account, state: State) -> int:
    """Note what was sent, and push the report of its delivery; return its msgid."""
    sent = SentNotice(
        account.appid, openid, template.template_id, next(state.message_ids), dict(body)
    )
    state.notices.sent.append(sent)
    if state.notices.reports:
        task = asyncio.create_task(begin(report_of(sent, template), account, state).run())
        state.pending.add(task)
        task.add_done_callback(state.pending.discard)
    return sent.msgid


def report_of(sent: SentNotice, template: Template) -> PushRequest:
    """Return the push that reports a delivery. Source: protocol 4.3."""
    if template.type is None:
        fields: JsonObject = {"MsgID": sent.msgid, "Status": "success"}
        return PushRequest(openid=sent.openid, event="TEMPLATESENDJOBFINISH", fields=fields)
    item = {
        "TemplateId": sent.template_id,
        "MsgID": str(sent.msgid),
        "ErrorCode": "0",
        "ErrorStatus": "success",
    }
    return PushRequest(
        openid=sent.openid,
        event="subscribe_msg_sent_event",
        fields={"SubscribeMsgSentEvent": {"List": item}},
    )


def check_values(template: Template, data: object) -> None:
    """Raise ApiError 47003 unless each key has a value that fits; errmsg names the field."""
    if not isinstance(data, dict):
        raise ApiError(47003, "argument invalid! data")
    for name in KEY.findall(template.content):
        if name in DROPPED:
            continue
        given = data.get(name)
        value = given.get("value") if isinstance(given, dict) else None
        if not isinstance(value, str) or not fits(name, value, template):
            raise ApiError(47003, f"argument invalid! data.{name}.value invalid")


def fits(name: str, value: str, template: Template) -> bool:
    """Tell whether a value fits its type."""
    kind = name.rstrip("0123456789")
    if not value or "\n" in value or len(value) > LONGEST.get(kind, 200):
        return False
    if name in template.choices:
        return value in template.choices[name]
    if kind in {"time", "date"}:
        return CLOCK.search(value) is not None
    if kind in {"character_string", "letter", "number"}:
        return CHINESE.search(value) is None
    return True


def check_page(account: Account, body: JsonObject) -> None:
    """Raise ApiError 40166 for a mini-program that is not linked, 40165 for an unknown page."""
    page = body.get("miniprogram")
    if page is None:
        return
    if not isinstance(page, dict) or page.get("appid") not in account.linked_mini_programs:
        raise ApiError(40166)
    pages = account.mini_program_pages.get(str(page["appid"]))
    path = str(page.get("pagepath", "")).partition("?")[0]
    if pages is not None and path and path not in pages:
        raise ApiError(40165)


def described(template: Template) -> JsonObject:
    """Return a template as `gettemplate` lists it. Source: linkage 2.1."""
    listed: JsonObject = {
        "priTmplId": template.template_id,
        "title": template.title,
        "content": template.content,
        "example": template.example,
        "type": template.type,
    }
    if template.choices:
        listed["keywordEnumValueList"] = [
            {"keywordCode": f"{name}.DATA", "enumValueList": list(values)}
            for name, values in template.choices.items()
        ]
    return listed
