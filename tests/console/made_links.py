"""Links for the pages about them: one that works and one that WeChat refuses."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, ActorKind
from app.links import store
from app.links.models import Link, LinkOpens, OpenKind
from app.links.schemas import LinkIn
from app.settings import Account
from tests.service import CARD_APPID, Service

ACTOR = Actor(ActorKind.CLI, "cli")


def know_mini_program(service: Service) -> None:
    """Let the service know a mini-program with its AppSecret."""
    account = Account.model_validate(
        {"appid": CARD_APPID, "kind": "mini_program", "appsecret": "mini-program-secret"}
    )
    service.settings.accounts[CARD_APPID] = account


async def _link(service: Service, slug: str, **changes: object) -> UUID:
    link_in = LinkIn(slug=slug, name="<b>夏季 sale</b>", appid=CARD_APPID, query="ref={ref}")
    now = service.clock.now()
    async with service.app.state.database.sessions.begin() as session:
        link: Link = await store.add(session, ACTOR, link_in, now)
        for name, value in changes.items():
            setattr(link, name, value)
        await session.execute(
            insert(LinkOpens).values(
                link_id=link.id, day=now.date(), kind=OpenKind.MINI_PROGRAM.value, count=1234
            )
        )
        return link.id


async def a_list(service: Service) -> str:
    """Make a link that works and one that waits for the worker."""
    know_mini_program(service)
    expires_at = service.clock.now() + timedelta(days=20)
    await _link(
        service, "summer26", url_link="https://wxaurl.cn/demo", url_link_expires_at=expires_at
    )
    await _link(service, "x" * 32)
    return "/links"


async def a_refused_link(service: Service) -> str:
    """Make a link that WeChat refuses."""
    know_mini_program(service)
    now = service.clock.now()
    link_id = await _link(
        service, "summer26", errcode=40165, error="invalid weapp pagepath", rid="r-1", failed_at=now
    )
    return f"/links/{link_id}?done=added"


async def a_form(service: Service) -> str:
    """Make a link; return the page of its form."""
    know_mini_program(service)
    return f"/links/{await _link(service, 'summer26')}/edit"


async def an_article_form(service: Service) -> str:
    """Make a link that an article can open, and a draft of one."""
    know_mini_program(service)
    link_id = await _link(service, "summer26", path="pages/shop/index")
    async with service.app.state.database.sessions.begin() as session:
        await audit.record(
            session, ACTOR, Action.ARTICLE_DRAFTED, store.subject_of(link_id), after="0123456789"
        )
    return "/articles"
