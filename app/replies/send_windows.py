"""Send windows: what a follower's action allows, for how long. Source: protocol 6.1."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.replies.models import WindowTrigger
from app.settings import Settings
from app.wechat.inbound import (
    BaseMessage,
    Click,
    Inbound,
    Scan,
    ScanCodePush,
    ScanCodeWaitMsg,
    Subscribe,
    Text,
)

# WeChat measures by its own clock: stop early rather than be refused.
LONG_MARGIN = timedelta(seconds=60)
SHORT_MARGIN = timedelta(seconds=5)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many customer-service messages one action allows, and for how long."""

    message_sends: int = 5
    message_life: timedelta = timedelta(hours=48)
    action_sends: int = 3
    action_life: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OpenedWindow:
    """A window that an action opened. until: when to stop sending, margin taken off."""

    trigger: WindowTrigger
    opened_at: datetime
    until: datetime
    sends: int


def limits_from(settings: Settings) -> Limits:
    """Return the operator's numbers; the platform has changed them before."""
    return Limits(
        settings.window_message_sends,
        timedelta(hours=settings.window_message_hours),
        settings.window_action_sends,
        timedelta(seconds=settings.window_action_seconds),
    )


def opened_by(message: Inbound, limits: Limits, *, now: datetime) -> OpenedWindow | None:
    """Return the window that the push opens, or None.

    now: when it arrived; a CreateTime after that is WeChat's clock running ahead. A tapped
    msgmenu item arrives as text but counts as a menu tap; VIEW and view_miniprogram open nothing.
    """
    trigger = _trigger(message)
    if trigger is None:
        return None
    opened_at = min(datetime.fromtimestamp(message.create_time, UTC), now)
    if trigger is WindowTrigger.MESSAGE:
        until = later(opened_at, limits.message_life - LONG_MARGIN)
        return OpenedWindow(trigger, opened_at, until, limits.message_sends)
    until = later(opened_at, limits.action_life - SHORT_MARGIN)
    return OpenedWindow(trigger, opened_at, until, limits.action_sends)


def later(moment: datetime, life: timedelta) -> datetime:
    """Return `moment + life`, or the end of time: a CreateTime may be as late as there is."""
    return END_OF_TIME if END_OF_TIME - moment < life else moment + life


def _trigger(message: Inbound) -> WindowTrigger | None:
    if isinstance(message, Text) and message.bizmsgmenuid is not None:
        return WindowTrigger.MENU
    if isinstance(message, BaseMessage):
        return WindowTrigger.MESSAGE
    if isinstance(message, Click | ScanCodePush | ScanCodeWaitMsg):
        return WindowTrigger.MENU
    if isinstance(message, Subscribe):
        return WindowTrigger.FOLLOW
    if isinstance(message, Scan):
        return WindowTrigger.SCAN
    return None
