"""Fixtures: the service in this process, for tests that need all of its routes."""

from tests.service import clock, service, settings, wechat

__all__ = ["clock", "service", "settings", "wechat"]
