"""The ledger of everything that was sent and received, in order."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice


class Kind(StrEnum):
    """The kind of an entry.

    push: a document to push was made. delivery: one attempt to deliver it. api_call: a call of the
    service to WeChat's API. message: one line in a follower's chat.
    """

    PUSH = "push"
    DELIVERY = "delivery"
    API_CALL = "api_call"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. facts: members that depend on the kind."""

    id: int
    at: datetime
    kind: Kind
    appid: str | None
    openid: str | None
    facts: dict[str, object]

    def as_json(self) -> dict[str, object]:
        """Return the entry as one flat JSON object."""
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "kind": self.kind,
            "appid": self.appid,
            "openid": self.openid,
            **self.facts,
        }


class Ledger:
    """A list of entries. Ids rise by one, and continue after `clear`."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._chats: defaultdict[str, list[Entry]] = defaultdict(list)
        self._last_id = 0

    def write(
        self, at: datetime, kind: Kind, appid: str | None, openid: str | None, **facts: object
    ) -> Entry:
        """Append one entry and return it."""
        self._last_id += 1
        entry = Entry(self._last_id, at, kind, appid, openid, facts)
        self._entries.append(entry)
        if kind is Kind.MESSAGE and openid is not None:
            self._chats[openid].append(entry)
        return entry

    def read(
        self,
        *,
        kind: Kind | None = None,
        appid: str | None = None,
        openid: str | None = None,
        after: int = 0,
        limit: int = 1000,
    ) -> list[Entry]:
        """Return up to `limit` entries with an id above `after` that match all given filters."""
        start = bisect_right(self._entries, after, key=lambda entry: entry.id)
        found: Iterator[Entry] = (
            entry
            for entry in islice(self._entries, start, None)
            if kind in (None, entry.kind)
            and appid in (None, entry.appid)
            and openid in (None, entry.openid)
        )
        return list(islice(found, limit))

    def chat(self, openid: str, *, after: int = 0) -> list[Entry]:
        """Return the lines of one follower's chat with an id above `after`, oldest first."""
        lines = self._chats.get(openid, [])
        return lines[bisect_right(lines, after, key=lambda entry: entry.id) :]

    def clear(self) -> None:
        """Delete all entries."""
        self._entries.clear()
        self._chats.clear()

    def __len__(self) -> int:
        return len(self._entries)
