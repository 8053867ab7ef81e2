"""What arrives, for the live list: one query a second for all browsers of a process."""

from collections.abc import Sequence
from datetime import date, tzinfo
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

from starlette.datastructures import State

from app.callback import message_store
from app.callback.message_filter import MessageRow
from app.console.live_list import LiveList
from app.db.engine import Database

# More are read than returned, so that a push which is committed late is found among them.
MAX_READ: Final = 200
MAX_ROWS: Final = 50
# A push may be committed this much later than one that came after it.
OVERLAP_MS: Final = 10_000

_TIME_SHIFT: Final = 80  # a UUIDv7 begins with 48 bits of milliseconds


class Day(NamedTuple):
    """The messages of one day, the newest first."""

    day: date
    rows: Sequence[MessageRow]


class MessageFeed:
    """Reads what has arrived since it was asked last.

    Ids are in the order of arrival, not of commit: each poll reads a part again, and leaves out
    what it has returned before. Of more than MAX_ROWS in a second only the newest are returned.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._latest = UUID(int=0)
        self._seen: set[UUID] = set()

    async def start(self) -> None:
        """Begin with what arrives from now on."""
        async with self._database.sessions.begin() as session:
            self._latest = await message_store.newest_id(session) or UUID(int=0)
            rows = await message_store.since(session, overlapping(self._latest), MAX_READ)
        self._seen = {row.id for row in rows}

    async def poll(self) -> Sequence[MessageRow]:
        """Return what has arrived, the newest first."""
        lower = overlapping(self._latest)
        async with self._database.sessions.begin() as session:
            rows = await message_store.since(session, lower, MAX_READ)
        found = [row for row in rows if row.id not in self._seen]
        self._latest = max([self._latest, *(row.id for row in found)])
        self._seen = {one for one in self._seen if one >= lower} | {row.id for row in found}
        return found[:MAX_ROWS]


async def missed_since(database: Database, latest: UUID) -> Sequence[MessageRow]:
    """Return up to MAX_READ messages that came after one, the newest first, and some before it."""
    async with database.sessions.begin() as session:
        return await message_store.since(session, overlapping(latest), MAX_READ)


def overlapping(latest: UUID) -> UUID:
    """Return the id from which on has to be read for what was committed after the latest id."""
    milliseconds = max(0, (latest.int >> _TIME_SHIFT) - OVERLAP_MS)
    return UUID(int=milliseconds << _TIME_SHIFT)


def live_messages(state: State) -> LiveList[MessageRow]:
    """Return the live list of this process. state: of the application, with its `database`."""
    found: LiveList[MessageRow] | None = getattr(state, "live_messages", None)
    if found is None:
        feed = MessageFeed(state.database)
        found = state.live_messages = LiveList(feed.start, feed.poll, id_of=lambda row: str(row.id))
    return found


def by_day(rows: Sequence[MessageRow], zone: tzinfo) -> list[Day]:
    """Return messages in groups of one day in a time zone, in their order."""
    days = groupby(rows, key=lambda row: row.received_at.astimezone(zone).date())
    return [Day(day, list(found)) for day, found in days]
