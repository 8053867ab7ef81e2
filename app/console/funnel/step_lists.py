"""The list behind each step of the funnel. Pure."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from app.funnel.steps import DoorKind, Step, total_door
from app.stats.date_range import DateRange


def list_of(
    step: Step,
    kind: DoorKind,
    door: str,
    days: DateRange,
    appid: str | None,
    campaign: UUID | None = None,
) -> str:
    """Return the path below the console of the list that has what reached a step.

    The list is of the same door and days, and of what was counted. Launches and conversions come
    with all reports of what began on these days, also of those after the windows. campaign: the one
    within which the door is looked at; the list of notices has all of a send.
    """
    if kind is DoorKind.NOTICE and step is Step.SENT:
        return f"/notices/sends/{door}" if door else "/notices"
    name = total_door(kind, door, "" if campaign is None else str(campaign))
    if step in {Step.OPENED, Step.CONVERTED}:
        fields = {
            "kind": "launch" if step is Step.OPENED else "conversion",
            "began": name,
            "account": appid,
            "since": days.since.isoformat(),
            "until": days.until.isoformat(),
        }
        return _path("/arrivals", fields)
    after = datetime.combine(days.until + timedelta(days=1), time())
    fields = {
        "appid": appid,
        "reached": step.value,
        "door": name,
        "since": datetime.combine(days.since, time()).isoformat(timespec="minutes"),
        "until": after.isoformat(timespec="minutes"),
    }
    return _path("/messages", fields)


def notices_of(campaign: str, days: DateRange, appid: str | None) -> str:
    """Return the path of the sends of notices that a campaign counts as sent, beside messages."""
    fields = {
        "by": DoorKind.NOTICE.value,
        "campaign": campaign,
        "appid": appid,
        "since": days.since.isoformat(),
        "until": days.until.isoformat(),
    }
    return _path("/funnel", fields)


def _path(path: str, fields: Mapping[str, str | None]) -> str:
    return f"{path}?{urlencode({name: value for name, value in fields.items() if value})}"


def page_of(kind: DoorKind, door: str) -> str | None:
    """Return the path of the page about a door; None if it has none of its own."""
    pages = {
        DoorKind.RULE: "/rules",
        DoorKind.QRCODE: "/qrcodes",
        DoorKind.LINK: "/links",
        DoorKind.NOTICE: "/notices/sends",
        DoorKind.CAMPAIGN: "/campaigns",
    }
    return f"{pages[kind]}/{door}" if kind in pages else None
