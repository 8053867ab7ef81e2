"""Decisions about notifications, and their deliveries, as rules wait for them."""

from collections.abc import Iterator

from app.rules.definition.triggers import SubscribeMsgTrigger
from app.wechat import inbound
from app.wechat.inbound import Inbound


def results_of(message: Inbound) -> Iterator[tuple[str | None, str | None]]:
    """Yield template and status of every result that a subscribe_msg event reports."""
    match message:
        case inbound.ConsentEvent():
            for consent in message.items:
                status = consent.subscribe_status
                yield consent.template_id, None if status is None else status.lower()
        case inbound.SubscribeMsgSent():
            for delivery in message.items:
                yield delivery.template_id, "sent" if delivery.error_code == "0" else "failed"


def reports(trigger: SubscribeMsgTrigger, template: str | None, status: str | None) -> bool:
    """Tell whether this is the result that the trigger waits for."""
    return trigger.template in {None, template} and trigger.status in {None, status}
