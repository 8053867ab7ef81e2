"""A database that no migration has touched yet."""

import uuid
from collections.abc import AsyncIterator

import pytest

from app.db.engine import Database, connect, open_database
from tests.conftest import at_database


@pytest.fixture
async def empty(postgres_url: str) -> AsyncIterator[Database]:
    """A database without a table."""
    name = f"empty_{uuid.uuid4().hex}"
    admin = await connect(postgres_url)
    await admin.execute(f"CREATE DATABASE {name}")
    database = open_database(at_database(postgres_url, name))
    yield database
    await database.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
