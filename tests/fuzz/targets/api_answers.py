"""Answers of WeChat's API: status, body, and where a redirect leads.

An input: a byte that chooses the status, a byte that chooses the promised member, then the body.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from app.menus.as_read import read_menu, read_selfmenu, rebuild
from app.notices.template_keys import keys_of
from app.wechat import api_responses, tag_responses
from app.wechat.datacube import FigureCall, figure_rows
from app.wechat.errors import ApiError
from app.wechat.read_response import MAX_ERRMSG, MAX_RID, read_response
from tests.fuzz.storable import JsonText
from tests.fuzz.target import Target, Values

_STATUSES: Final = (200, 200, 200, 200, 201, 204, 301, 307, 400, 403, 404, 429, 500, 502, 504)
_PROMISED: Final = (
    *("access_token", "media_id", "openid", "user_info_list", "total", "ip_list"),
    *("errcode", "ticket", "menu", "tags", "data", "list"),
)
_FIRST, _LAST = date(2026, 11, 24), date(2026, 11, 28)


def _templates(response: Mapping[str, Any]) -> object:
    """Read the templates of both kinds, and the keys that their table gets."""
    found = []
    for read in (api_responses.notice_templates, api_responses.message_templates):
        with suppress(ApiError):
            found += read(response)
    return found, [_json([k.as_json() for k in keys_of(t.content, t.choices)]) for t in found]


def _menus(response: Mapping[str, Any]) -> object:
    """Read a menu; what WeChat answered is stored, too, and so is what can't be made again."""
    document = read_menu(response).as_document(())
    menu, left_out = rebuild(document)
    shown, also_left_out = rebuild({"button": read_selfmenu(response), "conditional": []})
    return [
        *(_json(one) for one in (response, document)),
        *(_json(one.model_dump()) for one in (menu, shown)),
        *(left_out + also_left_out),
    ]


def _json(value: object) -> JsonText:
    return JsonText(json.dumps(value))


_READERS: Final[tuple[Callable[[Mapping[str, Any]], object], ...]] = (
    api_responses.stable_token,
    api_responses.uploaded_media,
    api_responses.user_info,
    api_responses.user_infos,
    api_responses.follower_page,
    api_responses.callback_ips,
    api_responses.callback_addresses,
    api_responses.quota,
    api_responses.qr_ticket,
    api_responses.jsapi_ticket,
    api_responses.draft_media_id,
    api_responses.menuid,
    api_responses.msgid,
    *(partial(api_responses.link, member=name) for name in ("url_link", "openlink", "link")),
    tag_responses.tags,
    tag_responses.tag_id,
    *(partial(figure_rows, call=call, first=_FIRST, last=_LAST) for call in FigureCall),
    _templates,
    _menus,
)


def try_case(data: bytes) -> Values:
    """Read an answer in every way in which one may be read."""
    choice, body = data[:2].ljust(2, b"\0"), data[2:]
    status = _STATUSES[choice[0] % len(_STATUSES)]
    promised = _PROMISED[choice[1] % len(_PROMISED)]
    values: list[object] = []
    try:
        members = read_response(
            status, body, promised=(promised,), location=body[:300].decode("latin-1")
        )
    except ApiError as error:
        return _of_error(error)
    for read in _READERS:
        try:
            values += _flat(read(members))
        except ApiError as error:
            values += _of_error(error)
    return values


def _of_error(error: ApiError) -> list[object]:
    assert len(error.errmsg) <= MAX_ERRMSG
    assert len(error.rid or "") <= MAX_RID
    return [error.errcode, error.errmsg, error.rid]


def _flat(value: object) -> list[object]:
    if isinstance(value, list | tuple):
        return [inner for one in value for inner in _flat(one)]
    if isinstance(value, Mapping):
        return _flat([*value, *value.values()])
    if is_dataclass(value) and not isinstance(value, type):
        return _flat([getattr(value, field.name) for field in fields(value)])
    return [value]


_ANSWERS: Final = (
    {"errcode": 0, "errmsg": "ok"},
    {"errcode": 40001, "errmsg": "invalid credential rid: 6a-7b-8c"},
    {"errcode": "45009", "errmsg": "reach max api daily quota limit rid: 1-2-3"},
    {"access_token": "TOKEN", "expires_in": 7200},
    {"type": "image", "media_id": "MEDIA", "created_at": 1795500000},
    {
        "subscribe": 1,
        "openid": "oDEMO0aBcDeFgHiJkLmNoPqRsTuV",
        "unionid": "uDEMO",
        "subscribe_time": 1795500000,
        "subscribe_scene": "ADD_SCENE_QR_CODE",
        "qr_scene": 98765,
        "qr_scene_str": "shop",
    },
    {"user_info_list": [{"subscribe": 0, "openid": "o1"}, {"openid": None}]},
    {"total": 2, "count": 2, "data": {"openid": ["o1", "o2"]}, "next_openid": "o2"},
    {"ip_list": ["101.226.62.77", "101.226.103.0/25"]},
    {"errcode": 0, "quota": {"daily_limit": 1000, "used": 3, "remain": 997}},
    {"dns": [{"ip": "1.2.3.4", "real_operator": "UNICOM"}], "ping": []},
    {"code": 500, "message": "Forbidden"},
    {"errcode": 0, "ticket": "sM4AOVdWfPE4DxkXGEs8VA", "expires_in": 7200},
    {"ticket": "gQH47joAAAAAAAAAASxodHRw", "expire_seconds": 60, "url": "http://weixin.qq.com/q/k"},
    {"errcode": 0, "url_link": "https://wxaurl.cn/abc", "openlink": "weixin://dl/business/?t=a"},
    {"errcode": 0, "link": "#小程序://商城/abc", "menuid": 413, "msgid": 7000000000001},
    {"tags": [{"id": 100, "name": "会员", "count": 3}], "tag": {"id": 101, "name": "新"}},
    {"list": [{"ref_date": "2026-11-28", "user_source": 0, "new_user": 3, "cancel_user": 1}]},
    {"list": [{"ref_date": "2026-11-28", "cumulate_user": 3, "msg_type": 1, "msg_count": 9}]},
    {"list": [{"ref_date": "20261128", "session_cnt": 9, "visit_pv": 9, "visit_uv": 3}]},
    {
        "ref_date": "20261128",
        "list": [
            {"index": "access_source_session_cnt", "item_list": [{"key": 10, "value": 5}]},
        ],
    },
    {
        "data": [
            {
                "priTmplId": "TPL",
                "title": "取件通知",
                "content": "取件码:{{character_string1.DATA}}\n状态:{{enum_string2.DATA}}\n",
                "example": "取件码:7",
                "type": 2,
                "keywordEnumValueList": [
                    {"keywordCode": "enum_string2.DATA", "enumValueList": ["待取", "已取"]}
                ],
            }
        ]
    },
    {"template_list": [{"template_id": "TPL", "title": "取件", "content": "{{thing1.DATA}}"}]},
    {
        "menu": {
            "button": [
                {"type": "click", "name": "商城", "key": "shop", "sub_button": []},
                {
                    "name": "更多",
                    "sub_button": [
                        {"type": "view", "name": "官网", "url": "https://www.example.com/"},
                        {
                            "type": "miniprogram",
                            "name": "订单",
                            "url": "https://www.example.com/",
                            "appid": "wx0123456789abcdef",
                            "pagepath": "pages/order",
                        },
                    ],
                },
            ],
            "menuid": 208396938,
        },
        "conditionalmenu": [
            {
                "button": [{"type": "click", "name": "VIP", "key": "vip"}],
                "matchrule": {"group_id": 2, "sex": 1, "client_platform_type": "2"},
                "menuid": 208396993,
            }
        ],
    },
    {
        "is_menu_open": 1,
        "selfmenu_info": {
            "button": [
                {"type": "text", "name": "文字", "value": "你好"},
                {
                    "name": "图",
                    "sub_button": {"list": [{"type": "news", "value": "b"}]},
                },
            ]
        },
    },
)
_WORDS: Final = (
    *sorted({name for answer in _ANSWERS for name in answer}),
    *("ref_date", "20261128", "2026-11-28", "key", "value", "item_list", "name", "count", "id"),
    *("priTmplId", "content", "{{thing1.DATA}}", "enumValueList", "keywordCode", "button"),
    *("sub_button", "type", "click", "view", "miniprogram", "pagepath", "matchrule", "group_id"),
    *("null", "true", "false", "NaN", "Infinity", "1e999", "1e-9", "-0", "\\u0000", "\\ud800"),
    *("\\udc00", "﻿", "rid: ", "https://", "//", "[", "]", "99999999999999999999"),
)


def seeds() -> Iterable[bytes]:
    """Give the answers of the reference, and some of others."""
    for number, answer in enumerate(_ANSWERS):
        body = json.dumps(answer).encode()
        for choice in range(len(_PROMISED)):
            yield bytes([0, choice]) + body
        yield bytes([number, 0]) + body
    yield b"\x00\x00" + json.dumps(_ANSWERS[5], ensure_ascii=False).encode("gb18030")
    yield b"\x06\x00https://portal.example.com/login?token=1"
    yield b"\x00\x00" + b"[" * 2000


TARGET: Final = Target(try_case, seeds, _WORDS)
