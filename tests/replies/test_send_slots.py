"""A worker sends so many replies at once, and of one account fewer."""

import asyncio

from app.replies.send_slots import SendSlots


class Sends:
    """Sends that go on until they are ended."""

    def __init__(self, slots: SendSlots) -> None:
        self._slots = slots
        self.running: list[str] = []
        self._end = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def _one(self, appid: str) -> None:
        async with self._slots.take(appid):
            self.running.append(appid)
            await self._end.wait()

    async def begin(self, *appids: str) -> None:
        self.tasks += [asyncio.create_task(self._one(appid)) for appid in appids]
        for _ in range(10):
            await asyncio.sleep(0)

    async def end(self) -> None:
        self._end.set()
        await asyncio.gather(*self.tasks)


async def test_an_account_that_fills_its_room_leaves_that_of_the_others() -> None:
    sends = Sends(SendSlots(4, 2))
    await sends.begin("a", "a", "a", "a", "b", "c", "c")

    assert sends.running == ["a", "a", "b", "c"]
    await sends.end()
    assert sorted(sends.running) == ["a", "a", "a", "a", "b", "c", "c"]
