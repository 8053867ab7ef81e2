"""A worker sends so many replies at once, and of one account fewer."""

import asyncio

from app.replies.send_slots import SendSlots, SlotsClosed


class Sends:
    """Sends that go on until they are ended."""

    def __init__(self, slots: SendSlots) -> None:
        self._slots = slots
        self.running: list[str] = []
        self._end = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def _one(self, appid: str, *, urgent: bool) -> None:
        async with self._slots.take(appid, urgent=urgent):
            self.running.append(appid.upper() if urgent else appid)
            await self._end.wait()

    async def begin(self, *appids: str, urgent: bool = False) -> None:
        self.tasks += [asyncio.create_task(self._one(appid, urgent=urgent)) for appid in appids]
        await turns()

    def end_all(self) -> None:
        self._end.set()

    async def end(self) -> None:
        self.end_all()
        await asyncio.gather(*self.tasks)


async def turns() -> None:
    """Let every task do what it can do now."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_account_that_fills_its_room_leaves_that_of_the_others() -> None:
    sends = Sends(SendSlots(4, 2))
    await sends.begin("a", "a", "a", "a", "b", "c", "c")

    assert sends.running == ["a", "a", "b", "c"]
    await sends.end()
    assert sorted(sends.running) == ["a", "a", "a", "a", "b", "c", "c"]


async def test_what_is_urgent_goes_before_what_waits_already() -> None:
    sends = Sends(SendSlots(1, 1))
    await sends.begin("a", "a", "a")
    await sends.begin("a", "a", urgent=True)

    await sends.end()
    assert sends.running == ["a", "A", "A", "a", "a"]


async def test_what_is_urgent_goes_before_what_waits_of_other_accounts() -> None:
    sends = Sends(SendSlots(1, 1))
    await sends.begin("a", "b", "c")
    await sends.begin("d", urgent=True)

    await sends.end()
    assert sends.running == ["a", "D", "b", "c"]


async def test_no_room_is_lost_with_those_that_are_cancelled() -> None:
    sends = Sends(SendSlots(1, 1))
    await sends.begin("a", "a", "a", "a")
    first, before, given, last = sends.tasks
    before.cancel()
    await turns()
    first.cancel()
    # The place is given to the third one, which is cancelled before it can use it.
    await asyncio.sleep(0)
    given.cancel()
    await turns()

    assert sends.running == ["a", "a"]
    assert not last.done()
    await asyncio.gather(*sends.tasks[:3], return_exceptions=True)
    sends.tasks = [last]
    await sends.end()


async def test_once_closed_nobody_gets_in_and_who_is_in_stays() -> None:
    slots = SendSlots(2, 1)
    sends = Sends(slots)
    await sends.begin("a", "a", "b", "c")
    slots.close()
    await sends.begin("a", "d")
    sends.end_all()

    found = await asyncio.gather(*sends.tasks, return_exceptions=True)
    assert [type(one) for one in found] == [
        type(None),
        SlotsClosed,
        type(None),
        SlotsClosed,
        SlotsClosed,
        SlotsClosed,
    ]
    assert sends.running == ["a", "b"]
