"""One at a time, and nothing kept of it."""

import contextlib
import gc
import weakref

from app.wechat_client.single_flight import SingleFlight


class Picture:
    """Megabytes."""


async def test_a_failure_that_nobody_waits_for_holds_on_to_nothing() -> None:
    single_flight = SingleFlight()
    pictures: list[weakref.ref[Picture]] = []

    async def refused() -> None:
        picture = Picture()
        pictures.append(weakref.ref(picture))
        async with single_flight.run("a picture"):
            raise ValueError("refused")

    with contextlib.suppress(ValueError):
        await refused()
    gc.collect()

    assert [picture() for picture in pictures] == [None]
