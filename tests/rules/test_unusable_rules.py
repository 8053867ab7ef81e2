"""Metrics count the rules that can't be used."""

import asyncpg

from tests.service import Service, counted, text_reply


async def test_a_rule_that_is_left_out_is_counted_until_it_is_gone(
    service: Service, connection: asyncpg.Connection
) -> None:
    rules = service.app.state.rules
    await service.add_rule(text_reply())

    await rules.load_once()
    assert (counted("rules_loaded"), counted("rules_left_out")) == (1, 0)

    await connection.execute("UPDATE rules SET replies = '[]'")
    await rules.load_once()
    assert (counted("rules_loaded"), counted("rules_left_out")) == (0, 1)
    assert counted("rules_rejected") == 0

    await connection.execute("DELETE FROM rules")
    await rules.load_once()
    assert (counted("rules_loaded"), counted("rules_left_out")) == (0, 0)
