"""The results that a subscribe_msg event reports: decisions of the follower, and deliveries."""

from collections.abc import Iterator

from app.rules.definition.triggers import SubscribeMsgTrigger
from app.wechat import inbound
from app.wechat.inbound import Inbound


def results_of(message: Inbound) -> Iterator[tuple[str | None, str | None]]:
    """Yield the template id and the status of every result; None stands for a missing value.

    The status is accept, reject or ban for a decision, sent or failed for a delivery.
    """
    match message:
        case inbound.ConsentEvent():
            for consent in message.items:
                status = consent.subscribe_status
                yield consent.template_id, None if status is None else status.lower()
        case inbound.SubscribeMsgSent():
            for delivery in message.items:
                yield delivery.template_id, "sent" if delivery.error_code == "0" else "failed"


def is_result(trigger: SubscribeMsgTrigger, template: str | None, status: str | None) -> bool:
    """Tell whether a result matches the trigger."""
    return trigger.template in {None, template} and trigger.status in {None, status}
