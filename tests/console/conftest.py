"""The console of a running service, and operators of each role."""

from collections.abc import AsyncIterator

import pytest

from app.access.roles import Role
from tests.console.operator import Operator, signed_in
from tests.service import Service, clock, service, settings

__all__ = ["clock", "service", "settings"]


@pytest.fixture
async def owner(service: Service) -> AsyncIterator[Operator]:
    """An owner with English pages."""
    async with signed_in(service, Role.OWNER) as operator:
        yield operator


@pytest.fixture
async def viewer(service: Service) -> AsyncIterator[Operator]:
    """A viewer with English pages."""
    async with signed_in(service, Role.VIEWER, name="Viewer") as operator:
        yield operator
