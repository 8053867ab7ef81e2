"""What a check finds: a state, one sentence what is wrong, one sentence what to do. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from app.wechat.errcodes.words import Both

__all__ = ["Both", "Finding", "State", "fault", "look", "not_applicable", "ok", "verdict"]

PAGE: Final = "doctor.md"


class State(StrEnum):
    """look (需留意): it works, but an operator should look at it. fault (有故障): it does not work.

    not_applicable: there is nothing to check, or it can't be checked now; the sentence says which.
    """

    OK = "ok"
    LOOK = "look"
    FAULT = "fault"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check, of one account if appid is set.

    what: one sentence, what is so or what is wrong. fix: one sentence, what to do; None: nothing.
    since: of this state; None until it is known. checked_at: of the probe that it rests on; None:
    it was looked at just now. evidence: WeChat's own words, as JSON; never a secret.
    """

    check: str
    state: State
    what: Both
    fix: Both | None = None
    appid: str | None = None
    since: datetime | None = None
    checked_at: datetime | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def documentation(self) -> str:
        """The section about this check: a page below `docs/en` or `docs/zh`, and its anchor."""
        return f"{PAGE}#{self.check}"


def ok(check: str, what: Both, **more: Any) -> Finding:  # noqa: ANN401 - fields of Finding
    """Return a finding with which all is well."""
    return Finding(check, State.OK, what, **more)


def look(check: str, what: Both, fix: Both, **more: Any) -> Finding:  # noqa: ANN401
    """Return a finding that an operator should look at."""
    return Finding(check, State.LOOK, what, fix, **more)


def fault(check: str, what: Both, fix: Both, **more: Any) -> Finding:  # noqa: ANN401
    """Return a finding that needs to be corrected."""
    return Finding(check, State.FAULT, what, fix, **more)


def not_applicable(check: str, what: Both, **more: Any) -> Finding:  # noqa: ANN401
    """Return a finding of a check that has nothing to look at."""
    return Finding(check, State.NOT_APPLICABLE, what, **more)


def verdict(findings: Iterable[Finding]) -> State:
    """Return the worst state: fault, look, or ok."""
    states = {finding.state for finding in findings}
    return next((state for state in (State.FAULT, State.LOOK) if state in states), State.OK)
