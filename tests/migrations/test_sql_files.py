"""The files in app/db/sql are all the functions and triggers of a migrated database."""

import ast
import asyncio
from collections.abc import Iterable
from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from app.db import migrate
from app.db.engine import Database, open_database
from app.db.sql_files import FOLDER, digest_of, load, statement_of
from tests.waiting import PATIENCE_SECONDS

APP = FOLDER.parents[1]

# What belongs to an extension or to PgQueuer is not ours.
FUNCTIONS = """
SELECT proname, pg_get_functiondef(pg_proc.oid) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace AND proname NOT LIKE '%pgqueuer%'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""
TRIGGERS = """
SELECT tgname, tgenabled::text || ' ' || pg_get_triggerdef(oid) FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid::regclass::text NOT LIKE 'pgqueuer%'
"""


def file_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def functions_first() -> list[str]:
    return sorted(file_names(), key=lambda name: "TRIGGER" in statement_of(name).splitlines()[0])


def definitions(connection: Connection) -> list[tuple[str, str]]:
    """Return every function and trigger of ours with the text that Postgres has of it."""
    found = [
        (name, definition)
        for query in (FUNCTIONS, TRIGGERS)
        for name, definition in connection.execute(text(query))
    ]
    return sorted(found)


def load_into(connection: Connection, names: Iterable[str]) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        load(names)


def migrations() -> list[Script]:
    scripts = ScriptDirectory(str(migrate.MIGRATIONS))
    return list(scripts.walk_revisions())


def loaded_by(script: Script) -> dict[str, str]:
    """Return the files that a migration loads, each with its digest."""
    files: dict[str, str] = getattr(script.module, "SQL_FILES", {})
    return files


async def test_each_function_and_trigger_of_the_database_has_one_file(database: Database) -> None:
    async with database.engine.connect() as connection:
        present = await connection.run_sync(definitions)

    assert [name for name, _ in present] == file_names()


async def test_each_file_holds_the_text_that_the_database_has(database: Database) -> None:
    async with database.engine.connect() as connection:
        migrated = await connection.run_sync(definitions)
        for name in functions_first():
            await connection.exec_driver_sql(statement_of(name))
        as_in_the_files = await connection.run_sync(definitions)

    assert as_in_the_files == migrated


def test_each_file_is_loaded_by_one_migration_in_its_present_text() -> None:
    loaded = sorted(item for script in migrations() for item in loaded_by(script).items())

    # A file that was changed is loaded by a new migration: see `app.db.sql_files`.
    assert loaded == [(name, digest_of(name)) for name in file_names()]


def test_a_migration_loads_what_it_lists() -> None:
    for script in migrations():
        code = ast.parse(Path(script.path).read_text(encoding="utf-8"))
        calls = [
            ast.unparse(node)
            for node in ast.walk(code)
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "load"
        ]
        assert calls == (["load(SQL_FILES)"] if loaded_by(script) else []), script.path


async def test_loading_the_same_text_again_touches_no_trigger(database: Database) -> None:
    rows = text("SELECT xmin::text, oid FROM pg_trigger WHERE NOT tgisinternal ORDER BY oid")
    async with database.engine.begin() as connection:
        before = (await connection.execute(rows)).all()

        await connection.run_sync(load_into, functions_first())

        assert (await connection.execute(rows)).all() == before


async def test_loading_replaces_what_has_another_text(database: Database) -> None:
    async with database.engine.begin() as connection:
        before = await connection.run_sync(definitions)
        for statement in (
            "CREATE OR REPLACE TRIGGER oa_bridge_identity_inserted AFTER INSERT ON openids "
            "FOR EACH ROW EXECUTE FUNCTION oa_bridge_identity_learned()",
            "CREATE OR REPLACE FUNCTION oa_bridge_settled_position() RETURNS bigint "
            "LANGUAGE sql AS 'SELECT 1::bigint'",
        ):
            await connection.exec_driver_sql(statement)
        changed = await connection.run_sync(definitions)

        await connection.run_sync(load_into, functions_first())

        assert len(set(changed) - set(before)) == 2
        assert await connection.run_sync(definitions) == before


async def test_the_files_are_loaded_while_callbacks_and_rules_are_being_stored(
    empty: Database,
) -> None:
    await migrate.upgrade(empty.engine, "0011")
    # Of another process, as those that store them are.
    others = open_database(empty.url)
    async with others.engine.connect() as writing:
        await writing.execute(text("LOCK TABLE openids, rules IN ROW EXCLUSIVE MODE"))

        async with asyncio.timeout(PATIENCE_SECONDS):
            await migrate.upgrade(empty.engine, "0012")
    await others.close()

    assert await migrate.current(empty.engine) == "0012"


def test_each_function_and_trigger_is_named_where_python_depends_on_it() -> None:
    docstrings = "\n".join(
        ast.get_docstring(node) or ""
        for path in APP.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    )

    assert [name for name in file_names() if f"`{name}`" not in docstrings] == []
