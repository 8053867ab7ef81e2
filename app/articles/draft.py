"""Adds the draft of an article at WeChat. Source: linkage 12.1, 12.2."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor
from app.articles.markup import ArticleForm
from app.articles.place import contents_of, drafting_account, place
from app.articles.schemas import ArticleDraftIn, ArticleDraftOut
from app.clock import Clock
from app.db.engine import SessionFactory
from app.links.models import Link
from app.links.store import subject_of
from app.settings import Account
from app.wechat.api import WeChatApi
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

INVALID_CONTENT: Final = 45166
MAYBE_DRAFTED: Final = (
    "WeChat did not answer in time, so the draft may exist: look at the drafts in WeChat's console "
    "before you try again"
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ArticleDrafter:
    """Adds drafts. accounts: those of the settings, by AppID. No session may be open meanwhile."""

    sessions: SessionFactory
    api: WeChatApi
    tokens: AccessTokens
    accounts: Mapping[str, Account]
    clock: Clock

    async def draft(self, actor: Actor, link: Link, article: ArticleDraftIn) -> ArticleDraftOut:
        """Add the draft of an article that opens a link, in the first form that WeChat takes.

        The audit log has it before WeChat is asked, so that no draft lacks there. Raises
        BadArticle, BadTarget, ApiError and the errors of the database.
        """
        appid = drafting_account(article.appid, self.accounts)
        placement = place(link, article.mini_program)
        contents = contents_of(article, placement)
        target = placement.target
        async with self.sessions.begin() as session:
            await audit.record(
                session,
                actor,
                Action.ARTICLE_DRAFTED,
                subject_of(link.id),
                now=self.clock.now(),
                after=target.ref,
            )
        media_id, form = await self._add(appid, article, contents)
        return ArticleDraftOut(media_id=media_id, form=form, ref=target.ref, path=target.path)

    async def _add(
        self, appid: AppId, article: ArticleDraftIn, contents: Mapping[ArticleForm, str]
    ) -> tuple[str, ArticleForm]:
        # A refused content makes no draft, so the next form can't make a second one.
        *others, last = contents
        for form in others:
            try:
                return await self._call(appid, _body(article, contents[form])), form
            except ApiError as error:
                if error.errcode != INVALID_CONTENT:
                    raise
                log.info("articles.form_refused", appid=appid, form=form.value, rid=error.rid)
        return await self._call(appid, _body(article, contents[last])), last

    async def _call(self, appid: AppId, body: dict[str, Any]) -> str:
        return await with_token(
            self.tokens, appid, lambda token: self.api.add_draft(token, body), api="draft/add"
        )


def _body(article: ArticleDraftIn, content: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "article_type": "news",
        "title": article.title,
        "content": content,
        "thumb_media_id": article.thumb_media_id,
        "need_open_comment": int(article.need_open_comment),
        "only_fans_can_comment": int(article.only_fans_can_comment),
    }
    optional = {
        "author": article.author,
        "digest": article.digest,
        "content_source_url": article.content_source_url,
    }
    return body | {name: value for name, value in optional.items() if value}
