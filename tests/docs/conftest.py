"""Fixtures of the pages' tests: the API for rules over a real database."""

from tests.rules.conftest import api, client

__all__ = ["api", "client"]
