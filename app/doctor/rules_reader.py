"""Reads what is wrong with the enabled rules. The rules are compiled anew only when they change."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from app import tracing
from app.clock import Clock
from app.db.engine import SessionFactory
from app.doctor.facts import BadMedium, RulesReport
from app.rules import store
from app.rules.background import background_work
from app.rules.conflicts import detect
from app.rules.conflicts.detect import ConflictKind
from app.rules.definition.rule import Rule
from app.rules.matching.compile_valid import compile_valid
from app.rules.models import RulesVersion
from app.rules.store import Loaded
from app.rules.text.regex import BadPattern
from app.settings import Settings
from app.wechat.outbound import MediaUse, media_of
from app.wechat_client.check_media import wrong_with_file

# A rule may also end without a change, so that it is looked at again after this.
VALID_FOR: Final = timedelta(minutes=10)
MAX_FILES: Final = 2000
# From so many on a page does not wait for them.
MANY_RULES: Final = 1000


@dataclass(frozen=True, slots=True)
class _Known:
    """A report without the files, which change by themselves. files: rule and use."""

    version: int
    at: datetime
    report: RulesReport
    files: tuple[tuple[int, MediaUse], ...]


class RulesReader:
    """Reports on the enabled rules; it remembers the report of the last version."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._known: _Known | None = None
        self._examining: asyncio.Task[_Known | None] | None = None

    async def read(self, sessions: SessionFactory) -> RulesReport | None:
        """Return the report; None if the rules do not compile together.

        Many rules take a second: then the report before is returned, while they are examined.
        """
        now = self._clock.now()
        async with sessions() as session:
            version = await session.scalar(select(RulesVersion.version))
        known = self._known
        if known is None or known.version != version or now - known.at > VALID_FOR:
            if self._examining is None or self._examining.done():
                examining = self._read_anew(sessions, now)
                self._examining = asyncio.create_task(examining, context=tracing.no_context())
                # Where nobody waits, the next who asks begins anew.
                self._examining.add_done_callback(lambda task: task.cancelled() or task.exception())
            if known is None or known.report.count < MANY_RULES:
                known = await asyncio.shield(self._examining)
        if known is None:
            return None
        bad = await asyncio.to_thread(self._bad_media, known.files)
        return replace(known.report, bad_media=bad)

    async def _read_anew(self, sessions: SessionFactory, now: datetime) -> _Known | None:
        async with sessions() as session:
            loaded = await store.load_all(session)
        with background_work():
            try:
                self._known = await asyncio.to_thread(self._examine, loaded, now)
            except BadPattern:
                self._known = None
        return self._known

    def _examine(self, loaded: Loaded, now: datetime) -> _Known:
        compiled = compile_valid(loaded.rules, loaded.version, self._settings.rules_per_message)
        conflicts = list(detect.find(compiled.rules, now, self._settings.mini_programs))
        report = RulesReport(
            count=compiled.rules.count,
            by_account=Counter(rule.appid for rule in loaded.rules),
            left_out=[*(row.id for row in loaded.broken), *(rule.id for rule in compiled.broken)],
            unreachable=[one.rule_id for one in conflicts if one.unreachable],
            unknown_mini_programs={
                one.rule_id: one.mini_program or ""
                for one in conflicts
                if one.kind is ConflictKind.MINI_PROGRAM
            },
            media_ids={
                rule.id: ids for rule in loaded.rules if (ids := tuple(_media_ids_of(rule)))
            },
        )
        files = {use: rule.id for rule in loaded.rules for use in _files_of(rule)}
        listed = tuple((rule_id, use) for use, rule_id in files.items())
        return _Known(loaded.version, now, report, listed[:MAX_FILES])

    def _bad_media(self, files: Sequence[tuple[int, MediaUse]]) -> list[BadMedium]:
        found = []
        for rule_id, use in files:
            name = str(use.source.file)
            wrong = wrong_with_file(self._settings.media_path, use, name)
            if wrong is not None:
                found.append(BadMedium(rule_id, name, wrong))
        return found


def _files_of(rule: Rule) -> Iterator[MediaUse]:
    return (use for reply in rule.replies for use in media_of(reply) if use.source.file is not None)


def _media_ids_of(rule: Rule) -> Iterator[str]:
    for reply in rule.replies:
        for use in media_of(reply):
            if use.source.media_id is not None:
                yield use.source.media_id
