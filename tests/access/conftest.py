"""Fixtures of this room: one session in a transaction, a time, and somebody who acts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import operators
from app.access.actor import Actor, ActorKind
from app.access.models import Operator
from app.access.roles import Role
from app.db.engine import Database
from tests.service import clock, service, settings

__all__ = ["clock", "service", "settings"]

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ACTOR = Actor(ActorKind.CLI, "cli", "tester@machine")


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A session whose transaction is rolled back."""
    async with database.sessions() as session:
        yield session


async def add_operator(
    session: AsyncSession, name: str = "小王", role: Role = Role.EDITOR
) -> Operator:
    """Add an operator."""
    return await operators.add(session, ACTOR, name, role, now=NOON)
