"""Events of subscription notifications. Source: protocol 4.3 and 4.4.

In XML an element wraps the list, in JSON none does. In older samples of the change event this is
the wrapper of the popup event.
"""

from typing import Annotated, ClassVar, Literal

from app.value_class import value_class
from app.wechat.inbound.base import BaseEvent
from app.wechat.inbound.decode_elements import Element, several


@value_class(kw_only=True)
class Consent:
    """A person's decision about one template.

    subscribe_status: `accept`, `reject`… popup_scene: 0 mini-program, 1 H5 page, 2 article.
    """

    template_id: Annotated[str | None, Element("TemplateId")] = None
    subscribe_status: Annotated[str | None, Element("SubscribeStatusString")] = None
    popup_scene: Annotated[str | None, Element("PopupScene")] = None


@value_class(kw_only=True)
class Delivery:
    """The result of one notification. error_code: `0` means delivered."""

    template_id: Annotated[str | None, Element("TemplateId")] = None
    msg_id: Annotated[str | None, Element("MsgID")] = None
    error_code: Annotated[str | None, Element("ErrorCode")] = None
    error_status: Annotated[str | None, Element("ErrorStatus")] = None


@value_class(kw_only=True, repr=False)
class ConsentEvent(BaseEvent):
    """A person decided about notifications. items: one for each template."""

    items: Annotated[
        tuple[Consent, ...],
        Element(
            "SubscribeMsgPopupEvent.List",
            "SubscribeMsgChangeEvent.List",
            "List",
            read=several(Consent),
        ),
    ] = ()


@value_class(kw_only=True, repr=False)
class SubscribeMsgPopup(ConsentEvent):
    """A person answered the popup."""

    event: ClassVar[Literal["subscribe_msg_popup_event"]] = "subscribe_msg_popup_event"


@value_class(kw_only=True, repr=False)
class SubscribeMsgChange(ConsentEvent):
    """A person changed a decision in the settings. WeChat pushes only `reject`."""

    event: ClassVar[Literal["subscribe_msg_change_event"]] = "subscribe_msg_change_event"


@value_class(kw_only=True, repr=False)
class SubscribeMsgSent(BaseEvent):
    """Notifications were delivered, or their delivery failed."""

    event: ClassVar[Literal["subscribe_msg_sent_event"]] = "subscribe_msg_sent_event"
    items: Annotated[
        tuple[Delivery, ...],
        Element("SubscribeMsgSentEvent.List", "List", read=several(Delivery)),
    ] = ()
