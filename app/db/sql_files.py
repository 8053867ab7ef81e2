"""Loads the database's own functions and triggers, one file each in `app/db/sql`.

A file is named after its function or trigger. It holds a comment that says what the object does
and why, and then one CREATE OR REPLACE statement. It is always the present text.

The rule: each file is loaded by exactly one migration, the newest that changed it. To change a
function or trigger:

1. Edit its file. A trigger is written in the words in which Postgres prints it (see `load`).
2. Write a migration whose SQL_FILES has the name with the digest of the file's new statement, and
   whose `upgrade` calls `load(SQL_FILES)`. Its `downgrade` carries the former text itself.
3. Take the name out of SQL_FILES of the migration that loaded the file before: that migration
   may run before the tables or columns exist which the new text needs.

A new function gets a file and a migration in the same way. To remove one, drop it in a migration,
delete its file and take the name out of SQL_FILES. Old code keeps running while a migration is
applied, so a function keeps its parameters and the meaning of its result; a function with other
parameters gets a new name. `tests/migrations/test_sql_files.py` checks all of this.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from alembic import op
from sqlalchemy import text

FOLDER: Final = Path(__file__).parent / "sql"
DIGEST_LENGTH: Final = 16

_COMMENT: Final = re.compile(r"\A(?:--.*\n)+")
_TRIGGERS: Final = text(
    "SELECT pg_get_triggerdef(oid, true) FROM pg_trigger WHERE tgname = :name AND NOT tgisinternal"
)


def statement_of(name: str) -> str:
    """Return the statement of one file, without the comment above it."""
    return _COMMENT.sub("", (FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def digest_of(name: str) -> str:
    """Return the digest by which a migration names the text that it loads.

    The comment above the statement does not count: it may be improved without a migration.
    """
    return hashlib.sha256(statement_of(name).encode()).hexdigest()[:DIGEST_LENGTH]


def load(names: Iterable[str]) -> None:
    """Create or replace functions and triggers in the migration's database, in this order.

    Replacing a function locks no table. Replacing a trigger waits for every transaction that has
    written to its table and makes new writers wait meanwhile: on `openids` those are the
    callbacks. A trigger is therefore left alone if the database has the very text already.
    """
    connection = op.get_bind()
    for name in names:
        statement = statement_of(name)
        present = connection.execute(_TRIGGERS, {"name": name}).scalars()
        if _words(statement) not in map(_words, present):
            connection.exec_driver_sql(statement)


def _words(definition: str) -> list[str]:
    """Return a definition without OR REPLACE, the closing semicolon and its line breaks."""
    return definition.replace(" OR REPLACE ", " ", 1).rstrip(";\n").split()
