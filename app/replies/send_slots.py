"""How many replies one worker sends at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class SendSlots:
    """Limits the replies that are being sent at once.

    most: in all. of_account: of one account among them, so that one whose calls are slow leaves
    room for the others. Whoever waits for the room of its account keeps no other account waiting.
    """

    def __init__(self, most: int, of_account: int) -> None:
        self._all = asyncio.Semaphore(most)
        self._of_account = of_account
        self._accounts: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def take(self, appid: str) -> AsyncIterator[None]:
        """Wait for room for one more reply of an account, and hold it while the block runs."""
        account = self._accounts.setdefault(appid, asyncio.Semaphore(self._of_account))
        async with account, self._all:
            yield
