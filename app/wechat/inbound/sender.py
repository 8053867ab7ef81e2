"""Tells which pushes are about a person. Pure."""

from app.wechat.inbound import (
    BaseMessage,
    ConsentEvent,
    Inbound,
    KfCloseSession,
    KfCreateSession,
    KfSwitchSession,
    LocationReport,
    MenuEvent,
    OtherEvent,
    Scan,
    Subscribe,
    SubscribeMsgSent,
    TemplateSendJobFinish,
    Unsubscribe,
    UserEnterTempSession,
)

_SENT_BY_A_PERSON = (
    BaseMessage,
    Subscribe,
    Unsubscribe,
    Scan,
    LocationReport,
    MenuEvent,
    ConsentEvent,
    SubscribeMsgSent,
    TemplateSendJobFinish,
    UserEnterTempSession,
    KfCreateSession,
    KfCloseSession,
    KfSwitchSession,
)


def names_a_person(message: Inbound) -> bool:
    """Return whether FromUserName is a person rather than a platform account.

    For a push that the protocol reference does not name this is unknown, so the answer is no. The
    database function `oa_bridge_named` lists the same events.
    Source: protocol 4.1 and 4.3.
    """
    if isinstance(message, OtherEvent):
        return message.event.startswith("user_")
    return isinstance(message, _SENT_BY_A_PERSON)
