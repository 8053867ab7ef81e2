"""`{code}` in what a notice says and opens: the person's code of a campaign. Pure.

A code has only characters that stand in a value and in a link as they are.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.notices.schemas import NoticeContent, stored_content
from app.wechat.outbound.code_mark import CODE

PLACEHOLDER: Final = f"{{{CODE}}}"


def asks_for_code(wanted: NoticeContent) -> bool:
    """Return whether something that all notices of a request share has the placeholder."""
    return takes_code(stored_content(wanted))


def takes_code(content: Mapping[str, Any]) -> bool:
    """Return whether a stored content waits for a code."""
    return any(PLACEHOLDER in text for text in _texts(content))


def with_code(content: Mapping[str, Any], code: str) -> dict[str, Any]:
    """Return a stored content with the code."""
    filled = dict(content)
    filled["data"] = {key: in_text(value, code) for key, value in content["data"].items()}
    if "miniprogram" in content:
        page = content["miniprogram"]
        filled["miniprogram"] = {**page, "pagepath": in_text(page["pagepath"], code)}
    if "url" in content:
        filled["url"] = in_text(content["url"], code)
    return filled


def in_text(text: str, code: str) -> str:
    """Return a text with the code."""
    return text.replace(PLACEHOLDER, code)


def _texts(content: Mapping[str, Any]) -> list[str]:
    page = content.get("miniprogram", {})
    return [*content.get("data", {}).values(), page.get("pagepath", ""), content.get("url", "")]
