"""Events about account verification, customer-service sessions and debugging. Protocol 4.3."""

from typing import Annotated, ClassVar, Literal

from app.value_class import value_class
from app.wechat.inbound.base import BaseEvent
from app.wechat.inbound.decode_elements import Element, verbatim


@value_class(kw_only=True, repr=False)
class ExpiryEvent(BaseEvent):
    """A verification with an end. expired_time: when it ends or ended, Unix seconds."""

    expired_time: Annotated[str | None, Element("ExpiredTime")] = None


@value_class(kw_only=True, repr=False)
class QualificationVerifySuccess(ExpiryEvent):
    """The qualification was accepted."""

    event: ClassVar[Literal["qualification_verify_success"]] = "qualification_verify_success"


@value_class(kw_only=True, repr=False)
class NamingVerifySuccess(ExpiryEvent):
    """The name was accepted."""

    event: ClassVar[Literal["naming_verify_success"]] = "naming_verify_success"


@value_class(kw_only=True, repr=False)
class AnnualRenew(ExpiryEvent):
    """The yearly verification is due."""

    event: ClassVar[Literal["annual_renew"]] = "annual_renew"


@value_class(kw_only=True, repr=False)
class VerifyExpired(ExpiryEvent):
    """The verification has expired."""

    event: ClassVar[Literal["verify_expired"]] = "verify_expired"


@value_class(kw_only=True, repr=False)
class FailureEvent(BaseEvent):
    """A verification that failed. fail_time: Unix seconds."""

    fail_time: Annotated[str | None, Element("FailTime")] = None
    fail_reason: Annotated[str, Element("FailReason", read=verbatim)] = ""


@value_class(kw_only=True, repr=False)
class QualificationVerifyFail(FailureEvent):
    """The qualification was refused."""

    event: ClassVar[Literal["qualification_verify_fail"]] = "qualification_verify_fail"


@value_class(kw_only=True, repr=False)
class NamingVerifyFail(FailureEvent):
    """The name was refused; the API rights remain."""

    event: ClassVar[Literal["naming_verify_fail"]] = "naming_verify_fail"


@value_class(kw_only=True, repr=False)
class KfCreateSession(BaseEvent):
    """An agent took over the customer (from_user)."""

    event: ClassVar[Literal["kf_create_session"]] = "kf_create_session"
    kf_account: Annotated[str | None, Element("KfAccount")] = None


@value_class(kw_only=True, repr=False)
class KfCloseSession(BaseEvent):
    """The session with the agent ended. close_type: only SDKs name it."""

    event: ClassVar[Literal["kf_close_session"]] = "kf_close_session"
    kf_account: Annotated[str | None, Element("KfAccount")] = None
    close_type: Annotated[str | None, Element("CloseType")] = None


@value_class(kw_only=True, repr=False)
class KfSwitchSession(BaseEvent):
    """The customer was passed on to another agent."""

    event: ClassVar[Literal["kf_switch_session"]] = "kf_switch_session"
    from_kf_account: Annotated[str | None, Element("FromKfAccount")] = None
    to_kf_account: Annotated[str | None, Element("ToKfAccount")] = None


@value_class(kw_only=True, repr=False)
class UserEnterTempSession(BaseEvent):
    """A person opened a mini-program's customer-service chat."""

    event: ClassVar[Literal["user_enter_tempsession"]] = "user_enter_tempsession"
    session_from: Annotated[str, Element("SessionFrom", read=verbatim)] = ""


@value_class(kw_only=True, repr=False)
class DebugDemo(BaseEvent):
    """The console's push-debugging tool was used."""

    event: ClassVar[Literal["debug_demo"]] = "debug_demo"
    debug_str: Annotated[str, Element("debug_str", read=verbatim)] = ""
