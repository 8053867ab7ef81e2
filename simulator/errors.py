"""The error responses of WeChat's API: HTTP 200 with errcode and errmsg."""

import secrets
from datetime import datetime

# The platform's own texts. They are for people; clients must not parse them.
MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40005: "invalid file type",
    40007: "invalid media_id",
    40008: "invalid message type",
    40009: "invalid image size",
    40010: "invalid voice size",
    40011: "invalid video size",
    40012: "invalid thumb size",
    40013: "invalid appid",
    40014: "invalid access_token",
    40015: "invalid menu type",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40022: "invalid sub button level",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40054: "invalid sub button url domain",
    40055: "invalid button url domain",
    45064: "no permission to use weapp in menu",
    46003: "menu no exist",
    65301: "menuid not exist",
    65302: "no such user",
    65303: "there is no selfmenu, please create selfmenu first",
    65304: "match rule empty",
    65305: "menu count limit",
    65307: "conditionalmenu is empty",
    65308: "a button has no action",
    65309: "conditional menu is switched off",
    65316: "url domain count limit",
    65317: "invalid url",
    65320: "match rule contains removed fields",
    40032: "invalid openid list size",
    40037: "invalid template_id",
    40125: "invalid appsecret",
    40164: "invalid ip, not in whitelist",
    40052: "invalid action name",
    40053: "invalid action info",
    40066: "invalid url",
    40097: "invalid args",
    40169: "invalid length for scene, or the data is not json string",
    40201: "no callback url",
    40202: "invalid action",
    40203: "invalid check_operator",
    40165: "invalid weapp pagepath",
    40166: "invalid weapp appid",
    40212: "invalid query",
    40225: "invalid page title",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41006: "media_id missing",
    41009: "openid missing",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    44001: "empty media data",
    44003: "empty news data",
    44004: "empty content",
    41030: "invalid page",
    44990: "reach max api second frequence limit",
    44993: "reach max api day frequence limit",
    41039: "invalid content_source_url",
    45002: "content size out of limit",
    45003: "title size out of limit",
    45004: "description size out of limit",
    45008: "article size out of limit",
    43101: "user refuse to accept the msg",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "invalid command",
    45080: "no recent conversation, can not send typing",
    45081: "already in typing status",
    45166: "invalid content",
    47001: "data format error",
    47003: "argument invalid",
    48001: "api unauthorized",
    48006: "forbid to clear quota because of reaching the limit",
    76003: "invalid cgi_path",
    76021: "cgi_path not found",
    85079: "miniprogram has no online release",
    85096: "not allow include scancode_time field",
    85400: "the number of permanent links reaches the limit",
    85401: "time limit between 1min and 30 days",
    85402: "invalid env_version",
}


class ApiError(Exception):
    """The call is refused with `errcode`. detail: is added to the usual errmsg."""

    def __init__(self, errcode: int, detail: str = "") -> None:
        super().__init__(errcode, detail)
        self.errcode = errcode
        self.detail = detail


def refusal(errcode: int, detail: str, now: datetime) -> dict[str, object]:
    """Return the JSON response of a refused call; its errmsg ends with a new rid."""
    text = " ".join(part for part in (MESSAGES.get(errcode, "error"), detail) if part)
    rid = f"{int(now.timestamp()):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
    return {"errcode": errcode, "errmsg": f"{text} rid: {rid}"}
