"""The rule that matching works with: a stored rule after validation."""

from dataclasses import dataclass

from app.rules.definition.conditions import Conditions
from app.rules.definition.triggers import AnyTrigger, FallbackTrigger, TextTrigger
from app.rules.definition.utm import Utm
from app.wechat.outbound import Message


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. appid None: for every account. conditions None: it may always answer."""

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
        """The kind of its trigger in one word: `exact`, `contains`, …, `scan`, `fallback`."""
        return self.trigger.match if isinstance(self.trigger, TextTrigger) else self.trigger.on

    @property
    def is_fallback(self) -> bool:
        """Whether the rule answers only what no other rule answers."""
        return isinstance(self.trigger, FallbackTrigger)

    @property
    def asks_facts(self) -> bool:
        """Whether its conditions depend on what the database knows of the follower."""
        return self.conditions is not None and self.conditions.ask_facts
