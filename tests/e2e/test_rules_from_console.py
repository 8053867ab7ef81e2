"""What the console answers with becomes rules of the service that runs."""

import asyncio

from tests.e2e.children import environment, oa_bridge
from tests.e2e.peer import passive_text, texts
from tests.e2e.stack import Processes, Stack


async def imported(processes: Processes, *more: str) -> list[str]:
    """Run `oa-bridge rules import --from-wechat` as an operator does; what it prints."""
    settings = processes.webs[0].settings
    child = await asyncio.create_subprocess_exec(
        *oa_bridge("rules", "import", "--from-wechat", *more),
        cwd=processes.webs[0].folder,
        env=environment(settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await child.communicate()
    assert child.returncode == 0, told.decode()
    return told.decode().splitlines()


async def test_the_consoles_replies_are_carried_over_and_answer_at_once(
    stack: Stack, processes: Processes
) -> None:
    shown = await imported(processes, "--dry-run")
    assert await _answer(stack, "a", "几点") is None

    done = await imported(processes)
    await stack.rules_are_live()

    assert shown[:5] == [
        "+ Console: welcome",
        "+ Console: default",
        "+ Console: hours = 几点",
        "+ Console: hours",
        "+ Console: news",
    ]
    assert shown[5] == "5 rules would be added, 0 changed, 0 removed; 0 stay as they are."
    assert done[5] == "5 rules are added, 0 changed, 0 removed; 0 stay as they are."
    assert shown[6:] == done[6:]
    assert [line.split(":")[0] for line in done[6:]] == ["Not imported"] * 3
    assert sum("image a-temporary-media-id" in line for line in done[6:]) == 2
    assert sum("one of 2 replies at random" in line for line in done[6:]) == 1
    assert await _answer(stack, "b", "几点") == "每天 9:00 至 21:00"


async def test_what_is_kept_out_by_a_rule_that_was_changed_here_is_listed(
    stack: Stack, processes: Processes
) -> None:
    await imported(processes)
    again = await imported(processes)
    rules = (await stack.api("GET", "rules"))["items"]
    rule = next(each for each in rules if each["name"] == "Console: welcome")
    members = ("name", "appid", "enabled", "priority", "trigger", "replies")
    await stack.api(
        "PUT", f"rules/{rule['id']}", {name: rule[name] for name in members} | {"priority": 7}
    )

    changed = await imported(processes)

    assert set(changed) - set(again) == {
        "Not imported: Console: welcome: a rule with this name exists already and differs in "
        "priority"
    }


async def _answer(stack: Stack, group: str, text: str) -> str | None:
    (push,) = await stack.peer.push_all(texts(stack.urls[:1], 1, group=group, text=text))
    return passive_text(push)
