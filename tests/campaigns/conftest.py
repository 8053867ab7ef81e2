"""Fixtures of this room: the service and WeChat."""

from tests.service import clock, jobs, service, settings, wechat

__all__ = ["clock", "jobs", "service", "settings", "wechat"]
