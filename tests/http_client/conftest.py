"""Fixtures of this room: an endpoint of another system."""

from tests.webhooks.conftest import receiver

__all__ = ["receiver"]
