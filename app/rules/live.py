"""The rules that this process answers with, kept up to date while it runs."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.db.engine import AWAY, Database, connect
from app.rules import store
from app.rules.engine import Rule, RuleSet, compile_rules

CHANNEL: Final = "oa_bridge_rules"
CHECK_SECONDS: Final = 1.0
RECONNECT_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 2.0
MOST_LOGGED: Final = 20

Compile = Callable[[Iterable[Rule], int], RuleSet]

_AWAY = (*AWAY, SQLAlchemyError)

log = structlog.get_logger(__name__)


class LiveRules:
    """Holds the newest set of rules that compiled: `current`, None until one has been read.

    A rule that does not compile by itself is left out, and the others are taken in.

    A change arrives by NOTIFY. The version is asked for every second as well, which heals a
    missed notification and shows a lost connection; while the database is away the last set
    stays. on_reload: told True for every set taken in, False for every one that did not compile.
    """

    def __init__(
        self,
        database: Database,
        *,
        on_reload: Callable[[bool], None] = lambda _: None,
        compile_set: Compile = compile_rules,
    ) -> None:
        self.current: RuleSet | None = None
        self._database = database
        self._on_reload = on_reload
        self._compile = compile_set
        self._known: Mapping[bytes, Rule] = {}
        self._rejected: int | None = None
        self._reading = asyncio.Lock()
        self._following: bool | None = None
        self._stopping = False
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def load_once(self) -> None:
        """Read the rules and take them in; a set that does not compile leaves `current` alone.

        Raises OSError, TimeoutError, asyncpg.PostgresError or SQLAlchemyError when the database
        can't be read.
        """
        async with self._reading:
            async with self._database.sessions() as session:
                loaded = await store.load_all(session, self._known)
            self._known = loaded.by_digest
            await self._take_in(loaded)

    async def run(self) -> None:
        """Follow every change until `stop`. Outlives any loss of the database."""
        self._idle.clear()
        try:
            while not self._stopping:
                await self._follow_until_lost()
        finally:
            self._idle.set()

    async def stop(self) -> None:
        """End `run`, and return when it has ended."""
        self._stopping = True
        self._wake.set()
        await self._idle.wait()

    async def _follow_until_lost(self) -> None:
        try:
            await self._follow()
        except _AWAY as error:
            if self._following is not False:
                log.warning("rules.changes_not_followed", error=type(error).__name__)
            self._following = False
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
                # Before the question, so that a change after the answer is not slept through.
                self._wake.clear()
                await self._catch_up(connection)
                await self._pause(CHECK_SECONDS)
        finally:
            connection.terminate()

    async def _catch_up(self, connection: asyncpg.Connection) -> None:
        version = await connection.fetchval(
            "SELECT version FROM rules_version", timeout=ANSWER_SECONDS
        )
        if not self._following:
            log.info("rules.changes_followed", version=version)
            self._following = True
        known = None if self.current is None else self.current.version
        # Not "newer": a restored database may be at an earlier version.
        if version not in (known, self._rejected):
            await self.load_once()

    async def _pause(self, seconds: float) -> None:
        if self._stopping:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _take_in(self, loaded: store.Loaded) -> None:
        if loaded.broken:
            log.warning(
                "rules.rules_left_out",
                rule_ids=[broken.id for broken in loaded.broken],
                first_problem=loaded.broken[0].problem,
            )
        compiled = await asyncio.to_thread(self._compiled, loaded)
        if compiled is None:
            # Kept in mind, so that the same rules are not compiled in vain every second.
            self._rejected = loaded.version
            if self.current is not None:
                self.current = replace(self.current, newer_rejected=loaded.version)
            self._on_reload(False)
            return
        self.current = compiled
        self._rejected = None
        log.info("rules.reloaded", version=loaded.version, rules=len(compiled.ranked))
        self._on_reload(True)

    def _compiled(self, loaded: store.Loaded) -> RuleSet | None:
        """Return the compiled set; rules that break it by themselves are left out.

        None if what remains does not compile either.
        """
        left_out = [broken.id for broken in loaded.broken]
        compiled = self._compile_or_log(loaded.rules, loaded.version)
        if compiled is None:
            sound = [rule for rule in loaded.rules if self._compile_or_log([rule], loaded.version)]
            if len(sound) == len(loaded.rules):
                return None
            kept = {rule.id for rule in sound}
            left_out += [rule.id for rule in loaded.rules if rule.id not in kept]
            compiled = self._compile_or_log(sound, loaded.version)
        return None if compiled is None else replace(compiled, left_out=tuple(left_out))

    def _compile_or_log(self, rules: Sequence[Rule], version: int) -> RuleSet | None:
        try:
            return self._compile(rules, version)
        except Exception:
            # Outermost: whatever one operator's rule does to the compiler, callbacks go on.
            log.exception(
                "rules.not_compiled",
                version=version,
                rule_ids=[rule.id for rule in rules[:MOST_LOGGED]],
            )
            return None
