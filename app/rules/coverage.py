"""Which events one trigger takes that another one takes as well. Pure."""

from app.rules.places import metres_between
from app.rules.triggers import (
    AnyTrigger,
    LocationTrigger,
    ScanTrigger,
    SubscribeMsgTrigger,
    SubscribeTrigger,
    ViewMiniProgramTrigger,
    ViewTrigger,
)


def is_broad(trigger: AnyTrigger) -> bool:
    """Tell whether a trigger waits for more than one key."""
    if isinstance(trigger, LocationTrigger | SubscribeMsgTrigger):
        return True
    found = _keys(trigger)
    return found is not None and found[0] is None


def covers(broad: AnyTrigger, narrow: AnyTrigger) -> bool:
    """Tell whether a broad trigger takes every event that `narrow` takes."""
    match broad, narrow:
        case LocationTrigger(), LocationTrigger():
            one, other = ((each.latitude, each.longitude) for each in (broad, narrow))
            return metres_between(one, other) + narrow.radius_metres <= broad.radius_metres
        case SubscribeMsgTrigger(), SubscribeMsgTrigger():
            return broad.template in {None, narrow.template} and (
                broad.status in {None, narrow.status}
            )
    if broad.on != narrow.on:
        return False
    outer, inner = _keys(broad), _keys(narrow)
    if outer is None or inner is None:
        return False
    key, prefix = inner
    return outer[1] is None or (key or prefix or "").startswith(outer[1])


def _keys(trigger: AnyTrigger) -> tuple[str | None, str | None] | None:
    """Return the key and the prefix that a trigger wants; None if it has no such members."""
    match trigger:
        case SubscribeTrigger() | ScanTrigger():
            return trigger.scene, trigger.scene_prefix
        case ViewTrigger():
            return trigger.url, trigger.url_prefix
        case ViewMiniProgramTrigger():
            return trigger.pagepath, trigger.pagepath_prefix
    return None
