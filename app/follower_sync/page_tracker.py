"""Tracks which pages of `user/get` are completely recorded. No I/O."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from app.follower_sync.errors import ListingRepeats
from app.wechat.api_responses import FollowerPage

PAGE_SIZE: Final = 10_000
MAX_RESTARTS: Final = 3


@dataclass(slots=True)
class Page:
    """One page. next_openid: cursor of the next page. left: batches that are not recorded yet."""

    next_openid: str | None
    left: int


class Pages:
    """The pages under way, in WeChat's order. Their batches may be recorded in any order."""

    def __init__(self) -> None:
        self._open: deque[Page] = deque()

    def begin(self, next_openid: str | None, batches: int) -> Page:
        """Add the next page."""
        page = Page(next_openid, batches)
        self._open.append(page)
        return page

    def drop_recorded(self) -> str | None:
        """Drop the leading pages that are recorded; return the cursor after the last of them.

        None when the first page is not recorded yet.
        """
        reached = None
        while self._open and self._open[0].left == 0:
            reached = self._open.popleft().next_openid or reached
        return reached


class ListingProgress:
    """Makes sure that a listing comes to its end, whatever WeChat answers."""

    def __init__(self) -> None:
        self._cursors: set[str] = set()
        self._people = 0
        self._total = 0
        self._restarts = 0

    def check(self, page: FollowerPage) -> None:
        """Take note of a page. Raises ListingRepeats if nothing new comes any more."""
        self._people += len(page.openids)
        self._total = max(self._total, page.total)
        if page.next_openid in self._cursors:
            raise ListingRepeats("a page names a next_openid that another page named before")
        if self._people > 2 * self._total + PAGE_SIZE:
            raise ListingRepeats(f"{self._people} people are listed, and the total is {page.total}")
        if page.next_openid is not None:
            self._cursors.add(page.next_openid)

    def restart(self) -> None:
        """Take note that the listing starts at its first page. Raises ListingRepeats."""
        if self._restarts == MAX_RESTARTS:
            raise ListingRepeats("WeChat refuses the next_openid that it named, again and again")
        self._restarts += 1
        self._cursors.clear()
        self._people = 0
