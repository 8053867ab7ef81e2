"""The list behind each step of the funnel. Pure."""

from datetime import datetime, time
from urllib.parse import urlencode

from app.funnel.steps import DoorKind, Step
from app.stats.date_range import DateRange


def list_of(step: Step, kind: DoorKind, door: str, days: DateRange, appid: str | None) -> str:
    """Return the path below the console of the list that has what reached a step.

    Launches and conversions are listed by the day on which they happened, which may be later.
    """
    if step in {Step.OPENED, Step.CONVERTED}:
        return "/arrivals"
    if kind is DoorKind.NOTICE:
        return f"/notices/sends/{door}" if door else "/notices"
    if step is Step.FOLLOWED:
        return f"/qrcodes/{door}" if door else "/qrcodes"
    fields = {
        "appid": appid,
        "rule": door if kind is DoorKind.RULE else None,
        "fate": "sent" if step is Step.SENT else None,
        "since": datetime.combine(days.since, time()).isoformat(timespec="minutes"),
        "until": datetime.combine(days.until, time(23, 59)).isoformat(timespec="minutes"),
    }
    return f"/messages?{urlencode({k: v for k, v in fields.items() if v})}"


def page_of(kind: DoorKind, door: str) -> str | None:
    """Return the path of the page about a door; None if it has none of its own."""
    pages = {
        DoorKind.RULE: "/rules",
        DoorKind.QRCODE: "/qrcodes",
        DoorKind.LINK: "/links",
        DoorKind.NOTICE: "/notices/sends",
    }
    return f"{pages[kind]}/{door}" if kind in pages else None
