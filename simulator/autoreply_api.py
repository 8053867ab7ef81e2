"""`get_current_autoreply_info`: the automatic replies that are set up in the console."""

from typing import Any

from fastapi import APIRouter

from simulator.callers import CallerDep, JsonObject

router = APIRouter(prefix="/cgi-bin")

_TEXT: dict[str, Any] = {"type": "text", "content": "您好，我们会尽快回复您。"}
_KEYWORDS: list[dict[str, Any]] = [
    {
        "rule_name": "hours",
        "create_time": 1423028166,
        "reply_mode": "reply_all",
        "keyword_list_info": [
            {"type": "text", "match_mode": "contain", "content": "营业时间"},
            {"type": "text", "match_mode": "equal", "content": "几点"},
        ],
        "reply_list_info": [
            {"type": "text", "content": "每天 9:00 至 21:00"},
            {"type": "img", "content": "a-temporary-media-id"},
        ],
    },
    {
        "rule_name": "news",
        "create_time": 1423028167,
        "reply_mode": "random_one",
        "keyword_list_info": [{"type": "text", "match_mode": "contain", "content": "新品"}],
        "reply_list_info": [
            {
                "type": "news",
                "news_info": {
                    "list": [
                        {
                            "title": "新品上市",
                            "author": "店长",
                            "digest": "本周新品",
                            "show_cover": 1,
                            "cover_url": "http://mmbiz.qpic.cn/cover",
                            "content_url": "http://mp.weixin.qq.com/s?id=1",
                            "source_url": "",
                        }
                    ]
                },
            },
            {"type": "text", "content": "请看公众号菜单"},
        ],
    },
]


@router.get("/get_current_autoreply_info")
async def current_autoreply_info(_: CallerDep) -> JsonObject:
    """Return the automatic replies, which are the same for every account."""
    return {
        "is_add_friend_reply_open": 1,
        "is_autoreply_open": 1,
        "add_friend_autoreply_info": {"type": "text", "content": "谢谢关注！"},
        "message_default_autoreply_info": _TEXT,
        "keyword_autoreply_info": {"list": _KEYWORDS},
    }
