"""Words of errcodes about notices and templates. Source: protocol 9.2, 9.3; linkage 2 and 3."""

from typing import Final

from app.wechat.errcodes.words import (
    CONSOLE,
    CORRECT_NOTICE,
    FOLLOWER,
    LATER,
    REPORT,
    RIGHTS,
    Both,
    Words,
    words,
)

_TEMPLATE: Final = Both(
    "Choose a template that the account has, of the right kind.",
    "请选择该账号已有且类型正确的模板。",
)
_CLIENT: Final = words(
    "The mini-program could not ask for the consent.",
    "小程序端未能弹出订阅授权。",
    Both(
        "Check the mini-program's call of wx.requestSubscribeMessage.",
        "请检查小程序对 wx.requestSubscribeMessage 的调用。",
    ),
)

NOTICE: Final[dict[int, Words]] = {
    **dict.fromkeys((10001, 10002, 10003, 10004, 10005, 20003, 20004, 20005), _CLIENT),
    40036: words("The length of the template id is wrong.", "模板 ID 长度不正确。", _TEMPLATE),
    40037: words(
        "The template id is wrong, or not the account's.",
        "模板 ID 不正确或不属于该账号。",
        _TEMPLATE,
    ),
    40062: words(
        "The title of the one-time subscription is too long.",
        "一次性订阅消息标题长度不正确。",
        CORRECT_NOTICE,
    ),
    40246: words(
        "The keywords of the template are wrong.", "模板关键词列表不正确。", CORRECT_NOTICE
    ),
    40247: words("An old template can't be added any more.", "历史模板不能再添加。", _TEMPLATE),
    40249: words(
        "The template message holds advertising.", "模板消息含有营销内容。", CORRECT_NOTICE
    ),
    41030: words("The page of the notice does not exist.", "通知的页面不存在。", CORRECT_NOTICE),
    43101: words(
        "The follower has not consented to this notice, or used the consent up.",
        "用户未订阅该通知，或订阅次数已用完。",
        FOLLOWER,
    ),
    43106: words(
        "Adding templates is suspended as a punishment.", "添加模板的能力因处罚被暂停。", CONSOLE
    ),
    43107: words(
        "The account's notices, or this template, are banned.",
        "订阅通知能力或该模板被封禁。",
        CONSOLE,
    ),
    43108: words(
        "Two notices were sent to one follower at once.", "同时向同一用户下发了两条通知。", LATER
    ),
    43116: words("The template is restricted.", "该模板被限制使用。", CONSOLE),
    45026: words(
        "The account has too many templates.",
        "模板数量超出限制。",
        Both("Delete a template that is not used.", "请删除不用的模板。"),
    ),
    45168: words(
        "The notice holds words that WeChat does not allow.", "通知含有敏感词。", CORRECT_NOTICE
    ),
    47003: words(
        "A value does not fit the template; the errmsg names the field.",
        "参数值与模板不符；errmsg 写有字段名。",
        CORRECT_NOTICE,
    ),
    200001: words("WeChat has a system error.", "微信系统错误。", LATER),
    200002: words("A parameter is wrong.", "参数错误。", REPORT),
    200011: words("The account may not add templates.", "该账号已被封禁添加模板。", CONSOLE),
    200012: words(
        "The account has too many templates.",
        "个人模板数已达上限。",
        Both("Delete a template that is not used.", "请删除不用的模板。"),
    ),
    200013: words("This template is banned.", "此模板已被封禁。", _TEMPLATE),
    200014: words("The number of the template is wrong.", "模板 tid 参数错误。", _TEMPLATE),
    200016: words("The start of the list is wrong.", "start 参数错误。", REPORT),
    200017: words("The limit of the list is wrong.", "limit 参数错误。", REPORT),
    200018: words("The category ids are missing.", "类目 ids 缺失。", REPORT),
    200019: words("The category ids are malformed.", "类目 ids 不合法。", REPORT),
    200020: words(
        "The keywords of the template are wrong.", "关键词列表 kidList 参数错误。", CORRECT_NOTICE
    ),
    200021: words(
        "The purpose of the template is missing or too long.",
        "场景描述 sceneDesc 参数错误。",
        CORRECT_NOTICE,
    ),
    200022: words(
        "The account has this template already.",
        "模板已存在。",
        Both("Use the template that exists.", "请使用已有的模板。"),
    ),
    200100: words(
        "The account is of the wrong type for notices.", "账号类型不支持订阅通知。", RIGHTS
    ),
}
