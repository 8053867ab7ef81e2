"""What `/api/doctor` and `oa-bridge doctor --json` return."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from app.doctor.checks.registry import CHECKS
from app.doctor.finding import Both, Finding, State, verdict


class Words(BaseModel):
    """One text in both languages."""

    en: str
    zh: str


class FindingOut(BaseModel):
    """What one check finds."""

    check: str
    title: Words
    state: State
    appid: str | None = Field(description="The account that it is about; null: none")
    since: datetime | None = Field(description="Since when it is in this state, if that is known")
    checked_at: datetime | None = Field(
        description="Of the call of WeChat that it rests on; null: it was looked at just now"
    )
    what: Words
    fix: Words | None
    evidence: dict[str, Any] = Field(description="WeChat's own words, such as errcode and rid")
    documentation: str = Field(description="The section below docs/en or docs/zh")


class DoctorOut(BaseModel):
    """state: the worst one of all findings."""

    state: State
    findings: list[FindingOut]


class CheckOut(BaseModel):
    """A worker asks WeChat soon; then the findings have a later `checked_at`."""

    queued: bool = True


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
