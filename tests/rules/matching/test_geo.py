"""The index of circles finds what comparing with every circle finds."""

from hypothesis import given
from hypothesis import strategies as st

from app.rules.definition.event_triggers import LocationTrigger
from app.rules.matching.geo import CircleIndex, lies_within

DEGREE_METRES = 111_195  # along a meridian


@given(
    st.floats(-60, 60),
    st.floats(-170, 170),
    st.floats(1, 50_000),
    st.lists(st.floats(-1.2, 1.2), min_size=1, max_size=20),
)
def test_a_circle_is_found_from_the_north_and_from_the_south(
    latitude: float, longitude: float, radius: float, offsets: list[float]
) -> None:
    circle = LocationTrigger(
        on="location", latitude=latitude, longitude=longitude, radius_metres=radius
    )
    index = CircleIndex([(7, circle)])

    for offset in [*offsets, -0.99, 0.99]:
        point = latitude + offset * radius / DEGREE_METRES, longitude
        assert [*index.around(point)] == ([7] if lies_within(circle, point) else [])
