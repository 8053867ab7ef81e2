"""Pushes that oblige us to clear or delete. Source: protocol 4.3 and 10."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from app.wechat.inbound.base import BaseEvent
from app.wechat.inbound.field_mapping import Element


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PrivacyEvent(BaseEvent):
    """openid: the person it is about; from_user is a platform account, the same for everybody."""

    openid: Annotated[str | None, Element("OpenID")] = None
    appid: Annotated[str | None, Element("AppID")] = None
    unionid: Annotated[str | None, Element("UnionID")] = None
    revoke_info: Annotated[str | None, Element("RevokeInfo")] = None
    plugin_id: Annotated[str | None, Element("PluginID")] = None
    open_pid: Annotated[str | None, Element("OpenPID")] = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UserInfoModified(PrivacyEvent):
    """WeChat cleaned part of a profile: clear nickname and avatar."""

    event: ClassVar[Literal["user_info_modified"]] = "user_info_modified"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UserAuthorizationRevoke(PrivacyEvent):
    """Authorisation was withdrawn. revoke_info: which; unknown or None means all of it."""

    event: ClassVar[Literal["user_authorization_revoke"]] = "user_authorization_revoke"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UserAuthorizationCancellation(PrivacyEvent):
    """The WeChat account was closed: erase the OpenID and, everywhere, the UnionID."""

    event: ClassVar[Literal["user_authorization_cancellation"]] = "user_authorization_cancellation"
