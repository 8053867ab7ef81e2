"""The body of a call that sends one notice. Pure. Source: protocol 9.2 and 9.3; linkage 2.2."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app import refs
from app.notices.check_notice import filled_page
from app.notices.models import NoticeKind
from app.notices.schemas import OpenedPage


def notice_body(
    notice_id: UUID,
    kind: NoticeKind,
    openid: str,
    template_id: str,
    content: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the JSON. content: as `stored_content` has it, with all values.

    The id of the notice is the client_msg_id: WeChat sends a template message with one
    client_msg_id once within ten minutes, and promises nothing for notices.
    """
    body: dict[str, Any] = {
        "touser": openid,
        "template_id": template_id,
        "data": {name: {"value": value} for name, value in content["data"].items()},
        "client_msg_id": notice_id.hex,
    }
    if "miniprogram" in content:
        page = OpenedPage.model_validate(content["miniprogram"])
        body["miniprogram"] = {"appid": page.appid}
        filled = filled_page(page, refs.of_notice(notice_id))
        if filled:
            body["miniprogram"]["pagepath"] = filled
    if "url" in content:
        body["url" if kind is NoticeKind.TEMPLATE else "page"] = content["url"]
    return body


def mini_program_of(content: Mapping[str, Any]) -> str | None:
    """Return the AppID of the mini-program that a content opens."""
    page = content.get("miniprogram")
    return None if page is None else page["appid"]
