"""Fixtures of this room: a clock."""

from tests.service import clock

__all__ = ["clock"]
