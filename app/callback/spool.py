"""The local spool: verified callbacks on disk while the database is unavailable.

SQLite from the standard library with WAL and synchronous=FULL: what `append` has stored survives
a kill -9 and a power cut. All processes of a machine share one file. The process that holds the
lock file drains it, so that it is drained in order and once.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from app.callback.drain_mark import DrainMark
from app.callback.record import RECORDS, Record
from app.callback.repeated_follows import is_another, may_be_another, with_next_key
from app.callback.reserve import Reserve

SCHEMA = """
CREATE TABLE IF NOT EXISTS spooled (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    appid TEXT NOT NULL,
    dedupe_key BLOB NOT NULL,
    passive TEXT,
    record BLOB NOT NULL,
    refused INTEGER NOT NULL DEFAULT 0,
    UNIQUE (appid, dedupe_key)
)
"""
# Drawn with the file, so that a drain mark of an earlier file is known as such.
_IDENTITY_SCHEMA = "CREATE TABLE IF NOT EXISTS spool_identity (identity BLOB NOT NULL)"
_DRAW_IDENTITY = """
INSERT INTO spool_identity (identity)
SELECT randomblob(16) WHERE NOT EXISTS (SELECT 1 FROM spool_identity)
"""
BUSY_SECONDS = 1.5
REMOVED_AT_ONCE = 100
MAX_OF_A_PERSON = 100

T = TypeVar("T")


class SpoolFull(Exception):
    """The spool has reached its limit; WeChat is asked to try again."""


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """What readiness and metrics show of the spool.

    count: callbacks that are still to be committed. dead_letters: callbacks that the database
    refused, kept for an operator. refusing: whether callbacks were refused just now, because
    neither the database nor the spool could store them.
    """

    enabled: bool
    count: int
    limit: int
    dead_letters: int = 0
    refusing: bool = False

    @property
    def full(self) -> bool:
        """Whether nothing more fits."""
        return self.count >= self.limit


@dataclass(frozen=True, slots=True)
class Spooled:
    """One callback on disk. number: its place in the order of arrival. data: see `read`."""

    number: int
    data: bytes

    def read(self) -> Record:
        """Return the record. Raises ValueError when this release can't read it."""
        return RECORDS.validate_json(self.data)


class Spool:
    """One process's access to the spool: the shared file, and the right to drain if it has it."""

    def __init__(self, folder: Path, *, limit: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "spool.sqlite3"
        self._lock_path = folder / "spool.lock"
        self._lock_file: IO[bytes] | None = None
        self._limit = limit
        self._connection: sqlite3.Connection | None = None
        self._mark: DrainMark | None = None
        self._mark_path = folder / "spool.mark"
        self._reserve = Reserve(folder / "spool.reserve")
        # One thread: a SQLite connection serves one call at a time, off the event loop.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")

    @property
    def limit(self) -> int:
        """How many callbacks the spool may hold."""
        return self._limit

    async def append(self, batch: Sequence[Record]) -> list[str | None]:
        """Store `batch` durably; return the passive reply of the first copy of each record.

        Raises SpoolFull when the batch does not fit, OSError or sqlite3.Error when the disk
        fails; then nothing of the batch is stored.
        """
        return await self._run(lambda: self._append(batch))

    async def oldest(self, limit: int) -> list[Spooled]:
        """Return up to `limit` callbacks in the order of arrival."""
        rows = await self._run(lambda: self._oldest(limit))
        return [Spooled(number, data) for number, data in rows]

    async def dead_letters(self) -> list[Spooled]:
        """Return the callbacks that the database refused."""
        rows = await self._run(self._dead_letters)
        return [Spooled(number, data) for number, data in rows]

    async def count_dead_letters(self) -> int:
        """Return how many callbacks the database refused."""
        return await self._run(self._count_dead_letters)

    async def room(self) -> int:
        """Return how many callbacks still fit."""
        return max(0, self._limit - await self.count())

    async def mark_drained(self, number: int) -> None:
        """Note that all callbacks up to `number` are committed or dead letters. Needs no room."""
        await self._run(lambda: self._open_mark().write(number))

    async def remove_drained(self) -> None:
        """Delete the callbacks up to the mark; no trace of them is left in the files.

        Raises sqlite3.Error or OSError when the disk does not even have room for that; nothing
        but disk space is lost by it.
        """
        await self._run(self._remove_drained)

    async def remove_dead_letters(self, numbers: Sequence[int]) -> None:
        """Delete callbacks that the database refused; no trace of them is left in the files."""
        await self._run(lambda: self._remove([(number,) for number in numbers]))

    async def dead_letter(self, number: int) -> None:
        """Mark a callback that the database refuses, so that the others can be drained."""
        await self._run(
            lambda: self._write("UPDATE spooled SET refused = 1 WHERE id = ?", [(number,)])
        )

    async def count(self) -> int:
        """Return how many callbacks are still to be committed."""
        return await self._run(self._count)

    def may_drain(self) -> bool:
        """Take the right to drain, or tell that another process has it."""
        if self._lock_file is not None:
            return True
        file = self._lock_path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock_file = file
        return True

    def leave_draining(self) -> None:
        """Give the right to drain back."""
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    async def close(self) -> None:
        """Close the file and give up the right to drain."""
        self.leave_draining()
        await self._run(self._close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
            os.close(descriptor)
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            # SQLite does not wait where two processes ask for the journal of a new file at once.
            with _alone_in(self._path.parent):
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            # What is deleted is overwritten: it may belong to a person who is erased.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(SCHEMA)
            self._connection = connection
            self._reserve.fill()
        return self._connection

    def _identity(self) -> bytes:
        """Return the identity of the file; where the disk is full, one of this process alone."""
        try:
            connection = self._open()
            connection.execute(_IDENTITY_SCHEMA)
            connection.execute(_DRAW_IDENTITY)
            identity: bytes = connection.execute("SELECT identity FROM spool_identity").fetchone()[
                0
            ]
        except sqlite3.Error:
            return os.urandom(16)
        return identity

    def _open_mark(self) -> DrainMark:
        if self._mark is None:
            self._mark = DrainMark(self._mark_path, self._identity())
        return self._mark

    def _append(self, batch: Sequence[Record]) -> list[str | None]:
        with self._transaction() as connection:
            if self._count() + len(batch) > self._limit:
                raise SpoolFull
            stored = [self._insert(connection, record) for record in batch]
            return [self._first_passive(record.appid, record.dedupe_key) for record in stored]

    def _insert(self, connection: sqlite3.Connection, record: Record) -> Record:
        """Store a record unless it is a copy; return it with the key under which it stands."""
        while True:
            added = connection.execute(
                "INSERT OR IGNORE INTO spooled (appid, dedupe_key, passive, record) "
                "VALUES (?, ?, ?, ?)",
                (record.appid, record.dedupe_key, record.passive, RECORDS.dump_json(record)),
            )
            if added.rowcount or not may_be_another(record):
                return record
            first, *after = self._since_first(connection, record)
            if not is_another(record, first, after):
                return record
            record = with_next_key(record)

    def _since_first(self, connection: sqlite3.Connection, record: Record) -> list[Record]:
        """Return the first record with the key of this one, and the person's next ones."""
        rows = connection.execute(
            "SELECT s.record FROM spooled s, "
            "(SELECT id FROM spooled WHERE appid = ? AND dedupe_key = ?) AS first "
            "WHERE s.id = first.id OR (s.id > first.id AND instr(s.record, ?)) "
            "ORDER BY s.id LIMIT ?",
            (record.appid, record.dedupe_key, record.openid.encode(), MAX_OF_A_PERSON),
        )
        return [RECORDS.validate_json(data) for (data,) in rows]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Run the block in a transaction; a failure, of the COMMIT too, leaves none open."""
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _first_passive(self, appid: str, key: bytes) -> str | None:
        row = self._open().execute(
            "SELECT passive FROM spooled WHERE appid = ? AND dedupe_key = ?", (appid, key)
        )
        passive: str | None = row.fetchone()[0]
        return passive

    def _oldest(self, limit: int) -> list[tuple[int, bytes]]:
        with closing(
            self._open().execute(
                "SELECT id, record FROM spooled WHERE refused = 0 AND id > ? ORDER BY id LIMIT ?",
                (self._open_mark().read(), limit),
            )
        ) as cursor:
            return cursor.fetchall()

    def _write(self, statement: str, rows: Sequence[tuple[int]]) -> None:
        try:
            self._write_once(statement, rows)
        except (sqlite3.Error, OSError):
            self._reserve.release()
            self._write_once(statement, rows)

    def _write_once(self, statement: str, rows: Sequence[tuple[int]]) -> None:
        with self._transaction() as connection:
            connection.executemany(statement, rows)

    def _remove(self, rows: Sequence[tuple[int]]) -> None:
        self._write("DELETE FROM spooled WHERE id = ?", rows)
        self._shorten_journal()

    def _remove_drained(self) -> None:
        mark = self._open_mark()
        drained = mark.read()
        if not drained:
            return
        try:
            while self._remove_some(drained):
                pass
        except (sqlite3.Error, OSError):
            self._reserve.release()
            while self._remove_some(drained):
                # Overwritten pages stand in the journal first: it must not grow on a full disk.
                self._shorten_journal()
        self._shorten_journal()
        # Nothing up to the mark is left but dead letters, which an operator may put back.
        if mark.read() == drained:
            mark.write(0)
        self._reserve.fill()

    def _remove_some(self, drained: int) -> bool:
        with self._transaction() as connection:
            removed = connection.execute(
                "DELETE FROM spooled WHERE id IN (SELECT id FROM spooled "
                "WHERE refused = 0 AND id <= ? ORDER BY id LIMIT ?)",
                (drained, REMOVED_AT_ONCE),
            )
            return removed.rowcount > 0

    def _shorten_journal(self) -> None:
        if not self._count():
            self._open().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _dead_letters(self) -> list[tuple[int, bytes]]:
        with closing(
            self._open().execute("SELECT id, record FROM spooled WHERE refused = 1")
        ) as cursor:
            return cursor.fetchall()

    def _count_dead_letters(self) -> int:
        row = self._open().execute("SELECT count(*) FROM spooled WHERE refused = 1").fetchone()
        return int(row[0])

    def _count(self) -> int:
        row = self._open().execute(
            "SELECT count(*) FROM spooled WHERE refused = 0 AND id > ?", (self._open_mark().read(),)
        )
        return int(row.fetchone()[0])

    def _close(self) -> None:
        if self._mark is not None:
            self._mark.close()
            self._mark = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process is in this block with the same folder, and run it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
