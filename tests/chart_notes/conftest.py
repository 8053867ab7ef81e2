"""Fixtures of this room: the service and its clock."""

from tests.service import clock, service, settings

__all__ = ["clock", "service", "settings"]
