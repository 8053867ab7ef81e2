"""Makes links for one recipient: URL Scheme, short link, plain scheme and mini-program code.

Source: protocol 9.4; linkage 5.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from app import refs
from app.clock import Clock
from app.db.engine import SessionFactory
from app.links import quota
from app.links.errors import QuotaUsedUp
from app.links.models import Link
from app.links.schemas import CodeIn, MadeLink, SchemeIn, ShortLinkIn, utm_of
from app.links.target_query import whole_query
from app.wechat.api import WeChatApi
from app.wechat.ids import AppId
from app.wechat.link_target import LinkTarget
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

MAX_PLAIN_QUERY: Final = 512


class PlainQueryTooLong(ValueError):
    """The query of a plain scheme is too long. Source: linkage 5.3."""

    def __init__(self, length: int) -> None:
        super().__init__(
            f"has {length} percent-encoded characters: a plain scheme takes {MAX_PLAIN_QUERY}"
        )


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Calls WeChat with a mini-program's own access token. No session may be open meanwhile.

    All methods but the plain scheme raise ApiError.
    """

    sessions: SessionFactory
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock

    async def url_scheme(self, link: Link, wanted: SchemeIn) -> MadeLink:
        """Make a URL Scheme. Raises QuotaUsedUp, too."""
        used_up = await quota.take(self.sessions, link.appid, self.clock.now())
        if used_up is not None:
            raise QuotaUsedUp(used_up.until)
        ref = refs.of_link(link.id)
        target = LinkTarget(link.path, _query(link, ref), link.env_version.value)
        made = await with_token(
            self.tokens,
            AppId(link.appid),
            lambda token: self.api.generate_scheme(token, target, wanted.days),
            api="wxa/generatescheme",
        )
        return MadeLink(kind="url_scheme", link=made, ref=ref)

    async def short_link(self, link: Link, wanted: ShortLinkIn) -> MadeLink:
        """Make a short link."""
        ref = refs.of_link(link.id)
        query = _query(link, ref)
        page_url = f"{link.path}?{query}" if query else link.path
        made = await with_token(
            self.tokens,
            AppId(link.appid),
            lambda token: self.api.short_link(
                token, page_url, wanted.title, permanent=wanted.permanent
            ),
            api="wxa/genwxashortlink",
        )
        return MadeLink(kind="short_link", link=made, ref=ref)

    async def mini_program_code(self, link: Link, wanted: CodeIn) -> bytes:
        """Make a mini-program code, and return the picture."""
        body: dict[str, Any] = {
            "scene": wanted.scene or refs.of_link(link.id),
            "env_version": link.env_version.value,
            "width": wanted.width,
            "is_hyaline": wanted.transparent,
        }
        if link.path:
            body["page"] = link.path
        return await with_token(
            self.tokens,
            AppId(link.appid),
            lambda token: self.api.mini_program_code(token, body),
            api="wxa/getwxacodeunlimit",
        )


def plain_scheme(link: Link) -> MadeLink:
    """Return a plain scheme, without a call. Raises PlainQueryTooLong. Source: linkage 5.3.

    It works once its path is declared in the mini-program's console.
    """
    ref = refs.of_link(link.id)
    query = quote(_query(link, ref), safe="")
    if len(query) > MAX_PLAIN_QUERY:
        raise PlainQueryTooLong(len(query))
    parts = {"appid": link.appid, "path": quote(link.path, safe="/"), "query": query}
    parts["env_version"] = link.env_version.value
    address = "&".join(f"{name}={value}" for name, value in parts.items() if value)
    return MadeLink(kind="plain_scheme", link=f"weixin://dl/business/?{address}", ref=ref)


def _query(link: Link, ref: str) -> str:
    return whole_query(link.query, link.slug, utm_of(link), ref)
