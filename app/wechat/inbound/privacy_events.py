"""Events that oblige the operator to delete personal data. Source: protocol 4.3 and 10."""

from typing import Annotated, ClassVar, Literal

from app.value_class import value_class
from app.wechat.inbound.base import BaseEvent
from app.wechat.inbound.decode_elements import Element, unambiguous


@value_class(kw_only=True, repr=False)
class PrivacyEvent(BaseEvent):
    """openid: the person concerned; from_user is a platform account, the same for everybody.

    None where it is missing or not clear who is meant. open_pid: the person as a plugin of a
    mini-program knows them; with plugin_id it may be all that a push names.
    """

    openid: Annotated[str | None, Element("OpenID", read=unambiguous)] = None
    appid: Annotated[str | None, Element("AppID", read=unambiguous)] = None
    unionid: Annotated[str | None, Element("UnionID", read=unambiguous)] = None
    revoke_info: Annotated[str | None, Element("RevokeInfo")] = None
    plugin_id: Annotated[str | None, Element("PluginID")] = None
    open_pid: Annotated[str | None, Element("OpenPID")] = None


@value_class(kw_only=True, repr=False)
class UserInfoModified(PrivacyEvent):
    """WeChat removed part of a profile: nickname and avatar must be cleared."""

    event: ClassVar[Literal["user_info_modified"]] = "user_info_modified"


@value_class(kw_only=True, repr=False)
class UserAuthorizationRevoke(PrivacyEvent):
    """A person withdrew an authorisation. revoke_info: which; unknown or None means all of them."""

    event: ClassVar[Literal["user_authorization_revoke"]] = "user_authorization_revoke"


@value_class(kw_only=True, repr=False)
class UserAuthorizationCancellation(PrivacyEvent):
    """A WeChat account was closed: erase the person's OpenID, and the UnionID at every account."""

    event: ClassVar[Literal["user_authorization_cancellation"]] = "user_authorization_cancellation"
