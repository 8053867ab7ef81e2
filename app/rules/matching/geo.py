"""Distances on the earth, taken as a sphere, and the circles that contain a point."""

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
    """Return the location that a follower sent or reported; None without a valid one."""
    match message:
        case inbound.Location(location_x=latitude, location_y=longitude):
            return _point(latitude, longitude)
        case inbound.LocationReport(latitude=latitude, longitude=longitude):
            return _point(latitude, longitude)
    return None


def metres_between(one: Point, other: Point) -> float:
    """Return the great-circle distance between two points in metres (haversine formula)."""
    north, east = radians(other[0] - one[0]), radians(other[1] - one[1])
    haversine = (
        sin(north / 2) ** 2 + cos(radians(one[0])) * cos(radians(other[0])) * sin(east / 2) ** 2
    )
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(haversine)))


def lies_within(trigger: LocationTrigger, point: Point) -> bool:
    """Tell whether a point lies in the trigger's circle or on its edge."""
    return are_near(centre_of(trigger), point, trigger.radius_metres)


def are_near(one: Point, other: Point, metres: float) -> bool:
    """Tell whether two points are at most `metres` apart."""
    # The distance along the meridian is cheap to compute and never longer than the real one.
    north = EARTH_METRES * radians(abs(one[0] - other[0]))
    return north <= metres + _ROUNDING_METRES and metres_between(one, other) <= metres


def centre_of(trigger: LocationTrigger) -> Point:
    """Return the centre of the trigger's circle."""
    return trigger.latitude, trigger.longitude


class CircleIndex:
    """Circles, each with a number, indexed by latitude and size.

    The earth is cut into rows of equal height along the latitudes. Circles of similar radius share
    one division into rows that are higher than their radius, so that a point can only lie in the
    circles of its own row and of the two rows next to it.
    """

    def __init__(self, circles: Iterable[tuple[int, LocationTrigger]] = ()) -> None:
        self._rows: dict[tuple[int, int], list[tuple[int, LocationTrigger]]] = {}
        self._sizes: set[int] = set()
        for number, circle in circles:
            self.add(number, circle)

    def add(self, number: int, circle: LocationTrigger) -> None:
        """Add a circle with its number."""
        _, size = frexp(circle.radius_metres + _ROUNDING_METRES)
        self._sizes.add(size)
        self._rows.setdefault((size, _row(circle.latitude, size)), []).append((number, circle))

    def reaching(self, latitude: float) -> Iterator[tuple[int, LocationTrigger]]:
        """Yield all circles that reach this latitude, and some that do not."""
        for size in self._sizes:
            row = _row(latitude, size)
            for near in (row - 1, row, row + 1):
                yield from self._rows.get((size, near), ())

    def around(self, point: Point) -> Iterator[int]:
        """Yield the numbers of the circles that contain a point."""
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
