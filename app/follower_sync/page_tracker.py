"""Tracks which pages of `user/get` are completely recorded. No I/O."""

from collections import deque
from dataclasses import dataclass


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
