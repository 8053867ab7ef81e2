"""The kinds of alarms: what each is called, its unit, its default, and what is to be done. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.datacube.compare import TOLERANCE
from app.wechat.errcodes.words import Both


class AlarmKind(StrEnum):
    """What an alarm is about. A name never changes, since rows hold it."""

    NO_PUSH = "no_push"
    QUEUE_AGE = "queue_age"
    REFUSALS = "refusals"
    SEND_FAILURES = "send_failures"
    QUOTA = "quota"
    CODE_POOL = "code_pool"
    FIGURES_DIFFER = "figures_differ"
    DOCTOR = "doctor"


class Unit(StrEnum):
    """In what a figure is measured. fault: it is 1, and there is no threshold to set."""

    MINUTES = "minutes"
    COUNT = "count"
    PERCENT = "percent"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class KindWords:
    """A kind of alarm.

    what: one sentence, with `{value}`, `{threshold}` and perhaps `{subject}`. fix: what to do.
    default: the threshold that holds until one is set; None: what is usual for the account. least,
    most: bounds of what may be set. by_account: whether an account may have a threshold of its own.
    """

    title: Both
    what: Both
    fix: Both
    unit: Unit
    default: float | None
    least: float = 1
    most: float = 1_000_000
    by_account: bool = True


KINDS: Final[Mapping[AlarmKind, KindWords]] = {
    AlarmKind.NO_PUSH: KindWords(
        Both("No push from WeChat", "没有收到微信推送"),
        Both(
            "No push for {value} minutes (threshold: {threshold})",
            "已 {value} 分钟没有收到推送（阈值 {threshold}）",
        ),
        Both(
            "Check the server configuration in WeChat's console and whether this service can be "
            "reached; oa-bridge doctor tells more.",
            "请检查公众平台的服务器配置，以及微信能否访问本服务；oa-bridge doctor 有详细说明。",
        ),
        Unit.MINUTES,
        default=None,
        most=43_200,
    ),
    AlarmKind.QUEUE_AGE: KindWords(
        Both("Jobs wait too long", "任务等待过久"),
        Both(
            "A job has been due for {value} minutes (threshold: {threshold})",
            "有任务已等待 {value} 分钟（阈值 {threshold}）",
        ),
        Both(
            "Look at the log of the worker, or start a further one.",
            "请查看 worker 的日志，或再启动一个 worker。",
        ),
        Unit.MINUTES,
        default=10,
        most=43_200,
        by_account=False,
    ),
    AlarmKind.REFUSALS: KindWords(
        Both("Pushes are refused", "推送被拒绝"),
        Both(
            "{value} pushes were refused in this hour and the one before (threshold: {threshold})",
            "本小时与上一小时共有 {value} 次推送被拒绝（阈值 {threshold}）",
        ),
        Both(
            "Compare Token and EncodingAESKey with WeChat's console; oa-bridge doctor names the "
            "reasons.",
            "请核对公众平台的令牌与 EncodingAESKey；oa-bridge doctor 会列出原因。",
        ),
        Unit.COUNT,
        default=20,
    ),
    AlarmKind.SEND_FAILURES: KindWords(
        Both("Messages can't be sent", "消息发送失败"),
        Both(
            "{value} messages of the last hour have failed (threshold: {threshold})",
            "最近一小时有 {value} 条消息发送失败（阈值 {threshold}）",
        ),
        Both(
            "The messages' pages name the errcode of each and what to do about it.",
            "消息页面列出每条消息的 errcode 与处理办法。",
        ),
        Unit.COUNT,
        default=10,
    ),
    AlarmKind.QUOTA: KindWords(
        Both("A quota is nearly used up", "接口额度即将用完"),
        Both(
            "{value} % of today's quota of {subject} is used (threshold: {threshold} %)",
            "今日接口 {subject} 的额度已用 {value}%（阈值 {threshold}%）",
        ),
        Both(
            "Find out which program calls it so often; oa-bridge quota clears quotas ten times a "
            "month at most.",
            "请找出频繁调用的程序；oa-bridge quota 可清零额度，每月最多十次。",
        ),
        Unit.PERCENT,
        default=80,
        most=100,
    ),
    AlarmKind.CODE_POOL: KindWords(
        Both("Codes of a campaign run out", "活动的兑换码即将用完"),
        Both(
            "Campaign {subject} has few codes left, or none",
            "活动“{subject}”的兑换码所剩无几或已用完",
        ),
        Both(
            "Import or draw more codes on the campaign's page; its form sets how few are a reason "
            "to warn.",
            "请在活动页面导入或生成更多兑换码；剩余多少时提醒可在活动中设置。",
        ),
        Unit.FAULT,
        default=1,
        by_account=False,
    ),
    AlarmKind.FIGURES_DIFFER: KindWords(
        Both("Figures differ from WeChat's", "数字与微信不一致"),
        Both(
            "WeChat's figure {subject} and ours differ by {value} % (threshold: {threshold} %)",
            "微信的数字 {subject} 与本服务相差 {value}%（阈值 {threshold}%）",
        ),
        Both(
            "The check wechat-figures of the page Doctor names the day, and what to do about "
            "pushes that are lost.",
            "“体检”页面的检查项 wechat-figures 会说明是哪一天，以及推送丢失时的处理办法。",
        ),
        Unit.PERCENT,
        default=100 * TOLERANCE,
        least=100 * TOLERANCE,
        most=100,
    ),
    AlarmKind.DOCTOR: KindWords(
        Both("The doctor has found a fault", "体检发现故障"),
        Both("The doctor finds a fault: {subject}", "体检发现故障：{subject}"),
        Both(
            "The page Doctor of the console, or oa-bridge doctor, says what to do.",
            "控制台的“体检”页面或 oa-bridge doctor 会说明处理办法。",
        ),
        Unit.FAULT,
        default=1,
        by_account=False,
    ),
}
