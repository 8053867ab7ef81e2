"""Fixtures of this room."""

from tests.service import clock, jobs, service, settings, wechat

__all__ = ["clock", "jobs", "service", "settings", "wechat"]
