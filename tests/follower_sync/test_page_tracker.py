"""A listing comes to its end, whatever WeChat answers."""

import pytest

from app.follower_sync.errors import ListingRepeats
from app.follower_sync.page_tracker import MAX_RESTARTS, PAGE_SIZE, ListingProgress
from app.wechat.api_responses import FollowerPage
from app.wechat.ids import OpenId


def page(next_openid: str | None, *, people: int = 1, total: int = 1) -> FollowerPage:
    return FollowerPage(total, tuple(OpenId(str(number)) for number in range(people)), next_openid)


def test_pages_with_cursors_of_their_own_pass() -> None:
    progress = ListingProgress()
    for number in range(100):
        progress.check(page(f"c{number}", people=PAGE_SIZE, total=100 * PAGE_SIZE))
    progress.check(page(None))


def test_a_listing_that_starts_again_meets_the_same_pages_but_not_for_ever() -> None:
    progress = ListingProgress()
    for _ in range(MAX_RESTARTS):
        progress.check(page("a", people=PAGE_SIZE, total=PAGE_SIZE))
        progress.check(page("b", people=PAGE_SIZE, total=PAGE_SIZE))
        progress.restart()

    with pytest.raises(ListingRepeats):
        progress.restart()


def test_a_total_that_shrinks_meanwhile_ends_nothing() -> None:
    progress = ListingProgress()
    progress.check(page("a", people=PAGE_SIZE, total=2 * PAGE_SIZE))
    progress.check(page("b", people=PAGE_SIZE, total=0))
    progress.check(page(None, people=PAGE_SIZE, total=0))


def test_more_people_than_there_can_be_end_it() -> None:
    progress = ListingProgress()
    progress.check(page("a", people=PAGE_SIZE, total=1))
    with pytest.raises(ListingRepeats, match="are listed"):
        progress.check(page("b", people=PAGE_SIZE, total=1))
