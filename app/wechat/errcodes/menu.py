"""Words of errcodes about menus and articles. Source: protocol 9.1; linkage 1.6 and 12."""

from typing import Final

from app.wechat.errcodes.words import (
    CORRECT_ARTICLE,
    CORRECT_MENU,
    LINK_MINI_PROGRAM,
    RIGHTS,
    Both,
    Words,
    words,
)

_NO_MENU: Final = Both(
    "Nothing is to be done: publish a menu if one is wanted.", "无需处理：如需菜单，请发布。"
)
_IN_CONSOLE: Final = Both("Publish the article in WeChat's console.", "请在公众平台发布该文章。")

MENU: Final[dict[int, Words]] = {
    40015: words("The type of the menu is wrong.", "菜单类型不正确。", CORRECT_MENU),
    40016: words("The menu has too many or too few buttons.", "菜单按钮个数不正确。", CORRECT_MENU),
    40017: words("The type of a button is wrong.", "按钮类型不正确。", CORRECT_MENU),
    40018: words(
        "The name of a button is too long or empty.", "按钮名称长度不正确。", CORRECT_MENU
    ),
    40019: words(
        "The key of a button is too long or empty.", "按钮 KEY 长度不正确。", CORRECT_MENU
    ),
    40020: words("The URL of a button is too long.", "按钮 URL 长度不正确。", CORRECT_MENU),
    40021: words("The version of the menu is wrong.", "菜单版本号不正确。", CORRECT_MENU),
    40022: words("The menu has too many levels.", "子菜单级数不正确。", CORRECT_MENU),
    40023: words("A sub-menu has too many buttons.", "子菜单按钮个数不正确。", CORRECT_MENU),
    40024: words(
        "The type of a sub-menu's button is wrong.", "子菜单按钮类型不正确。", CORRECT_MENU
    ),
    40025: words(
        "The name of a sub-menu's button is too long or empty.",
        "子菜单按钮名称长度不正确。",
        CORRECT_MENU,
    ),
    40026: words(
        "The key of a sub-menu's button is too long or empty.",
        "子菜单按钮 KEY 长度不正确。",
        CORRECT_MENU,
    ),
    40027: words(
        "The URL of a sub-menu's button is too long.", "子菜单按钮 URL 长度不正确。", CORRECT_MENU
    ),
    40028: words("The person of the menu is wrong.", "自定义菜单使用用户不正确。", CORRECT_MENU),
    40054: words(
        "The domain of a sub-menu's URL is not allowed.",
        "子菜单按钮 URL 域名不合法。",
        CORRECT_MENU,
    ),
    40055: words(
        "The domain of a button's URL is not allowed.", "菜单按钮 URL 域名不合法。", CORRECT_MENU
    ),
    40114: words("The index of the article is wrong.", "文章序号不正确。", CORRECT_ARTICLE),
    40119: words("The type of a button is wrong.", "按钮类型错误。", CORRECT_MENU),
    41039: words(
        "The source URL of the article is wrong.", "content_source_url 不正确。", CORRECT_ARTICLE
    ),
    45064: words(
        "The menu opens a mini-program that is not linked.",
        "菜单中的小程序未关联。",
        LINK_MINI_PROGRAM,
    ),
    45166: words(
        "The content of the article is not accepted.", "文章内容不合法。", CORRECT_ARTICLE
    ),
    46002: words("The version of the menu does not exist.", "菜单版本不存在。", _NO_MENU),
    46003: words("The account has no menu.", "菜单不存在。", _NO_MENU),
    53404: words(
        "The account may not use goods in articles.", "账号被限制带货能力。", CORRECT_ARTICLE
    ),
    53405: words("The goods of the article are wrong.", "文章的商品数据错误。", CORRECT_ARTICLE),
    53406: words("Goods in articles are not switched on.", "未开通带货能力。", CORRECT_ARTICLE),
    53503: words(
        "The draft has not passed WeChat's check.", "草稿未通过发布检查。", CORRECT_ARTICLE
    ),
    53504: words(
        "The article has to be published in the console.",
        "需前往公众平台官网使用草稿。",
        _IN_CONSOLE,
    ),
    53505: words(
        "The draft has to be saved by hand first.", "请手动保存后再发布草稿。", _IN_CONSOLE
    ),
    53600: words("The id of the article is wrong.", "article_id 不正确。", CORRECT_ARTICLE),
    65301: words("The conditional menu does not exist.", "个性化菜单不存在。", CORRECT_MENU),
    65302: words(
        "The person does not exist.",
        "没有相应的用户。",
        Both("Use the OpenID of a follower of this account.", "请使用本公众号关注者的 OpenID。"),
    ),
    65303: words(
        "The account has no default menu, which conditional ones need.",
        "没有默认菜单，不能创建个性化菜单。",
        CORRECT_MENU,
    ),
    65304: words(
        "The conditional menu has no condition.", "个性化菜单的匹配规则为空。", CORRECT_MENU
    ),
    65305: words(
        "The account has too many conditional menus.", "个性化菜单数量受限。", CORRECT_MENU
    ),
    65306: words("The account may not use conditional menus.", "该账号不支持个性化菜单。", RIGHTS),
    65307: words("The conditional menu is empty.", "个性化菜单信息为空。", CORRECT_MENU),
    65308: words("A button of the menu has no action.", "菜单中有未响应类型的按钮。", CORRECT_MENU),
    65309: words(
        "Conditional menus are switched off.",
        "个性化菜单开关处于关闭状态。",
        Both("Switch them on in WeChat's console.", "请在公众平台开启个性化菜单。"),
    ),
    65310: words("The country of a condition is empty.", "匹配规则的国家为空。", CORRECT_MENU),
    65311: words("The province of a condition is empty.", "匹配规则的省份为空。", CORRECT_MENU),
    65312: words("The country of a condition is wrong.", "匹配规则的国家不正确。", CORRECT_MENU),
    65313: words("The province of a condition is wrong.", "匹配规则的省份不正确。", CORRECT_MENU),
    65314: words("The city of a condition is wrong.", "匹配规则的城市不正确。", CORRECT_MENU),
    65316: words(
        "The conditional menus open more than three domains.",
        "个性化菜单的外链域名超过三个。",
        CORRECT_MENU,
    ),
    65317: words(
        "A URL of the conditional menu is wrong.", "个性化菜单的 URL 不合法。", CORRECT_MENU
    ),
    65320: words(
        "A condition uses what WeChat removed for privacy.",
        "匹配规则使用了因隐私已移除的字段。",
        CORRECT_MENU,
    ),
    88000: words("The account has no right to comments.", "该账号没有留言权限。", RIGHTS),
}
