"""All triggers as one type, distinguished by their member `on`."""

from typing import Annotated

from pydantic import Field

from app.rules.definition.event_triggers import (
    ClickTrigger,
    EventTrigger,
    LocationTrigger,
    ScanTrigger,
    SubscribeMsgTrigger,
    SubscribeTrigger,
    UnsubscribeTrigger,
    ViewMiniProgramTrigger,
    ViewTrigger,
    keys_of,
)
from app.rules.definition.text_triggers import (
    FallbackTrigger,
    Match,
    MsgMenuTrigger,
    TextTrigger,
    UnsupportedTrigger,
)

AnyTrigger = (
    TextTrigger
    | MsgMenuTrigger
    | UnsupportedTrigger
    | SubscribeTrigger
    | UnsubscribeTrigger
    | ScanTrigger
    | ClickTrigger
    | ViewTrigger
    | ViewMiniProgramTrigger
    | SubscribeMsgTrigger
    | LocationTrigger
    | EventTrigger
    | FallbackTrigger
)

Trigger = Annotated[AnyTrigger, Field(discriminator="on")]
"""Any trigger, as the type of a field in a schema."""

__all__ = [
    "AnyTrigger",
    "ClickTrigger",
    "EventTrigger",
    "FallbackTrigger",
    "LocationTrigger",
    "Match",
    "MsgMenuTrigger",
    "ScanTrigger",
    "SubscribeMsgTrigger",
    "SubscribeTrigger",
    "TextTrigger",
    "Trigger",
    "UnsubscribeTrigger",
    "UnsupportedTrigger",
    "ViewMiniProgramTrigger",
    "ViewTrigger",
    "keys_of",
]
