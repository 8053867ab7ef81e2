"""What an answer tells that we did not know: decided without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from app.events.models import FollowAction
from app.follower_sync.diff import SAME_FOLLOW, Changes, KnownFollower, UserInfoBatch, changes_of
from app.wechat.api_responses import UserInfo
from app.wechat.ids import OpenId, UnionId

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
EARLIER_ID = uuid7()


def info(
    *, at: datetime | None = NOON, subscribed: bool = True, unionid: str | None = "u"
) -> UserInfo:
    return UserInfo(
        openid=OpenId("o"),
        subscribed=subscribed,
        unionid=UnionId(unionid) if unionid else None,
        subscribe_time=at,
        subscribe_scene="ADD_SCENE_SEARCH",
        qr_scene=None,
        qr_scene_str=None,
    )


def asked(*infos: UserInfo, missing: tuple[str, ...] = ()) -> UserInfoBatch:
    return UserInfoBatch(["o"], NOON + timedelta(hours=1), [uuid7(), uuid7()], infos, missing)


def known(*, following: bool, at: datetime = NOON) -> KnownFollower:
    return KnownFollower(
        "o",
        has_row=True,
        unionid="u",
        following=following,
        followed_at=at if following else None,
        how="ADD_SCENE_SEARCH",
        last_at=at,
        last_id=EARLIER_ID,
    )


def of(person: KnownFollower, *told: UserInfoBatch) -> Changes:
    return changes_of({person.openid: person}, told)


def actions(person: KnownFollower, told: UserInfoBatch) -> list[FollowAction]:
    return [event.action for event in of(person, told).events]


def test_a_subscribe_time_close_to_the_pushed_one_is_the_same_follow() -> None:
    for seconds in (-SAME_FOLLOW.seconds, 0, SAME_FOLLOW.seconds):
        told = asked(info(at=NOON + timedelta(seconds=seconds)))
        assert of(known(following=True), told).openids == []


def test_a_later_subscribe_time_means_that_they_left_in_between() -> None:
    told = asked(info(at=NOON + SAME_FOLLOW + timedelta(seconds=1)))

    assert actions(known(following=True), told) == [FollowAction.UNFOLLOW, FollowAction.FOLLOW]


def test_an_unfollow_after_the_subscribe_time_stands() -> None:
    assert actions(known(following=False, at=NOON + timedelta(seconds=1)), asked(info())) == []


def test_within_one_second_the_event_that_came_after_the_call_decides() -> None:
    told = asked(info())
    came_later = replace(known(following=False), last_id=uuid7())
    came_before = known(following=False)

    assert actions(came_later, told) == []
    assert actions(came_before, told) == [FollowAction.FOLLOW]


def test_a_follow_after_the_unfollow_we_know_is_new() -> None:
    earlier = NOON - timedelta(days=1)
    assert actions(known(following=False, at=earlier), asked(info())) == [FollowAction.FOLLOW]


def test_an_unknown_person_who_does_not_follow_gets_no_unfollow() -> None:
    stranger = info(at=None, subscribed=False, unionid=None)

    assert of(KnownFollower("o"), asked(stranger)).openids == []
    assert actions(known(following=False), asked(stranger)) == []
    assert actions(known(following=True), asked(stranger)) == [FollowAction.UNFOLLOW]
    assert actions(known(following=True), asked(missing=("o",))) == [FollowAction.UNFOLLOW]


def test_a_person_who_is_not_in_the_answer_is_not_changed() -> None:
    assert of(known(following=True), asked()).openids == []


def test_a_follower_without_subscribe_time_is_added_without_an_event() -> None:
    changes = of(KnownFollower("o"), asked(info(at=None)))

    assert (changes.openids, changes.events) == (["o"], [])


@given(
    following=st.booleans(),
    offset=st.integers(-200, 200),
    subscribed=st.booleans(),
)
def test_what_has_been_written_is_not_written_again(
    following: bool, offset: int, subscribed: bool
) -> None:
    person = known(following=following)
    told = asked(info(at=NOON + timedelta(seconds=offset), subscribed=subscribed))
    events = of(person, told).events

    if events:
        last = events[-1]
        follows = last.action is FollowAction.FOLLOW
        person = KnownFollower(
            "o",
            has_row=True,
            unionid="u",
            following=follows,
            followed_at=last.occurred_at if follows else person.followed_at,
            how="ADD_SCENE_SEARCH",
            last_at=last.occurred_at,
            last_id=last.id,
        )
    again = asked(*told.infos)

    assert of(person, again).events == []


def test_a_person_in_two_calls_gets_one_follow() -> None:
    assert len(of(KnownFollower("o"), asked(info()), asked(info())).events) == 1
