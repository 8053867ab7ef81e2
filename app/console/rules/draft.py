"""A rule that is being edited: what the form sends, before anything is saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from app.console.render import zone_of
from app.console.rules.form import Document, document_of
from app.rules.definition.schemas import RuleIn
from app.rules.matching.incremental import apply_changes
from app.rules.matching.rule_set import RuleSet, compile_rules
from app.rules.store import rule_of
from app.settings import Settings
from app.wechat_client.media_source import MAX_BYTES

MAX_FIELDS: Final = 6000
UPLOAD: Final = "upload:"
MAX_FILES: Final = 30
MAX_DIGITS: Final = 18


class Upload(NamedTuple):
    """A file that was chosen beside a field. name: where it comes from."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule that is edited. rule_id: None for a new one. revision: that it was read with.

    upload: the file that the button is about; at most one byte more than WeChat takes.
    """

    rule_id: int | None
    revision: int | None
    document: Document
    form: Mapping[str, str]
    upload: Upload | None = None

    @property
    def action(self) -> str:
        """What the button that was pressed does."""
        return self.form.get("action", "draw")


async def read_draft(request: Request) -> Draft:
    """Return what the form of the editor holds."""
    async with request.form(max_files=MAX_FILES, max_fields=MAX_FIELDS) as form:
        texts = _texts(form)
        chosen = form.get(f"upload.{texts.get('action', '').removeprefix(UPLOAD)}")
        upload = None
        if isinstance(chosen, UploadFile) and chosen.filename:
            upload = Upload(chosen.filename, await chosen.read(MAX_BYTES["image"] + 1))
    document = document_of(texts, zone_of(request))
    rule_id, revision = _number(texts.get("rule_id")), _number(texts.get("revision"))
    return Draft(rule_id, revision, document, texts, upload)


def with_rule(
    rules: RuleSet, rule_id: int | None, rule: RuleIn, settings: Settings
) -> tuple[RuleSet | None, int]:
    """Return the served rules with one of them as it was edited, and its id.

    A rule is judged as if it were switched on. A new one gets the id that it would get. None: the
    set does not compile with it. It takes long for many rules.
    """
    own = rule_id or max((known.id for known in rules.ranked), default=0) + 1
    compile_set = partial(compile_rules, most=settings.rules_per_message)
    return apply_changes(rules, {own: rule_of(own, rule)}, rules.version, compile_set), own


def _texts(form: FormData) -> Mapping[str, str]:
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


def _number(text: Any) -> int | None:  # noqa: ANN401 - of a form
    return (
        int(text) if isinstance(text, str) and text.isdigit() and len(text) <= MAX_DIGITS else None
    )
