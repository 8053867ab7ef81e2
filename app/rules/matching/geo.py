"""Places and circles around them, on a round earth."""

from collections.abc import Iterable, Iterator
from math import asin, cos, floor, frexp, radians, sin, sqrt
from typing import Final

from app.rules.definition.triggers import LocationTrigger
from app.wechat import inbound
from app.wechat.inbound import Inbound

EARTH_METRES: Final = 6_371_008.8
_MAX_LATITUDE, _MAX_LONGITUDE = 90, 180
_ROUNDING_METRES: Final = 1.0

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
    return are_near(centre_of(trigger), point, trigger.radius_metres)


def are_near(one: Point, other: Point, metres: float) -> bool:
    """Tell whether two points are no farther apart."""
    north = EARTH_METRES * radians(abs(one[0] - other[0]))
    return north <= metres + _ROUNDING_METRES and metres_between(one, other) <= metres


def centre_of(trigger: LocationTrigger) -> Point:
    """Return the middle of the trigger's circle."""
    return trigger.latitude, trigger.longitude


class Circles:
    """Circles with a number each, by latitude: most of them are too far north or south to fit.

    They are kept in rows around the earth, those of one size in rows higher than their radius.
    """

    def __init__(self, circles: Iterable[tuple[int, LocationTrigger]] = ()) -> None:
        self._rows: dict[tuple[int, int], list[tuple[int, LocationTrigger]]] = {}
        self._sizes: set[int] = set()
        for number, circle in circles:
            self.add(number, circle)

    def add(self, number: int, circle: LocationTrigger) -> None:
        """Add a circle."""
        _, size = frexp(circle.radius_metres + _ROUNDING_METRES)
        self._sizes.add(size)
        self._rows.setdefault((size, _row(circle.latitude, size)), []).append((number, circle))

    def reaching(self, latitude: float) -> Iterator[tuple[int, LocationTrigger]]:
        """Yield all circles that reach as far north or south, and a few others."""
        for size in self._sizes:
            row = _row(latitude, size)
            for near in (row - 1, row, row + 1):
                yield from self._rows.get((size, near), ())

    def around(self, point: Point) -> Iterator[int]:
        """Yield the numbers of the circles that a point lies in."""
        for number, circle in self.reaching(point[0]):
            if lies_within(circle, point):
                yield number


def _row(latitude: float, size: int) -> int:
    return floor(EARTH_METRES * radians(latitude) / 2.0**size)


def _point(latitude: str | None, longitude: str | None) -> Point | None:
    try:
        point = float(latitude or ""), float(longitude or "")
    except ValueError:
        return None
    inside = abs(point[0]) <= _MAX_LATITUDE and abs(point[1]) <= _MAX_LONGITUDE
    return point if inside else None
