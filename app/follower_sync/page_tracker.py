"""Which pages of `user/get` are recorded in full: pure, no database."""

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class Page:
    """One page. next_openid: where the next one starts. left: batches not recorded yet."""

    next_openid: str | None
    left: int


class Pages:
    """The pages under way, in WeChat's order. Their batches may end in any order."""

    def __init__(self) -> None:
        self._open: deque[Page] = deque()

    def begin(self, next_openid: str | None, batches: int) -> Page:
        """Add the page that follows those already here."""
        page = Page(next_openid, batches)
        self._open.append(page)
        return page

    def settle(self) -> str | None:
        """Drop the pages at the front that are done; return where to go on after the last one.

        None when the first page is not done.
        """
        reached = None
        while self._open and self._open[0].left == 0:
            reached = self._open.popleft().next_openid or reached
        return reached
