"""What an answer of `user/info/batchget` tells that we did not know: pure, no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from app.events.models import FollowAction
from app.wechat.api_responses import UserInfo

# A follow's CreateTime and its subscribe_time are one moment, told by two of WeChat's systems.
SAME_FOLLOW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class KnownFollower:
    """What we know of one person. met: has an openids row. following: None without a state.

    erased_until: what was so by then is erased; identity_erased: who they were, too.
    """

    openid: str
    met: bool = False
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
        """Tell whether what was so at that moment has been erased."""
        return self.erased_until is not None and (at is None or at <= self.erased_until)

    def is_before(self, at: datetime, event_id: UUID) -> bool:
        """Tell whether an event then would decide the state."""
        if self.last_at is None or self.last_id is None:
            return True
        return (self.last_at, self.last_id) < (at, event_id)


@dataclass(frozen=True, slots=True)
class UserInfoBatch:
    """One call about these people, and its answer.

    at: whole second before the call. ids: two a person, made before the call too. An event that
    WeChat pushes later has a later id, so that it outranks what the call told even within the
    same second. missing: OpenIDs that WeChat does not know.
    """

    openids: Sequence[str]
    at: datetime
    ids: Sequence[UUID]
    infos: Sequence[UserInfo]
    missing: Sequence[str] = ()

    def followers(self) -> "UserInfoBatch":
        """Return it as if nobody else had been asked about."""
        infos = [info for info in self.infos if info.subscribed]
        return replace(self, infos=infos, missing=())

    def strangers(self) -> set[str]:
        """Return the OpenIDs of those who do not follow."""
        return {*self.missing, *(info.openid for info in self.infos if not info.subscribed)}


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A follow or unfollow to write. how: WeChat's subscribe_scene, for a follow."""

    id: UUID
    openid: str
    action: FollowAction
    occurred_at: datetime
    scene: str | None = None
    how: str | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What to write. explained: follows known already, whose `how` was not."""

    events: list[NewEvent] = field(default_factory=list)
    explained: list[UserInfo] = field(default_factory=list)
    unmet: list[UserInfo] = field(default_factory=list)
    identified: list[UserInfo] = field(default_factory=list)

    @property
    def openids(self) -> list[str]:
        """Everybody who is concerned, in order."""
        infos = (*self.explained, *self.unmet, *self.identified)
        return sorted({*(event.openid for event in self.events), *(info.openid for info in infos)})


def changes_of(known: Mapping[str, KnownFollower], calls: Sequence[UserInfoBatch]) -> Changes:
    """Return what to write so that we know what WeChat told of the people in `known`.

    Whoever is in several calls counts with the first.
    """
    changes = Changes()
    done: set[str] = set()
    for asked in calls:
        infos = {str(info.openid): info for info in asked.infos}
        for number, openid in enumerate(asked.openids):
            person = known.get(openid)
            if person is None or openid in done:
                continue
            done.add(openid)
            info = infos.get(openid)
            ids = (asked.ids[2 * number], asked.ids[2 * number + 1])
            if info is not None and info.subscribed:
                _follows(changes, person, info, ids)
            elif info is not None or openid in asked.missing:
                _has_left(changes, person, asked.at, ids[0])
    return changes


def scene_of(info: UserInfo) -> str | None:
    """Return the value of the parameterised QR code, as the follow's event would tell it."""
    if info.qr_scene_str is not None:
        return info.qr_scene_str
    return None if info.qr_scene is None else str(info.qr_scene)


def _follows(
    changes: Changes, person: KnownFollower, info: UserInfo, ids: tuple[UUID, UUID]
) -> None:
    erased = person.is_erased(info.subscribe_time)
    # The person still follows and has not followed again since the erasure.
    if erased and person.identity_erased and not person.met:
        return
    if not person.met:
        changes.unmet.append(info)
    elif _identifies(person, info):
        changes.identified.append(info)
    if info.subscribe_time is None or (erased and person.identity_erased):
        return
    unfollow_id, follow_id = ids
    if _is_the_follow_we_know(person, info.subscribe_time):
        if person.how is None and info.subscribe_scene is not None and not erased:
            changes.explained.append(info)
    elif person.is_before(info.subscribe_time, follow_id):
        if person.following:
            # They left and came back while we were away; when they left nobody can tell, but it
            # was before this.
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


def _is_the_follow_we_know(person: KnownFollower, subscribe_time: datetime) -> bool:
    return (
        person.following is True
        and person.followed_at is not None
        and subscribe_time <= person.followed_at + SAME_FOLLOW
    )


def _identifies(person: KnownFollower, info: UserInfo) -> bool:
    """Tell whether the answer says more about a UnionID than we have."""
    if info.unionid is not None:
        return info.unionid != person.unionid
    return person.unionid is None and person.reason != "not_bound"


def _has_left(changes: Changes, person: KnownFollower, at: datetime, event_id: UUID) -> None:
    if person.following and person.is_before(at, event_id):
        changes.events.append(NewEvent(event_id, person.openid, FollowAction.UNFOLLOW, at))
