"""Places and circles around them, on a round earth."""

from math import asin, cos, radians, sin, sqrt
from typing import Final

from app.rules.triggers import LocationTrigger
from app.wechat import inbound
from app.wechat.inbound import Inbound

EARTH_METRES: Final = 6_371_008.8
_MOST_LATITUDE, _MOST_LONGITUDE = 90, 180

Point = tuple[float, float]
"""Latitude and longitude in degrees."""


def place_of(message: Inbound) -> Point | None:
    """Return where the follower is, or the place that was sent; None if it can't be read."""
    match message:
        case inbound.Location(location_x=latitude, location_y=longitude):
            return _point(latitude, longitude)
        case inbound.LocationReport(latitude=latitude, longitude=longitude):
            return _point(latitude, longitude)
    return None


def metres_between(one: Point, other: Point) -> float:
    """Return the length of the great circle between two points."""
    north, east = radians(other[0] - one[0]), radians(other[1] - one[1])
    bow = sin(north / 2) ** 2 + cos(radians(one[0])) * cos(radians(other[0])) * sin(east / 2) ** 2
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(bow)))


def lies_within(trigger: LocationTrigger, point: Point) -> bool:
    """Tell whether a point lies in the trigger's circle, its edge included."""
    centre = (trigger.latitude, trigger.longitude)
    return metres_between(centre, point) <= trigger.radius_metres


def _point(latitude: str | None, longitude: str | None) -> Point | None:
    try:
        point = float(latitude or ""), float(longitude or "")
    except ValueError:
        return None
    inside = abs(point[0]) <= _MOST_LATITUDE and abs(point[1]) <= _MOST_LONGITUDE
    return point if inside else None
