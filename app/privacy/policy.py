"""Which erasure a push requires. Pure functions. Source: protocol 10."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from app.privacy.models import Trigger
from app.privacy.revoke_codes import scope_of_code
from app.tombstones.models import Scope
from app.wechat.inbound import (
    Inbound,
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
    """Erasure that a push or an operator asks for. people: (AppID, OpenID). detail: RevokeInfo."""

    trigger: Trigger
    people: tuple[tuple[str, str], ...]
    unionids: tuple[str, ...] = ()
    detail: str | None = None


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


def erasure_request_of(message: Inbound, appid: str) -> ErasureRequest | None:
    """Return the erasure that the push asks for; None if it asks for none.

    A privacy event may name another account than the one it was pushed to: both are covered.
    """
    if isinstance(message, Unsubscribe):
        return ErasureRequest(Trigger.UNSUBSCRIBE, ((appid, message.from_user),))
    if not isinstance(
        message, UserInfoModified | UserAuthorizationRevoke | UserAuthorizationCancellation
    ):
        return None
    cancelled = isinstance(message, UserAuthorizationCancellation)
    unionids = (message.unionid,) if cancelled and message.unionid is not None else ()
    # FromUserName of a privacy event is a platform account and not the person.
    if message.openid is None and not unionids:
        return None
    appids = dict.fromkeys((appid, message.appid or appid))
    return ErasureRequest(
        Trigger(message.event),
        tuple((each, message.openid) for each in appids if message.openid is not None),
        unionids,
        (message.revoke_info or "")[:MAX_DETAIL] or None,
    )


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
