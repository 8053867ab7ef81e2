"""Compares answers of `user/info/batchget` with what is stored. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.events.models import FollowAction
from app.wechat.api_responses import UserInfo

# CreateTime and subscribe_time of one follow come from two of WeChat's systems and may differ.
SAME_FOLLOW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class KnownFollower:
    """What is stored about one person.

    has_row: whether there is a row of openids. following: None if there is no row of followers.
    erased_until: data up to then is erased. identity_erased: the ids are erased too.
    """

    openid: str
    has_row: bool = False
    unionid: str | None = None
    reason: str | None = None
    following: bool | None = None
    followed_at: datetime | None = None
    how: str | None = None
    last_at: datetime | None = None
    last_id: UUID | None = None
    erased_until: datetime | None = None
    identity_erased: bool = False

    def is_erased(self, at: datetime | None) -> bool:
        """Return whether data of that time is erased; None: an unknown time."""
        return self.erased_until is not None and (at is None or at <= self.erased_until)

    def is_before(self, at: datetime, event_id: UUID) -> bool:
        """Return whether the event would be later than the one that set the state."""
        if self.last_at is None or self.last_id is None:
            return True
        return (self.last_at, self.last_id) < (at, event_id)


@dataclass(frozen=True, slots=True)
class UserInfoBatch:
    """One call and its answer.

    openids: the people it asked about. at: whole second before the call. ids: two for each person,
    also made before the call: an event that WeChat pushes later gets a later id and wins even
    within the same second. missing: OpenIDs that WeChat does not know.
    """

    openids: Sequence[str]
    at: datetime
    ids: Sequence[UUID]
    infos: Sequence[UserInfo]
    missing: Sequence[str] = ()

    def followers_only(self) -> "UserInfoBatch":
        """Return the batch without the answers about people who do not follow."""
        infos = [info for info in self.infos if info.subscribed]
        return replace(self, infos=infos, missing=())

    def not_following(self) -> set[str]:
        """Return the OpenIDs of people who do not follow."""
        return {*self.missing, *(info.openid for info in self.infos if not info.subscribed)}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A follow or unfollow to write. how: WeChat's subscribe_scene for a follow, if known."""

    id: UUID
    openid: str
    action: FollowAction
    occurred_at: datetime
    scene: str | None = None
    how: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What to write.

    events: follows and unfollows. how_only: stored follows that lack `how`. new_people: people
    without a row of openids. unionid_results: people whose UnionID, or the reason for its absence,
    is new.
    """

    events: list[NewEvent] = field(default_factory=list)
    how_only: list[UserInfo] = field(default_factory=list)
    new_people: list[UserInfo] = field(default_factory=list)
    unionid_results: list[UserInfo] = field(default_factory=list)

    @property
    def openids(self) -> list[str]:
        """The OpenIDs of all people in the changes, sorted."""
        infos = (*self.how_only, *self.new_people, *self.unionid_results)
        return sorted({*(event.openid for event in self.events), *(info.openid for info in infos)})


def changes_of(known: Mapping[str, KnownFollower], calls: Sequence[UserInfoBatch]) -> Changes:
    """Return what to write so that the stored state of the people in `known` agrees with WeChat.

    For a person in several calls the first one counts.
    """
    changes = Changes()
    done: set[str] = set()
    for call in calls:
        infos = {str(info.openid): info for info in call.infos}
        for index, openid in enumerate(call.openids):
            person = known.get(openid)
            if person is None or openid in done:
                continue
            done.add(openid)
            info = infos.get(openid)
            ids = (call.ids[2 * index], call.ids[2 * index + 1])
            if info is not None and info.subscribed:
                _add_follower(changes, person, info, ids)
            elif info is not None or openid in call.missing:
                _add_unfollow(changes, person, call.at, ids[0])
    return changes


def scene_of(info: UserInfo) -> str | None:
    """Return the value of the parameterised QR code as the subscribe event has it, or None."""
    if info.qr_scene_str is not None:
        return info.qr_scene_str
    return None if info.qr_scene is None else str(info.qr_scene)


def _add_follower(
    changes: Changes, person: KnownFollower, info: UserInfo, ids: tuple[UUID, UUID]
) -> None:
    erased = person.is_erased(info.subscribe_time)
    # The person still follows and has not followed again since the erasure.
    if erased and person.identity_erased and not person.has_row:
        return
    if not person.has_row:
        changes.new_people.append(info)
    elif _has_new_unionid(person, info):
        changes.unionid_results.append(info)
    if info.subscribe_time is None or (erased and person.identity_erased):
        return
    unfollow_id, follow_id = ids
    if _is_stored_follow(person, info.subscribe_time):
        if person.how is None and info.subscribe_scene is not None and not erased:
            changes.how_only.append(info)
    elif person.is_before(info.subscribe_time, follow_id):
        if person.following:
            # The person unfollowed and followed again while no push was received. The time of the
            # unfollow is unknown, but it is not later than the new follow.
            changes.events.append(
                NewEvent(unfollow_id, person.openid, FollowAction.UNFOLLOW, info.subscribe_time)
            )
        changes.events.append(
            NewEvent(
                follow_id,
                person.openid,
                FollowAction.FOLLOW,
                info.subscribe_time,
                None if erased else scene_of(info),
                None if erased else info.subscribe_scene,
            )
        )


def _is_stored_follow(person: KnownFollower, subscribe_time: datetime) -> bool:
    return (
        person.following is True
        and person.followed_at is not None
        and subscribe_time <= person.followed_at + SAME_FOLLOW
    )


def _has_new_unionid(person: KnownFollower, info: UserInfo) -> bool:
    """Return whether the answer has a UnionID, or a reason for its absence, that is not stored."""
    if info.unionid is not None:
        return info.unionid != person.unionid
    return person.unionid is None and person.reason != "not_bound"


def _add_unfollow(changes: Changes, person: KnownFollower, at: datetime, event_id: UUID) -> None:
    if person.following and person.is_before(at, event_id):
        changes.events.append(NewEvent(event_id, person.openid, FollowAction.UNFOLLOW, at))
