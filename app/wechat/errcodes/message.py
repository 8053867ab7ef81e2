"""Words of errcodes about messages, media and followers. Source: protocol 6, 8 and 11."""

from typing import Final

from app.wechat.errcodes.words import (
    CORRECT_FILE,
    CORRECT_RULE,
    FOLLOWER,
    LATER,
    LINK_MINI_PROGRAM,
    NOTHING,
    PAGE_PATH,
    REPORT,
    RIGHTS,
    Both,
    Words,
    words,
)

_WINDOW: Final = Both(
    "Nothing is to be done: the reply waits for the follower's next message.",
    "无需处理：回复会等待用户的下一次互动。",
)
_TAGS: Final = Both("Correct the tag.", "请修改标签。")

MESSAGE: Final[dict[int, Words]] = {
    40003: words(
        "The OpenID is wrong, or belongs to another account.",
        "OpenID 不正确，或属于其他账号。",
        FOLLOWER,
    ),
    40004: words("The type of the media is wrong.", "媒体类型不正确。", CORRECT_FILE),
    40005: words("The type of the file is wrong.", "文件类型不正确。", CORRECT_FILE),
    40006: words("The file is too large or empty.", "文件大小不正确。", CORRECT_FILE),
    40007: words(
        "The media_id is wrong or has expired.",
        "media_id 不正确或已过期。",
        Both(
            "OA Bridge uploads its own files again. Replace a media_id that stands in a rule.",
            "OA Bridge 会重新上传自己的文件；若规则中直接写了 media_id，请更换。",
        ),
    ),
    40008: words("The type of the message is wrong.", "消息类型不正确。", CORRECT_RULE),
    40009: words("The picture is too large.", "图片大小超出限制。", CORRECT_FILE),
    40010: words("The voice file is too large.", "语音大小超出限制。", CORRECT_FILE),
    40011: words("The video is too large.", "视频大小超出限制。", CORRECT_FILE),
    40012: words("The thumbnail is too large.", "缩略图大小超出限制。", CORRECT_FILE),
    40032: words("The list of OpenIDs is empty or too long.", "OpenID 列表为空或过长。", REPORT),
    40033: words(
        "The request holds characters that are not allowed, such as \\u escapes.",
        "请求中含有不允许的字符，例如 \\u 转义。",
        REPORT,
    ),
    40035: words("A parameter is wrong.", "参数不正确。", REPORT),
    40038: words("The format of the request is wrong.", "请求格式不正确。", REPORT),
    40039: words("The URL is too long.", "URL 长度不正确。", CORRECT_RULE),
    40165: words(
        "The page path is not in the released mini-program.",
        "页面路径不在小程序的已发布版本中。",
        PAGE_PATH,
    ),
    40166: words(
        "The mini-program's AppID is wrong, or it is not linked.",
        "小程序 AppID 不正确或未关联。",
        LINK_MINI_PROGRAM,
    ),
    40168: words(
        "The mini-program of the card is not linked to the account.",
        "卡片的小程序未关联到该公众号。",
        LINK_MINI_PROGRAM,
    ),
    41005: words(
        "The file is missing, or has a name that WeChat does not accept.",
        "缺少文件，或文件名不被接受。",
        CORRECT_FILE,
    ),
    41006: words("The media_id is missing.", "缺少 media_id。", CORRECT_RULE),
    41009: words("The OpenID is missing.", "缺少 OpenID。", REPORT),
    43004: words("The person does not follow the account.", "该用户未关注公众号。", FOLLOWER),
    43005: words("The person is no friend of the account.", "需要好友关系。", FOLLOWER),
    43019: words(
        "The follower is in the account's blacklist.",
        "该用户在公众号黑名单中。",
        Both(
            "Remove the follower from the blacklist in WeChat's console, if that is wanted.",
            "如有需要，请在公众平台把该用户移出黑名单。",
        ),
    ),
    44001: words("The file is empty.", "文件为空。", CORRECT_FILE),
    44003: words("The article of the message is empty.", "图文消息内容为空。", CORRECT_RULE),
    44004: words("The text of the message is empty.", "文本消息内容为空。", CORRECT_RULE),
    45001: words("The file is too large.", "文件大小超出限制。", CORRECT_FILE),
    45002: words("The text is too long.", "消息内容过长。", CORRECT_RULE),
    45003: words("The title is too long.", "标题过长。", CORRECT_RULE),
    45004: words("The description is too long.", "描述过长。", CORRECT_RULE),
    45005: words("The URL is too long.", "链接过长。", CORRECT_RULE),
    45006: words("The URL of the picture is too long.", "图片链接过长。", CORRECT_RULE),
    45007: words("The voice lasts too long.", "语音播放时间过长。", CORRECT_FILE),
    45008: words(
        "The message holds too many articles.", "图文消息的文章数量超出限制。", CORRECT_RULE
    ),
    45015: words(
        "The follower's send window is over, or the follower has left.",
        "超出回复时间限制，或用户已取消关注。",
        _WINDOW,
    ),
    45047: words(
        "The follower got as many messages as one action allows.",
        "客服消息下行条数超出限制。",
        _WINDOW,
    ),
    45056: words("The account has too many tags.", "标签数量过多。", _TAGS),
    45057: words(
        "The tag has more than 100,000 people, and can't be deleted.",
        "该标签下用户超过十万，不能直接删除。",
        _TAGS,
    ),
    45058: words("WeChat's own tags can't be changed.", "系统保留的标签不能修改。", _TAGS),
    45059: words("The follower has too many tags.", "该用户的标签数量过多。", _TAGS),
    45065: words(
        "This mass message was sent already.",
        "该群发任务已发送过。",
        Both("Nothing is to be done.", "无需处理。"),
    ),
    45066: words("The mass message was repeated too soon.", "群发重试过快。", NOTHING),
    45067: words(
        "The clientmsgid of the mass message is too long.", "群发的 clientmsgid 过长。", REPORT
    ),
    45072: words("The command of the typing indicator is wrong.", "“正在输入”命令不正确。", REPORT),
    45080: words(
        "There was no exchange with the follower lately, so no typing is shown.",
        "近期没有互动，不能下发“正在输入”。",
        FOLLOWER,
    ),
    45081: words("Typing is shown already.", "已处于“正在输入”状态。", FOLLOWER),
    45157: words("A tag has this name already.", "标签名重复。", _TAGS),
    45158: words("The name of the tag is too long.", "标签名过长。", _TAGS),
    45159: words("The tag does not exist.", "标签不存在。", _TAGS),
    46001: words("The media does not exist.", "素材不存在。", CORRECT_RULE),
    46004: words("The person does not exist.", "用户不存在。", FOLLOWER),
    48002: words(
        "The follower has switched messages of the account off.", "用户关闭了接收消息。", FOLLOWER
    ),
    49003: words("The OpenID belongs to another account.", "OpenID 不属于此 AppID。", FOLLOWER),
    50005: words("The person does not follow the account.", "用户未关注公众号。", FOLLOWER),
    61450: words("WeChat's customer service has a system error.", "微信客服系统错误。", NOTHING),
    61451: words("A parameter of the customer service is wrong.", "客服参数错误。", REPORT),
    61452: words(
        "The customer-service account is wrong.",
        "客服账号不正确。",
        Both("Correct the customer-service account.", "请改正客服账号。"),
    ),
    65400: words(
        "The new customer service is not switched on.",
        "未开通新版客服功能。",
        Both("Switch the customer service on in WeChat's console.", "请在公众平台开通客服功能。"),
    ),
    65416: words(
        "A parameter of the customer service's query is wrong.", "客服查询参数错误。", REPORT
    ),
    65417: words(
        "The time of the customer service's query is wrong.", "客服查询时间错误。", REPORT
    ),
    70000: words(
        "WeChat does not deliver the message, to protect a minor.",
        "为保护未成年人，微信不予下发。",
        FOLLOWER,
    ),
    61500: words("The date of the figures is wrong.", "数据日期格式错误。", REPORT),
    61501: words("The span of the figures is too long.", "数据日期范围错误。", REPORT),
    61503: words("The figures of the day are not ready.", "当日数据尚未就绪。", LATER),
    61504: words(
        "The figures are not ready, or WeChat is busy.", "数据尚未就绪或系统繁忙。", LATER
    ),
    89002: words(
        "The account is not bound to an Open Platform account.",
        "该账号未绑定微信开放平台账号。",
        Both(
            "Bind the account at open.weixin.qq.com, if UnionIDs are wanted.",
            "如需 UnionID，请在微信开放平台绑定该账号。",
        ),
    ),
    89300: words("The order does not exist.", "订单不存在。", FOLLOWER),
    41033: words(
        "The mini-program was not created through this API.",
        "该小程序不是通过此接口创建的。",
        RIGHTS,
    ),
    40201: words(
        "The account has no callback URL.",
        "该账号未配置回调 URL。",
        Both("Enter the callback URL in WeChat's console.", "请在公众平台填写回调 URL。"),
    ),
    40202: words("The action of the network check is wrong.", "网络检测的 action 不正确。", REPORT),
    40203: words(
        "The operator of the network check is wrong.", "网络检测的 check_operator 不正确。", REPORT
    ),
}
