"""What `/api/doctor` and `oa-bridge doctor --json` return."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.api_model import ApiModel
from app.doctor.checks.registry import CHECKS
from app.doctor.finding import Both, Finding, State, verdict


class Words(ApiModel):
    """One text in both languages."""

    en: str
    """The text in English."""
    zh: str
    """The text in Chinese."""


class FindingOut(ApiModel):
    """What one check finds."""

    check: str
    """The name of the check, which never changes."""
    title: Words
    """What is checked."""
    state: State
    """ok; look: an operator should look; fault: something does not work; or not applicable."""
    appid: str | None
    """The account that it is about; null: none."""
    since: datetime | None
    """Since when it is in this state, if that is known."""
    checked_at: datetime | None
    """When WeChat gave the answer that it rests on; null: it was looked at just now."""
    what: Words
    """What was found, in one sentence."""
    fix: Words | None
    """What to do, in one sentence; null: nothing."""
    evidence: dict[str, Any]
    """WeChat's own words, such as errcode and rid."""
    documentation: str
    """The section below docs/en or docs/zh."""


class DoctorOut(ApiModel):
    """What the whole link looks like."""

    state: State
    """The worst state of all findings."""
    findings: list[FindingOut]
    """What each check finds, for each account that it is about."""


class CheckOut(ApiModel):
    """A worker asks WeChat soon; then the findings have a later `checked_at`."""

    queued: bool = True
    """Whether a worker was told."""


def doctor_out(findings: Sequence[Finding]) -> DoctorOut:
    """Return findings as JSON shows them."""
    return DoctorOut(state=verdict(findings), findings=[_out(finding) for finding in findings])


def _out(finding: Finding) -> FindingOut:
    return FindingOut(
        check=finding.check,
        title=_words(CHECKS[finding.check].title),
        state=finding.state,
        appid=finding.appid,
        since=finding.since,
        checked_at=finding.checked_at,
        what=_words(finding.what),
        fix=None if finding.fix is None else _words(finding.fix),
        evidence=dict(finding.evidence),
        documentation=finding.documentation,
    )


def _words(both: Both) -> Words:
    return Words(en=both.en, zh=both.zh)
