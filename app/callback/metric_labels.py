"""The labels that callbacks are counted under.

Only the protocol's own names become labels, so that no push can add a time series.
"""

from functools import lru_cache
from typing import Final

from prometheus_client import Counter

from app import metrics
from app.wechat.inbound import Inbound, Unsupported
from app.wechat.inbound.other_events import CARD_AND_GUIDE_EVENTS
from app.wechat.inbound.registry import EVENTS, MESSAGES

UNKNOWN_TYPE: Final = "unknown"
UNSUPPORTED_TYPE: Final = "unsupported"
# In lower case: the platform's own samples differ in case.
EVENT_TYPES: Final = frozenset({*EVENTS, *CARD_AND_GUIDE_EVENTS})


def callback_type(msgtype: str, event: str | None) -> str:
    """Return the `type` label: `text`, `event:subscribe`, … or `unknown`.

    msgtype: `counted_msgtype` of the push.
    """
    if event is None:
        known = msgtype in MESSAGES or msgtype == UNSUPPORTED_TYPE
        return msgtype if known else UNKNOWN_TYPE
    name = event.lower()
    return f"event:{name}" if name in EVENT_TYPES else UNKNOWN_TYPE


def counted_msgtype(message: Inbound) -> str:
    """Return the MsgType of a push; a sticker, which arrives as a text, is counted apart."""
    return UNSUPPORTED_TYPE if isinstance(message, Unsupported) else message.msgtype


# Looking a time series up costs more than counting in it.
@lru_cache(maxsize=1024)
def callback_counter(appid: str, msgtype: str, event: str | None, result: str) -> Counter:
    """Return the counter of the callbacks of an account, of one type and with one result."""
    return metrics.CALLBACKS.labels(appid, callback_type(msgtype, event), result)
