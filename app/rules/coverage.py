"""Which events one trigger takes that another one takes as well. Pure."""

from app.rules.places import metres_between
from app.rules.triggers import (
    AnyTrigger,
    LocationTrigger,
    SubscribeMsgTrigger,
    keys_of,
)


def is_broad(trigger: AnyTrigger) -> bool:
    """Tell whether a trigger waits for more than one key."""
    if isinstance(trigger, LocationTrigger | SubscribeMsgTrigger):
        return True
    found = keys_of(trigger)
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
    outer, inner = keys_of(broad), keys_of(narrow)
    if outer is None or inner is None:
        return False
    key, prefix = inner
    return outer[1] is None or (key or prefix or "").startswith(outer[1])
