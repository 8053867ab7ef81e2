"""A rule whose mini-program is no longer configured is named, though it was saved before."""

from dataclasses import replace
from pathlib import Path

import pytest

from app.ops.mini_program_check import MiniProgramCheck
from app.rules.matching.rule_set import compile_rules
from app.wechat.outbound import MiniProgramPage
from tests.rules.makers import rule
from tests.service import (
    CARD_APPID,
    Json,
    Service,
    WorldClock,
    card,
    clock,
    running,
    service,
    settings,
    settings_for,
    text_reply,
)

__all__ = ["clock", "service", "settings"]

OTHER = "wx00000000000000aa"
LINK = (
    f'<a data-miniprogram-appid="{CARD_APPID}" data-miniprogram-path="p" href="https://a.b">x</a>'
)


@pytest.mark.parametrize("reply", [card(), text_reply(LINK)], ids=["card", "link"])
async def test_readiness_and_conflicts_name_it(
    service: Service, database_url: str, tmp_path: Path, clock: WorldClock, reply: Json
) -> None:
    rule_id = await service.add_rule(reply, name="Card")
    await service.add_rule(text_reply(), name="Text", trigger={"on": "fallback"})
    changed = settings_for(database_url, tmp_path, mini_program_appids=OTHER)

    async with running(changed, clock) as restarted:
        part = (await restarted.look("/readyz")).json()["parts"]["rules"]
        (conflict,) = (await restarted.read("rules/conflicts"))["items"]

    assert part["status"] == "degraded"
    assert f"rule {rule_id} opens {CARD_APPID}" in part["detail"]
    assert "MINI_PROGRAM_APPIDS" in part["detail"]
    assert (conflict["kind"], conflict["rule_id"], conflict["mini_program"]) == (
        "mini_program",
        rule_id,
        CARD_APPID,
    )


@pytest.mark.parametrize("known", [CARD_APPID, f"{OTHER},{CARD_APPID}", ""])
async def test_one_that_is_configured_is_fine_and_so_is_any_if_none_is(
    service: Service, database_url: str, tmp_path: Path, clock: WorldClock, known: str
) -> None:
    await service.add_rule(card())
    changed = settings_for(database_url, tmp_path, mini_program_appids=known)

    async with running(changed, clock) as restarted:
        part = (await restarted.look("/readyz")).json()["parts"]["rules"]
        conflicts = (await restarted.read("rules/conflicts"))["items"]

    assert (part["status"], conflicts) == ("ok", [])


async def test_a_change_of_the_rules_is_looked_at() -> None:
    check = MiniProgramCheck({OTHER})
    opens = replace(rule(1, "fallback"), replies=(MiniProgramPage.model_validate(card()),))
    with_card = compile_rules([opens], 1)

    assert await check.find(with_card) == {1: CARD_APPID}
    assert await check.find(compile_rules([], 2)) == {}
    assert await check.find(None) == {}
