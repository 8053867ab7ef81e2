"""Fixtures of this room: the service, WeChat, and a second worker."""

import pytest

from app.worker import Jobs
from tests.service import WeChat, clock, jobs, jobs_of, service, settings, wechat

__all__ = ["clock", "jobs", "service", "settings", "wechat"]


@pytest.fixture
def other(jobs: Jobs, wechat: WeChat) -> Jobs:
    """The jobs of a second worker."""
    return jobs_of(jobs.settings, jobs.database, wechat)
