"""Says in one sentence why the database can't be used, and what to do about it. Pure.

No value is shown: the messages of the server and of the driver may quote what a follower wrote.
"""

import socket
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

NOT_MIGRATED: Final = "the database is not up to date: run oa-bridge migrate"
NEVER_MIGRATED: Final = "the database has no tables of OA Bridge yet: run oa-bridge migrate"
# Undefined schema, table, column and function.
SCHEMA_STATES: Final = frozenset({"3F000", "42P01", "42703", "42883"})

_BROKEN: Final = "the connection to the database broke: look at the log of Postgres if it goes on"

_BY_STATE: Final = {
    **dict.fromkeys(SCHEMA_STATES, NOT_MIGRATED),
    "28P01": "the database refuses the user and password of DATABASE_URL: correct them",
    "28000": (
        "the database does not let the user of DATABASE_URL in: correct the user, or allow it in "
        "pg_hba.conf"
    ),
    "3D000": (
        "the database that DATABASE_URL names does not exist: correct its name, or create it with "
        "CREATE DATABASE"
    ),
    "42501": (
        "the user of DATABASE_URL lacks a right: run migrate as the owner of the database, and "
        "deploy/postgres/roles.sql for the user of serve and worker"
    ),
    "53300": ("Postgres has no free connection: raise its max_connections, or run fewer processes"),
    "53100": "the disk of Postgres is full: make room on it",
    "55P03": "another transaction holds a table that is needed: run the command again",
    "57P03": "Postgres is starting or stopping: wait, and look at its log if it does not end",
    "25006": "the database is read-only, as a standby is: name the primary in DATABASE_URL",
}

# The first that fits counts.
_BY_TYPE: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (PoolTimeoutError, "all connections of this process to the database are in use: try again"),
    (
        TimeoutError,
        "the database does not answer in time: look at the load of its machine, and at the network "
        "and DATABASE_URL if that is another one",
    ),
    (
        asyncpg.exceptions.ClientConfigurationError,
        "DATABASE_URL can't be used: write it as postgresql://user:password@host:5432/name, and "
        "@ in the password as %40, % as %25",
    ),
    (
        socket.gaierror,
        "the host in DATABASE_URL is not found: correct its name, or check the DNS",
    ),
    (
        PermissionError,
        "this user may not open the socket of the database: correct the permissions of its "
        "folder, or DATABASE_URL",
    ),
    (ConnectionResetError, _BROKEN),
    (BrokenPipeError, _BROKEN),
    (
        OSError,
        "can't connect to the database: nothing listens at the host and port of DATABASE_URL; "
        "start Postgres, or correct them",
    ),
    (asyncpg.InterfaceError, _BROKEN),
    (asyncpg.InternalClientError, _BROKEN),
)


def sqlstate_of(error: BaseException) -> str | None:
    """Return Postgres' code of an error of the driver or of SQLAlchemy; None: it has none."""
    state = getattr(cause_of(error), "sqlstate", None)
    return state if isinstance(state, str) else None


def cause_of(error: BaseException) -> BaseException:
    """Return the driver's error inside one of SQLAlchemy, or the error itself."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return error
    return error.orig.__cause__ or error.orig


def diagnose(error: BaseException) -> str | None:
    """Return what is wrong with the database and the fix, in one sentence; None if unknown."""
    state = sqlstate_of(error)
    if state is not None:
        return _BY_STATE.get(state)
    return _without_state(cause_of(error))


def describe(error: BaseException) -> str:
    """Return the sentence of `diagnose`, or else the kind of the error."""
    state = sqlstate_of(error)
    kind = type(cause_of(error)).__name__
    unknown = f"the database can't be used ({kind}{'' if state is None else f', {state}'})"
    return diagnose(error) or f"{unknown}: look at the log of Postgres"


def _without_state(cause: BaseException) -> str | None:
    return next((fix for kind, fix in _BY_TYPE if isinstance(cause, kind)), None)
