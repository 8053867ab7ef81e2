"""The text of a message about alarms, in the language of its receiver. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.alarms.kinds import KINDS, AlarmKind, KindWords
from app.alarms.models import Alarm, Stage
from app.doctor.checks.registry import CHECKS
from app.wechat.errcodes import Language
from app.wechat.errcodes.words import Both

# The robot of 企业微信 takes 2,048 bytes of text, the others more. Its documentation is at
# https://developer.work.weixin.qq.com/document/path/91770.
MAX_BYTES: Final = 2_000

# Robots of 钉钉 may be told to take only texts with a keyword: the name of the service is in each.
_TITLE: Final = Both("OA Bridge alarms", "OA Bridge 告警")
_STAGES: Final = {
    Stage.BEGAN: Both("[ALARM] ", "【告警】"),
    Stage.LASTS: Both("[STILL] ", "【持续】"),
    Stage.ENDED: Both("[OVER] ", "【恢复】"),
}
_ACCOUNT: Final = Both(" · account {appid}", " · 账号 {appid}")
_SINCE: Final = Both(" · since {began}", " · 开始于 {began}")
_SPAN: Final = Both(" · from {began} to {ended}", " · {began} 至 {ended}")
_AGAIN: Final = Both(
    "Some of this may have arrived before: the last attempt was cut off.",
    "以下内容可能已送达过：上一次发送中断，结果未知。",
)
_TEST: Final = Both(
    "This is a test. Alarms of this service arrive here.",
    "这是一条测试消息。本服务的告警会发送到这里。",
)
_TIME: Final = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Item:
    """What a message says about one alarm. maybe_sent: a message that says it may have arrived."""

    alarm: Alarm
    stage: Stage
    maybe_sent: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its title, its text of at most MAX_BYTES with the title, and its data."""

    title: str
    text: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wording:
    """In what language and zone times and texts are, and where the console is, if it is served."""

    language: Language
    zone: ZoneInfo
    console_url: str | None = None

    def say(self, both: Both) -> str:
        """Return the text of the language."""
        return both.zh if self.language == "zh" else both.en


def fitting(items: Sequence[Item], wording: Wording) -> Sequence[Item]:
    """Return the first items, as many as one message takes; at least one."""
    for count in range(len(items), 1, -1):
        if len(compose(items[:count], wording).text.encode()) <= MAX_BYTES:
            return items[:count]
    return items[:1]


def compose(items: Sequence[Item], wording: Wording) -> Message:
    """Return the message that says all of these."""
    lines = [wording.say(_TITLE)]
    if any(item.maybe_sent for item in items):
        lines.append(wording.say(_AGAIN))
    for item in items:
        lines.append(_line(item, wording))
        if item.stage is not Stage.ENDED:
            lines.append(wording.say(_words(item.alarm).fix))
    if wording.console_url is not None:
        lines.append(wording.console_url)
    data = {"type": "alarms", "items": [_data(item, wording) for item in items]}
    return Message(_title(items, wording), "\n".join(lines), data)


def message_of_test(wording: Wording) -> Message:
    """Return the message of the test button."""
    title, text = wording.say(_TITLE), wording.say(_TEST)
    return Message(title, f"{title}\n{text}", {"type": "test", "items": []})


def sentence(alarm: Alarm, language: Language) -> str:
    """Return what an alarm says, in one sentence."""
    words = _words(alarm)
    what = words.what.zh if language == "zh" else words.what.en
    return what.format(
        value=_number(alarm.value),
        threshold=_number(alarm.threshold),
        subject=_subject(alarm, language),
    )


def _line(item: Item, wording: Wording) -> str:
    alarm = item.alarm
    line = f"{wording.say(_STAGES[item.stage])}{sentence(alarm, wording.language)}"
    if alarm.appid:
        line += wording.say(_ACCOUNT).format(appid=alarm.appid)
    began = _shown(alarm.began_at, wording)
    if item.stage is Stage.ENDED and alarm.ended_at is not None:
        ended = _shown(alarm.ended_at, wording)
        return line + wording.say(_SPAN).format(began=began, ended=ended)
    return line + wording.say(_SINCE).format(began=began)


def _title(items: Sequence[Item], wording: Wording) -> str:
    first = items[0]
    further = f" (+{len(items) - 1})" if len(items) > 1 else ""
    what = wording.say(_STAGES[first.stage]) + wording.say(_words(first.alarm).title)
    return f"{wording.say(_TITLE)}: {what}{further}"


def _data(item: Item, wording: Wording) -> dict[str, Any]:
    alarm = item.alarm
    return {
        "id": str(alarm.id),
        "stage": item.stage.value,
        "kind": alarm.kind,
        "appid": alarm.appid or None,
        "subject": alarm.subject,
        "value": alarm.value,
        "threshold": alarm.threshold,
        "began_at": alarm.began_at.isoformat(),
        "ended_at": None if alarm.ended_at is None else alarm.ended_at.isoformat(),
        "maybe_sent_before": item.maybe_sent,
        "text": sentence(alarm, wording.language),
    }


def _words(alarm: Alarm) -> KindWords:
    return KINDS[AlarmKind(alarm.kind)]


def _subject(alarm: Alarm, language: Language) -> str:
    if alarm.kind != AlarmKind.DOCTOR or alarm.subject not in CHECKS:
        return alarm.subject
    title = CHECKS[alarm.subject].title
    return title.zh if language == "zh" else title.en


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _shown(moment: datetime, wording: Wording) -> str:
    return f"{moment.astimezone(wording.zone):{_TIME}}"
