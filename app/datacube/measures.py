"""What is compared: how each figure is read of WeChat's rows and of ours, and why they may differ.

Source: linkage 10.2 and 10.3.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final

from app.datacube.models import PushDay, VisitDay
from app.wechat.datacube import FigureCall
from app.wechat.errcodes import Language

Rows = Sequence[Mapping[str, Any]]

QR_CODE: Final = 30
# The scenes that WeChat counts for a source. It does not say all of those of web pages (39).
SCENES: Final[Mapping[int, Sequence[int]]] = {
    5: (1020,),
    11: (1014, 1043, 1107, 1162),
    13: (1035, 1102, 1130),
    18: (1058, 1091),
    27: (1074, 1076, 1082, 1152),
}
COMPARED_SCENES: Final = frozenset(chain.from_iterable(SCENES.values()))
FOLLOWED: Final = "followed"
MESSAGES: Final = "messages"
FOLLOWERS: Final = "followers"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a day.

    theirs: of the rows of `call`; None if WeChat says nothing. ours: of the pushes of the day;
    reported: of the launches that a mini-program reported for it; both None if the service does not
    count it, or reads it elsewhere. both are equal unless pushes are lost if `exact`. total: of
    several days. label, expected: what it is, and which difference is to be expected, by language.
    """

    name: str
    call: FigureCall
    theirs: Callable[[Rows], int | None]
    ours: Callable[[PushDay], int] | None
    label: Mapping[Language, str]
    expected: Mapping[Language, str]
    reported: Callable[[VisitDay], int | None] | None = None
    exact: bool = False
    total: Callable[[Sequence[int]], int] = sum


def _sum(member: str, **wanted: int) -> Callable[[Rows], int]:
    """Return a function that adds up a member of the rows that have these values."""

    def add_up(rows: Rows) -> int:
        return sum(
            int(row[member])
            for row in rows
            if all(row.get(name) == value for name, value in wanted.items())
        )

    return add_up


def _known(member: str) -> Callable[[Rows], int | None]:
    """Return a function that reads a member of the only row; None if there is no row."""
    return lambda rows: int(rows[0][member]) if rows else None


def _last(values: Sequence[int]) -> int:
    return values[-1]


def _mean(values: Sequence[int]) -> int:
    return round(sum(values) / len(values))


def _mean_ms(rows: Rows) -> int | None:
    count, cost = _sum("callback_count")(rows), _sum("total_time_cost")(rows)
    return round(cost / count) if count else None


def _messages_of(
    name: str, number: int, ours: Callable[[PushDay], int], en: str, zh: str
) -> Measure:
    return Measure(
        name,
        FigureCall.UPSTREAM_MESSAGES,
        _sum("msg_count", msg_type=number),
        ours,
        {"en": en, "zh": zh},
        {"en": "Both should be equal.", "zh": "两者应当相等。"},
    )


def _sessions_of(name: str, key: int, en: str, zh: str) -> Measure:
    scenes = SCENES.get(key)
    return Measure(
        name,
        FigureCall.VISIT_DISTRIBUTION,
        _sum("value", key=key),
        None,
        {"en": en, "zh": zh},
        {
            "en": "Which scenes WeChat counts here is not known in full, so there is no figure of "
            "ours.",
            "zh": "微信未完整公布此项包含哪些场景值，因此没有本服务的数字。",
        }
        if scenes is None
        else {
            "en": "WeChat counts sessions, from opening to the background. Ours has the launches "
            f"with the scenes {', '.join(map(str, scenes))} that the backend of the mini-program "
            "reports within two days: lower if some are not reported, higher if it reports a "
            "return from the background, too.",
            "zh": "微信按会话统计，从打开到进入后台为一次。本服务只计小程序后台在两天内上报的启动，"
            f"且场景值为 {'、'.join(map(str, scenes))}："
            "未全部上报时偏少，把从后台返回也上报时偏多。",
        },
        reported=None if scenes is None else partial(_launches_of, scenes),
    )


def _launches_of(scenes: Sequence[int], day: VisitDay) -> int | None:
    if day.scenes is None:
        return None
    return sum(day.scenes.get(str(scene), 0) for scene in scenes)


def _messages(day: PushDay) -> int:
    return day.texts + day.images + day.voices + day.videos + day.links


MEASURES: Final[Sequence[Measure]] = (
    Measure(
        FOLLOWED,
        FigureCall.USER_SUMMARY,
        _sum("new_user"),
        lambda day: day.follows,
        {"en": "New follows", "zh": "新增关注"},
        {
            "en": "Both should be equal. Ours is lower if pushes are lost after all of WeChat's "
            "attempts; somebody who follows twice on one day may count once at WeChat.",
            "zh": "两者应当相等。推送在微信多次重试后仍丢失时，本服务偏少；"
            "同一天多次关注的用户，微信可能只计一次。",
        },
        exact=True,
    ),
    Measure(
        "unfollowed",
        FigureCall.USER_SUMMARY,
        _sum("cancel_user"),
        lambda day: day.unfollows,
        {"en": "Unfollows", "zh": "取消关注"},
        {
            "en": "Both should be equal, but for somebody who leaves twice on one day.",
            "zh": "除同一天多次取消关注的用户外，两者应当相等。",
        },
    ),
    Measure(
        "followed_by_qrcode",
        FigureCall.USER_SUMMARY,
        _sum("new_user", user_source=QR_CODE),
        lambda day: day.qr_follows,
        {"en": "Follows by QR code", "zh": "扫码关注"},
        {
            "en": "WeChat's is higher: it includes the plain code of the account. Ours has "
            "parameterised codes alone, and only while the scene is not erased.",
            "zh": "微信偏多：其中包含公众号的普通二维码。本服务只计带参数的二维码，"
            "且场景值尚未被删除的关注。",
        },
    ),
    Measure(
        FOLLOWERS,
        FigureCall.USER_CUMULATE,
        _known("cumulate_user"),
        None,
        {"en": "Followers at the end of the day", "zh": "当日结束时的粉丝数"},
        {
            "en": "Ours is right after a follower sync; followers from before the service are "
            "missing without one. The moment of measuring may differ.",
            "zh": "粉丝同步之后本服务的数字才完整；未同步时缺少部署之前的粉丝。统计时刻可能不同。",
        },
        total=_last,
    ),
    Measure(
        MESSAGES,
        FigureCall.UPSTREAM_MESSAGES,
        _sum("msg_count"),
        _messages,
        {"en": "Messages", "zh": "消息"},
        {
            "en": "Texts, pictures, voices, videos and links. Both should be equal; ours is lower "
            "if pushes are lost. Taps on menus are no messages; locations and short videos have no "
            "number at WeChat and are left out.",
            "zh": "文本、图片、语音、视频和链接。两者应当相等；推送丢失时本服务偏少。"
            "菜单点击不是消息；位置和小视频在微信没有编号，不计入。",
        },
        exact=True,
    ),
    _messages_of("texts", 1, lambda day: day.texts, "Texts", "文本"),
    _messages_of("images", 2, lambda day: day.images, "Pictures", "图片"),
    _messages_of("voices", 3, lambda day: day.voices, "Voices", "语音"),
    _messages_of("videos", 4, lambda day: day.videos, "Videos", "视频"),
    _messages_of("links", 6, lambda day: day.links, "Links", "链接"),
    Measure(
        "pushes",
        FigureCall.INTERFACE_SUMMARY,
        _sum("callback_count"),
        lambda day: day.pushes,
        {"en": "Pushes", "zh": "推送"},
        {
            "en": "WeChat may count each repeated delivery; ours has each push once.",
            "zh": "微信可能把每次重试都计入；本服务每条推送只计一次。",
        },
    ),
    Measure(
        "failed_pushes",
        FigureCall.INTERFACE_SUMMARY,
        _sum("fail_count"),
        lambda day: day.refused,
        {"en": "Pushes that failed", "zh": "失败的推送"},
        {
            "en": "Ours counts requests that were refused, those of strangers among them. If "
            "WeChat's is higher, pushes do not reach the service, or not in 5 seconds.",
            "zh": "本服务统计被拒绝的请求，包括陌生人的请求。微信偏多时，"
            "说明推送没有到达本服务，或未在 5 秒内应答。",
        },
    ),
    Measure(
        "mean_milliseconds",
        FigureCall.INTERFACE_SUMMARY,
        _mean_ms,
        None,
        {"en": "Mean time of an answer in ms", "zh": "平均应答耗时（毫秒）"},
        {
            "en": "It includes the network. The service does not store its own time.",
            "zh": "包含网络耗时。本服务不保存自身的耗时。",
        },
        total=_mean,
    ),
    Measure(
        "sessions",
        FigureCall.VISIT_TREND,
        _known("session_cnt"),
        None,
        {"en": "Sessions", "zh": "打开次数"},
        {
            "en": "WeChat's is of the whole mini-program, from opening to the background. Ours has "
            "the launches that its backend reports within two days: lower if some are not "
            "reported, higher if it reports a return from the background, too.",
            "zh": "微信的数字是整个小程序的，从打开到进入后台为一次。本服务只计小程序后台在两天内"
            "上报的启动：未全部上报时偏少，把从后台返回也上报时偏多。",
        },
        reported=lambda day: day.launches,
    ),
    Measure(
        "visits",
        FigureCall.VISIT_TREND,
        _known("visit_pv"),
        None,
        {"en": "Visits of pages", "zh": "访问次数"},
        {"en": "Of the whole mini-program.", "zh": "整个小程序的数字。"},
    ),
    Measure(
        "visitors",
        FigureCall.VISIT_TREND,
        _known("visit_uv"),
        None,
        {"en": "Visitors", "zh": "访问人数"},
        {
            "en": "Who comes on two days counts twice. Ours has the people whose OpenID or UnionID "
            "stands in a reported launch: lower if launches are not reported, or name nobody.",
            "zh": "两天都来的人计两次。本服务只计上报的启动中带有 OpenID 或 UnionID 的人："
            "未上报或未带标识时偏少。",
        },
        reported=lambda day: day.people,
    ),
    Measure(
        "new_visitors",
        FigureCall.VISIT_TREND,
        _known("visit_uv_new"),
        None,
        {"en": "New visitors", "zh": "新访问人数"},
        {
            "en": "Of the whole mini-program; who comes on two days counts twice.",
            "zh": "整个小程序的数字；两天都来的人计两次。",
        },
    ),
    _sessions_of("sessions_from_profile", 5, "Sessions from the OA's profile", "来自公众号资料页"),
    _sessions_of("sessions_from_notices", 11, "Sessions from notices", "来自模板消息与订阅通知"),
    _sessions_of("sessions_from_menus", 13, "Sessions from custom menus", "来自自定义菜单"),
    _sessions_of("sessions_from_articles", 18, "Sessions from articles", "来自公众号文章"),
    _sessions_of(
        "sessions_from_conversations",
        27,
        "Sessions from cards and links in conversations",
        "来自会话中的卡片和链接",
    ),
    _sessions_of("sessions_from_web", 39, "Sessions from web pages", "来自网页"),
)
