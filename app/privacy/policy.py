"""Which erasure a push requires. Pure functions. Source: protocol 10."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from app.privacy.models import NeedsPerson, Trigger
from app.privacy.revoke_codes import scope_of_code
from app.tombstones.models import Scope
from app.wechat.inbound import (
    Inbound,
    PrivacyEvent,
    Unsubscribe,
    UserAuthorizationCancellation,
    UserAuthorizationRevoke,
    UserInfoModified,
)

BY_WECHAT: Final = "wechat"
MAX_DETAIL: Final = 32

Kind = Literal["oa", "mini_program"]
OnUnfollow = Literal["content", "everything"]


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """Erasure that a push or an operator asks for. people: (AppID, OpenID). detail: RevokeInfo.

    needs_person: why it is not known who is meant; then people and unionids are empty.
    """

    trigger: Trigger
    people: tuple[tuple[str, str], ...]
    unionids: tuple[str, ...] = ()
    detail: str | None = None
    needs_person: NeedsPerson | None = None


@dataclass(frozen=True, slots=True)
class NewErasure:
    """An erasure to be opened.

    duty: whose data, and why. until: data up to then is erased. scope: None if `scope_of` is to
    derive it from the trigger when the job runs.
    """

    id: UUID
    duty: ErasureRequest
    appid: str | None
    requested_by: str
    requested_at: datetime
    until: datetime
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Which people a push to an account may have erased.

    appids: accounts whose OpenIDs it may name. by_unionid: whether it may name a UnionID, and so a
    person at every account.
    """

    appids: frozenset[str]
    by_unionid: bool


def reach_of(appid: str, configured: Iterable[str], *, encrypted: bool) -> Reach:
    """Return what pushes to an account may have erased.

    An encrypted push proves that WeChat wrote it. In plain mode whoever has seen one signature can
    write any push, so there it speaks for its own account alone. configured: the AppIDs of all
    accounts.
    """
    if encrypted:
        return Reach(frozenset({appid, *configured}), by_unionid=True)
    return Reach(frozenset({appid}), by_unionid=False)


def erasure_request_of(message: Inbound, appid: str, reach: Reach) -> ErasureRequest | None:
    """Return the erasure that the push asks for; None if it asks for none.

    A privacy event may name another account than the one it was pushed to: both are covered. What
    is beyond `reach` is left out. If nobody is left, a person has to deal with it.
    """
    if isinstance(message, Unsubscribe):
        return ErasureRequest(Trigger.UNSUBSCRIBE, ((appid, message.from_user),))
    if not isinstance(
        message, UserInfoModified | UserAuthorizationRevoke | UserAuthorizationCancellation
    ):
        return None
    cancelled = isinstance(message, UserAuthorizationCancellation)
    names_unionid = cancelled and message.unionid is not None and reach.by_unionid
    unionids = (str(message.unionid),) if names_unionid else ()
    detail = (message.revoke_info or "")[:MAX_DETAIL] or None
    # FromUserName of a privacy event is a platform account and not the person.
    if message.openid is None and not unionids:
        trigger, reason = Trigger(message.event), _needs_person(message, cancelled=cancelled)
        return ErasureRequest(trigger, (), (), detail, reason)
    appids = dict.fromkeys((appid, message.appid or appid))
    return ErasureRequest(
        Trigger(message.event),
        tuple(
            (each, message.openid)
            for each in appids
            if message.openid is not None and each in reach.appids
        ),
        unionids,
        detail,
    )


def _needs_person(message: PrivacyEvent, *, cancelled: bool) -> NeedsPerson:
    if cancelled and message.unionid is not None:
        return NeedsPerson.UNIONID_IN_PLAIN_MODE
    return NeedsPerson.NO_OPENID if message.open_pid is None else NeedsPerson.OPEN_PID


def scope_of(
    trigger: Trigger, detail: str | None, *, kind: Kind | None, on_unfollow: OnUnfollow
) -> Scope:
    """Return the scope of an erasure; `content` for a RevokeInfo code that is not in the table."""
    match trigger:
        case Trigger.UNSUBSCRIBE:
            return Scope(on_unfollow)
        case Trigger.USER_INFO_MODIFIED:
            return Scope.PROFILE
        case Trigger.AUTHORIZATION_REVOKE:
            return scope_of_code(kind or "oa", detail)
        case _:
            return Scope.PERSON
