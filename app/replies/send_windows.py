"""Send windows: how many messages a follower's action allows, and how long. Protocol 6.1."""

from datetime import UTC, datetime, timedelta

from app.replies.models import WindowTrigger
from app.settings import Settings
from app.value_class import value_class
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

# WeChat measures by its own clock. Sending stops a little early, so that WeChat does not refuse.
LONG_MARGIN = timedelta(seconds=60)
SHORT_MARGIN = timedelta(seconds=5)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@value_class
class Limits:
    """How many customer-service messages one action allows, and for how long."""

    message_sends: int = 5
    message_life: timedelta = timedelta(hours=48)
    action_sends: int = 3
    action_life: timedelta = timedelta(minutes=1)


@value_class
class OpenedWindow:
    """A window that an action opened. until: when sending stops, with the margin subtracted."""

    trigger: WindowTrigger
    opened_at: datetime
    until: datetime
    sends: int


def limits_from(settings: Settings) -> Limits:
    """Return the limits of the settings. WeChat has changed its limits before."""
    return Limits(
        settings.window_message_sends,
        timedelta(hours=settings.window_message_hours),
        settings.window_action_sends,
        timedelta(seconds=settings.window_action_seconds),
    )


def opened_by(message: Inbound, limits: Limits, *, now: datetime) -> OpenedWindow | None:
    """Return the window that the push opens, or None.

    now: when the push arrived. VIEW and view_miniprogram open no window.
    """
    trigger = _trigger(message)
    if trigger is None:
        return None
    # A CreateTime after now means that WeChat's clock is ahead of this one.
    opened_at = min(datetime.fromtimestamp(message.create_time, UTC), now)
    if trigger is WindowTrigger.MESSAGE:
        until = later(opened_at, limits.message_life - LONG_MARGIN)
        return OpenedWindow(trigger, opened_at, until, limits.message_sends)
    until = later(opened_at, limits.action_life - SHORT_MARGIN)
    return OpenedWindow(trigger, opened_at, until, limits.action_sends)


def later(moment: datetime, life: timedelta) -> datetime:
    """Return `moment + life`, at most END_OF_TIME: a CreateTime may be in the year 9999."""
    return END_OF_TIME if END_OF_TIME - moment < life else moment + life


def _trigger(message: Inbound) -> WindowTrigger | None:
    # A tapped item of a msgmenu is pushed as text, but WeChat counts it as a menu tap.
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
