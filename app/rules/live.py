"""Keeps the rules that this process serves up to date with the database."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import asyncpg
import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, SystemClock
from app.db.diagnosis import describe
from app.db.engine import UNAVAILABLE_ERRORS, Database, connect
from app.rules import store
from app.rules.background import background_work, freeze_heap, release_in_slices
from app.rules.disk_copy import DiskCopy
from app.rules.matching import incremental
from app.rules.matching.incremental import Compile
from app.rules.matching.rule_set import RuleSet, compile_rules
from app.rules.models import RulesVersion

CHANNEL: Final = "oa_bridge_rules"
CHECK_SECONDS: Final = 1.0
RECONNECT_SECONDS: Final = 0.5
QUERY_SECONDS: Final = 2.0
SAVE_SECONDS: Final = 2.0
SAVE_LARGE_SECONDS: Final = 60.0

_AWAY = (*UNAVAILABLE_ERRORS, SQLAlchemyError)

log = structlog.get_logger(__name__)


class LiveRules:
    """Holds the newest set of rules that compiled: `current`, None until one has been read.

    A rule that does not compile by itself is left out, and the others are served. Only the changes
    are read and compiled, as a second layer of the set (see `matching.incremental`).

    A trigger in the database sends NOTIFY for each change. The version is read every second, too:
    this makes up for a missed notification and detects a lost connection. While the database can't
    be reached, the last set is served. on_reload: called with True for every set that is taken
    over, and with False for every set that did not compile.

    copy: where the set is saved, so that `load_copy` has rules for a start without the database.
    copied_at: when the served set was saved, if it is such a copy; None: it is the database's.
    """

    def __init__(
        self,
        database: Database,
        *,
        on_reload: Callable[[bool], None] = lambda _: None,
        compile_set: Compile = compile_rules,
        copy: DiskCopy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.current: RuleSet | None = None
        self.copied_at: datetime | None = None
        self._copy = copy
        self._clock = clock or SystemClock()
        self._saved: int | None = None
        self._save_after = 0.0
        self._saving: asyncio.Task[None] | None = None
        self._database = database
        self._on_reload = on_reload
        self._compile = compile_set
        self._rejected: int | None = None
        self._reading = asyncio.Lock()
        self._rebuilding: asyncio.Task[None] | None = None
        self._following: bool | None = None
        self._stopping = False
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def load_once(self) -> None:
        """Read what has changed and serve it. If it does not compile, `current` stays as it is.

        Raises OSError, TimeoutError, asyncpg.PostgresError or SQLAlchemyError when the database
        can't be read.
        """
        async with self._reading:
            with background_work():
                loaded = await self._load()
                compiled = await asyncio.to_thread(self._compiled, loaded)
                await self._take_over(loaded, compiled)
        self._rebuild_if_due()

    async def load_copy(self) -> None:
        """Serve the copy on disk if no rules are loaded and there is one."""
        if self._copy is None or self.current is not None:
            return
        async with self._reading:
            with background_work():
                found = await asyncio.to_thread(self._copy.load)
                if found is None:
                    return
                compiled = await asyncio.to_thread(
                    incremental.compile_all, found.rules, found.version, self._compile
                )
            if compiled is None:
                return
            self.current, self.copied_at = compiled, found.saved_at
        age = round(self.copy_age() or 0)
        log.warning("rules.copy_used", version=found.version, rules=compiled.count, age_seconds=age)
        self._on_reload(True)

    def copy_age(self) -> float | None:
        """Return the age in seconds of the copy that is served; None if it is no copy."""
        if self.copied_at is None:
            return None
        return (self._clock.now() - self.copied_at).total_seconds()

    async def newest(self) -> RuleSet | None:
        """Return `current` after loading every change that is committed by now.

        Raises what `load_once` raises.
        """
        async with self._database.sessions() as session:
            version = await session.scalar(select(RulesVersion.version))
        await self._load_if_other(version)
        return self.current

    async def run(self) -> None:
        """Load every change until `stop` is called; a lost database connection does not end it."""
        self._idle.clear()
        try:
            while not self._stopping:
                await self._follow_until_lost()
            if self._rebuilding is not None:
                await self._rebuilding
            if self._saving is not None:
                await self._saving
            await self._save_copy()
        finally:
            self._idle.set()

    async def stop(self) -> None:
        """End `run` and wait until it has ended."""
        self._stopping = True
        self._wake.set()
        await self._idle.wait()

    async def _follow_until_lost(self) -> None:
        try:
            await self._follow()
        except _AWAY as error:
            if self._following is not False:
                log.warning(
                    "rules.changes_not_followed", error=type(error).__name__, reason=describe(error)
                )
            self._following = False
            # Whoever starts now needs the copy: what changed just before must stand in it.
            if self._saving is not None:
                await self._saving
            await self._save_copy()
        except Exception:
            log.exception("rules.reload_failed")
            self._on_reload(False)
        self._wake.clear()
        await self._pause(RECONNECT_SECONDS)

    async def _follow(self) -> None:
        connection = await connect(self._database.url)
        try:
            await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
            while not self._stopping:
                # Cleared before the version is read, so that no later change is missed.
                self._wake.clear()
                await self._catch_up(connection)
                await self._pause(CHECK_SECONDS)
        finally:
            connection.terminate()

    async def _catch_up(self, connection: asyncpg.Connection) -> None:
        version = await connection.fetchval(
            "SELECT version FROM rules_version", timeout=QUERY_SECONDS
        )
        if not self._following:
            log.info("rules.changes_followed", version=version)
            self._following = True
        await self._load_if_other(version)
        self._save_copy_if_due()

    def _save_copy_if_due(self) -> None:
        under_way = self._saving is not None and not self._saving.done()
        if not under_way and time.monotonic() >= self._save_after:
            self._saving = asyncio.create_task(self._save_copy())

    async def _save_copy(self) -> None:
        rules = self.current
        if self._copy is None or rules is None or self.copied_at or rules.version == self._saved:
            return
        # A large set takes a second to write, and may change every second.
        pause = SAVE_LARGE_SECONDS if incremental.is_large(rules) else SAVE_SECONDS
        self._save_after, self._saved = time.monotonic() + pause, rules.version
        try:
            with background_work():
                await asyncio.to_thread(self._copy.save, rules, self._clock.now())
        except OSError as error:
            log.warning("rules.copy_not_saved", error=str(error.strerror or error))

    async def _load_if_other(self, version: int | None) -> None:
        known = None if self.current is None else self.current.version
        # Compared for equality: a restored database may have an earlier version.
        # A copy is always replaced: its version may be one of another database.
        if version != self._rejected and (self.copied_at is not None or version != known):
            await self.load_once()

    async def _pause(self, seconds: float) -> None:
        if self._stopping:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _load(self) -> store.Loaded:
        async with self._database.sessions() as session:
            known = self.current if self.copied_at is None else None
            changed = None if known is None else await store.load_changed(session, known.version)
            return changed or await store.load_all(session)

    def _compiled(self, loaded: store.Loaded) -> RuleSet | None:
        known = self.current
        if known is None or loaded.changed is None:
            compiled = incremental.compile_all(loaded.rules, loaded.version, self._compile)
        else:
            removed = dict.fromkeys(loaded.changed)
            changes = removed | {rule.id: rule for rule in loaded.rules}
            compiled = incremental.apply_changes(known, changes, loaded.version, self._compile)
        if compiled is None:
            return None
        left_out = (*compiled.left_out, *(broken.id for broken in loaded.broken))
        return replace(compiled, left_out=left_out, newer_rejected=None)

    async def _take_over(self, loaded: store.Loaded, compiled: RuleSet | None) -> None:
        if loaded.broken:
            log.warning(
                "rules.rules_left_out",
                rule_ids=[broken.id for broken in loaded.broken],
                first_problem=loaded.broken[0].problem,
            )
        if compiled is None:
            # Remembered, so that the same rules are not compiled again every second.
            self._rejected = loaded.version
            if self.current is not None:
                self.current = replace(self.current, newer_rejected=loaded.version)
            self._on_reload(False)
            return
        await self._serve(compiled)
        self._rejected = self.copied_at = None
        log.info("rules.reloaded", version=compiled.version, rules=compiled.count)
        self._on_reload(True)

    async def _serve(self, compiled: RuleSet) -> None:
        before, self.current = self.current, compiled
        same_base = before is not None and before.base is compiled.base
        if incremental.is_due(compiled) or (incremental.is_large(compiled) and not same_base):
            freeze_heap()
        if same_base:
            return
        if before is not None:
            rules = list(before.base.ranked)
            del before
            await asyncio.to_thread(release_in_slices, rules)

    def _rebuild_if_due(self) -> None:
        under_way = self._rebuilding is not None and not self._rebuilding.done()
        if self.current is not None and incremental.is_due(self.current) and not under_way:
            self._rebuilding = asyncio.create_task(self._rebuild(self.current))

    async def _rebuild(self, before: RuleSet) -> None:
        """Compile the whole set again, while changes are still loaded and served."""
        with background_work():
            rebuilt = await asyncio.to_thread(incremental.recompile, before, self._compile)
            async with self._reading:
                now = self.current
                if rebuilt is None or now is None or now.base is not before.base:
                    return
                compiled = await asyncio.to_thread(
                    incremental.replay_missed, rebuilt, before, now, self._compile
                )
                if compiled is not None:
                    # Without these references `_serve` can free the old set in slices.
                    del before, now
                    await self._serve(compiled)
                    log.info("rules.rebuilt", version=compiled.version, rules=compiled.count)
