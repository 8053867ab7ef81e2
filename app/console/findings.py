"""The doctor's findings as the pages show them: in one language, the worst first. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.console.messages import ENGLISH
from app.doctor.checks.registry import CHECKS
from app.doctor.finding import Both, Finding, State

_ORDER: Final = (State.FAULT, State.LOOK, State.OK, State.NOT_APPLICABLE)

# Where in the console an operator puts right what a check finds.
PAGES: Final[Mapping[str, str]] = {
    "refused-pushes": "/messages",
    "mini-program-cards": "/messages?fate=failed",
    "wechat-figures": "/figures",
    "rules": "/rules/conflicts",
    "rule-hits": "/rules",
    "pictures": "/rules",
    "media-expiry": "/rules",
    "console-replies": "/rules/import",
    "console-menu": "/menus",
    "permanent-qrcodes": "/qrcodes",
    "campaign-codes": "/campaigns",
    "webhooks": "/webhooks",
    "erasures": "/followers/erasures?state=overdue",
    "admin-tokens": "/operators/tokens",
}


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding in one language.

    page: of the console, where it is put right; None if it is not one. documentation: a page below
    `docs`, and its anchor.
    """

    check: str
    title: str
    state: State
    what: str
    fix: str | None
    appid: str | None
    since: datetime | None
    checked_at: datetime | None
    page: str | None
    documentation: str

    @property
    def place(self) -> str:
        """Where it stands on the doctor's page."""
        return self.check if self.appid is None else f"{self.check}-{self.appid}"

    @property
    def needs_action(self) -> bool:
        """Whether an operator has something to do."""
        return self.state in (State.FAULT, State.LOOK)


def shown(findings: Iterable[Finding], language: str) -> Sequence[ShownFinding]:
    """Return the findings, the worst first, else in the order of the checks."""
    ordered = sorted(findings, key=lambda finding: _ORDER.index(finding.state))
    return [_shown(finding, language) for finding in ordered]


def _shown(finding: Finding, language: str) -> ShownFinding:
    def words(both: Both) -> str:
        return both.en if language == ENGLISH else both.zh

    return ShownFinding(
        check=finding.check,
        title=words(CHECKS[finding.check].title),
        state=finding.state,
        what=words(finding.what),
        fix=None if finding.fix is None else words(finding.fix),
        appid=finding.appid,
        since=finding.since,
        checked_at=finding.checked_at,
        page=PAGES.get(finding.check),
        documentation=f"docs/{language}/{finding.documentation}",
    )
