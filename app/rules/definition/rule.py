"""A rule as it answers: what is stored of it, validated."""

from dataclasses import dataclass

from app.rules.definition.conditions import Conditions
from app.rules.definition.triggers import AnyTrigger, FallbackTrigger, TextTrigger
from app.rules.definition.utm import Utm
from app.wechat.outbound import Message


@dataclass(frozen=True, slots=True)
class Rule:
    """An enabled rule. appid None: every account. conditions None: it always may answer."""

    id: int
    name: str
    appid: str | None
    priority: int
    trigger: AnyTrigger
    replies: tuple[Message, ...]
    conditions: Conditions | None = None
    utm: Utm | None = None

    @property
    def kind(self) -> str:
        """What the rule waits for, in one word: `exact`, `contains`, …, `scan`, `fallback`."""
        return self.trigger.match if isinstance(self.trigger, TextTrigger) else self.trigger.on

    @property
    def is_fallback(self) -> bool:
        """Whether the rule only answers what no other rule does."""
        return isinstance(self.trigger, FallbackTrigger)

    @property
    def asks_facts(self) -> bool:
        """Whether it takes what the database knows of the follower to say if it may answer."""
        return self.conditions is not None and self.conditions.ask_facts
