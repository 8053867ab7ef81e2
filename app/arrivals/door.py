"""What of ours led to a mini-program, and how an arrival is settled. Pure."""

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.arrivals.models import ArrivalKind, Basis, Door, LeftOut
from app.arrivals.scenes import OF_ACCOUNT, SceneGroup, group_of

# When an arrival whose ref is unknown, or a conversion without a launch, is looked at again: what
# it belongs to may be reported or stored later.
LAUNCH_TRIES: Final = (timedelta(minutes=1), timedelta(minutes=10))
CONVERSION_TRIES: Final = (*LAUNCH_TRIES, timedelta(hours=1), timedelta(hours=6))


@dataclass(frozen=True, slots=True)
class FoundDoor:
    """A door as `arrivals` gets it; see `models.Arrival`."""

    door: Door
    account: str | None = None
    recipient: str | None = None
    sent_at: datetime | None = None
    callback_id: UUID | None = None
    reply_id: UUID | None = None
    rule_id: int | None = None
    qrcode_id: UUID | None = None
    notice_id: UUID | None = None
    send_id: UUID | None = None
    link_id: UUID | None = None
    menu_number: int | None = None
    menu_position: str | None = None


DOOR_COLUMNS: Final = tuple(field.name for field in fields(FoundDoor))


@dataclass(frozen=True, slots=True)
class WaitingArrival:
    """An arrival that is to be settled. unionid: as known, or else as reported."""

    id: UUID
    kind: ArrivalKind
    appid: str
    at: datetime
    openid: str | None
    unionid: str | None
    scene: int | None
    path: str | None
    referrer_appid: str | None
    refs: tuple[str, ...]
    tries: int

    @property
    def group(self) -> SceneGroup:
        """The group of the scene."""
        return group_of(self.scene)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an arrival is attributed to."""

    basis: Basis
    left_out: LeftOut | None = None
    ref: str | None = None
    door: FoundDoor | None = None


@dataclass(frozen=True, slots=True)
class LastLaunch:
    """The launch before a conversion. waits: its door has not been looked for."""

    door: FoundDoor | None
    waits: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one arrival.

    by_ref: the first of its refs that led to a door, and that door. recipient: the UnionID of the
    person to whom the door was sent. is_repeat: the person entered in the same way a moment before.
    by_scene: what was sent to the person last, of the kind that the scene names.
    """

    by_ref: tuple[str, FoundDoor] | None = None
    recipient: str | None = None
    is_repeat: bool = False
    by_scene: FoundDoor | None = None
    last_launch: LastLaunch | None = None


def settlement_of(arrival: WaitingArrival, known: Evidence) -> Settlement | timedelta:
    """Return how the arrival is settled, or in what time to look at it again."""
    if arrival.group is SceneGroup.CRAWLER:
        return Settlement(Basis.NONE, LeftOut.CRAWLER)
    found = _attributed(arrival, known)
    if isinstance(found, timedelta):
        return found
    if known.is_repeat:
        return replace(found, left_out=LeftOut.REPEAT)
    if found.ref is not None and _is_other(arrival.unionid, known.recipient):
        return replace(found, left_out=LeftOut.FORWARDED)
    return found


def _attributed(arrival: WaitingArrival, known: Evidence) -> Settlement | timedelta:
    if known.by_ref is not None:
        ref, door = known.by_ref
        return Settlement(Basis.REF, ref=ref, door=door)
    launch = known.last_launch
    may_follow = bool(arrival.refs) or (arrival.kind is ArrivalKind.CONVERSION and launch is None)
    tries = CONVERSION_TRIES if arrival.kind is ArrivalKind.CONVERSION else LAUNCH_TRIES
    if (may_follow or (launch and launch.waits)) and arrival.tries < len(tries):
        return tries[arrival.tries]
    if launch is not None and launch.door is not None:
        return Settlement(Basis.LAUNCH, door=launch.door)
    if arrival.kind is ArrivalKind.LAUNCH and arrival.group in OF_ACCOUNT:
        return Settlement(Basis.SCENE, door=known.by_scene)
    return Settlement(Basis.NONE)


def _is_other(person: str | None, recipient: str | None) -> bool:
    return person is not None and recipient is not None and person != recipient
