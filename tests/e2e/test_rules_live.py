"""A rule changed over `/api` answers in every web process at once."""

from tests.e2e.peer import passive_text, texts
from tests.e2e.stack import Stack


def _reply(content: str) -> list[dict[str, str]]:
    return [{"msgtype": "text", "via": "passive", "content": content}]


async def test_an_added_changed_and_deleted_rule_is_live_in_both_processes(stack: Stack) -> None:
    first = await stack.api("POST", "rules", _rule("一"), web=0)
    await stack.rules_are_live()
    assert await _answers(stack, "a") == ["一", "一"]

    await stack.api("PUT", f"rules/{first['id']}", _rule("二"), web=1)
    await stack.rules_are_live()
    assert await _answers(stack, "b") == ["二", "二"]

    await stack.api("DELETE", f"rules/{first['id']}", web=0)
    await stack.rules_are_live()
    assert await _answers(stack, "c") == [None, None]


def _rule(content: str) -> dict[str, object]:
    return {
        "name": "Hours",
        "trigger": {"on": "text", "match": "exact", "keyword": "营业时间"},
        "replies": _reply(content),
    }


async def _answers(stack: Stack, group: str) -> list[str | None]:
    pushed = await stack.peer.push_all(texts(stack.urls, 2, group=group, text="营业时间"))
    return [passive_text(push) for push in pushed]
