"""What a push obliges us to erase: pure. Source: protocol 10."""

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
    """What a push asks for. people: (AppID, OpenID). detail: RevokeInfo."""

    trigger: Trigger
    people: tuple[tuple[str, str], ...]
    unionids: tuple[str, ...] = ()
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class NewErasure:
    """An erasure to be opened. until: what happened by then goes. scope: None: the duty says it."""

    id: UUID
    duty: ErasureRequest
    appid: str | None
    requested_by: str
    requested_at: datetime
    until: datetime
    scope: Scope | None = None


def erasure_request_of(message: Inbound, appid: str) -> ErasureRequest | None:
    """Return what the push asks to erase, if it does.

    The app that a privacy event names may be another one than it was pushed to. One without an
    OpenID is about nobody: its sender is a platform account.
    """
    if isinstance(message, Unsubscribe):
        return ErasureRequest(Trigger.UNSUBSCRIBE, ((appid, message.from_user),))
    if not isinstance(
        message, UserInfoModified | UserAuthorizationRevoke | UserAuthorizationCancellation
    ):
        return None
    cancelled = isinstance(message, UserAuthorizationCancellation)
    unionids = (message.unionid,) if cancelled and message.unionid is not None else ()
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
    """Return what is erased. A RevokeInfo that this kind of account does not know means all."""
    match trigger:
        case Trigger.UNSUBSCRIBE:
            return Scope(on_unfollow)
        case Trigger.USER_INFO_MODIFIED:
            return Scope.PROFILE
        case Trigger.AUTHORIZATION_REVOKE:
            return scope_of_code(kind or "oa", detail)
        case _:
            return Scope.PERSON
