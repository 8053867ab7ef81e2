"""Lists the templates of an account from WeChat. Source: linkage 2.1 and 3."""

from dataclasses import dataclass

import structlog

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.clock import Clock
from app.db.engine import SessionFactory
from app.notices import template_store
from app.notices.models import NoticeKind
from app.wechat import errcodes
from app.wechat.api import WeChatApi
from app.wechat.api_responses import ListedTemplate
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.errors import NoToken
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TemplateLister:
    """Calls WeChat with the account's access token. No session may be open meanwhile."""

    sessions: SessionFactory
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock

    async def refresh(self, appid: AppId, actor: Actor) -> None:
        """Store the templates that the account has now. actor: who asks for it. Raises ApiError.

        An account that has the right to one of the two kinds alone keeps what it has of the other.
        """
        await self._refresh(appid)
        subject = Subject(SubjectKind.ACCOUNT, appid)
        async with self.sessions.begin() as session:
            now = self.clock.now()
            await audit.record(session, actor, Action.TEMPLATES_READ, subject, now=now)

    async def _refresh(self, appid: AppId) -> None:
        try:
            notices = await with_token(
                self.tokens, appid, self.api.notice_templates, api="wxaapi/newtmpl/gettemplate"
            )
        except ApiError as error:
            _require_refusal(error)
            await self._refresh_messages(appid)
            log.info("notices.kind_not_listed", appid=appid, errcode=error.errcode)
            return
        await self._store(appid, NoticeKind.SUBSCRIPTION, notices)
        try:
            await self._refresh_messages(appid)
        except ApiError as error:
            _require_refusal(error)
            log.info("notices.kind_not_listed", appid=appid, errcode=error.errcode)

    async def _refresh_messages(self, appid: AppId) -> None:
        found = await with_token(
            self.tokens,
            appid,
            self.api.message_templates,
            api="template/get_all_private_template",
        )
        await self._store(appid, NoticeKind.TEMPLATE, found)

    async def _store(self, appid: AppId, kind: NoticeKind, listed: list[ListedTemplate]) -> None:
        async with self.sessions.begin() as session:
            await template_store.store(session, appid, kind, listed, self.clock.now())


def _require_refusal(error: ApiError) -> None:
    """Raise an error that says nothing about the right to one kind of templates."""
    if isinstance(error, NoToken) or error.action not in {
        errcodes.Action.CONFIGURATION,
        errcodes.Action.PERMANENT,
    }:
        raise error
