"""What a process collects is stored while it runs, and nothing is cut off at its end."""

import asyncio

from app.db.background_store import background_store


class Slow:
    """Something whose store is under way when the block ends."""

    def __init__(self) -> None:
        self.at_work = asyncio.Lock()
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.stored: list[str] = []

    async def keep_stored(self) -> None:
        async with self.at_work:
            self.begun.set()
            await self.ended.wait()
            self.stored.append("in the block")
        await asyncio.Event().wait()

    async def rest(self) -> None:
        self.ended.set()
        async with self.at_work:
            return

    async def store(self) -> None:
        self.stored.append("at the end")


async def test_what_is_being_stored_when_the_block_ends_is_not_cut_off() -> None:
    slow = Slow()
    async with background_store(slow):
        await slow.begun.wait()

    assert slow.stored == ["in the block", "at the end"]
