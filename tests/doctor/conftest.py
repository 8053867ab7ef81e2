"""Fixtures of this room: the service, WeChat, and the jobs of a worker."""

from tests.service import clock, jobs, service, settings, wechat

__all__ = ["clock", "jobs", "service", "settings", "wechat"]
