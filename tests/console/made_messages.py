"""Messages as the pages of the section show them, and ways to make them."""

from uuid import UUID

from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.replies import retry_store
from tests.console.gallery import HOSTILE
from tests.service import OTHER_OPENID, Service, card, event, message, text_reply


async def one_id(service: Service, statement: str, **values: object) -> UUID:
    """Return the id that a statement finds."""
    async with service.app.state.database.sessions.begin() as session:
        found: UUID = await session.scalar(text(statement), values)
    return found


async def newest_message(service: Service) -> UUID:
    """Return the id of the message that came last."""
    return await one_id(service, "SELECT id FROM callbacks ORDER BY id DESC LIMIT 1")


async def fail_replies(service: Service, errmsg: str = "not linked", errcode: int = 40166) -> None:
    """Let every waiting reply have failed, once, as WeChat refuses it."""
    async with service.app.state.database.sessions.begin() as session:
        await session.execute(
            text(
                """
                UPDATE replies SET status = 'failed', attempts = 1, errcode = :errcode,
                       errmsg = :errmsg, rid = '6501f2a3-1' WHERE status = 'pending'
                """
            ),
            {"errmsg": errmsg, "errcode": errcode},
        )


async def some_messages(service: Service) -> str:
    """Make messages of many kinds: answered, failed, unanswered, hostile; return the list."""
    await service.add_rule(text_reply(), card(), name=HOSTILE[:200])
    await service.push(message(service.clock))
    await fail_replies(service)
    await service.push(message(service.clock))
    await service.push(message(service.clock, "nobody answers this"))
    await service.push(message(service.clock, HOSTILE[:2000], openid=OTHER_OPENID))
    await service.push(event(service.clock, "subscribe"))
    await service.push(event(service.clock, "new_event<script>"))
    async with service.app.state.database.sessions.begin() as session:
        await session.execute(
            text("UPDATE callbacks SET received_at = received_at - interval '1 day'")
        )
    await service.push(message(service.clock, "a day later"))
    return "/messages"


async def shown_texts(service: Service) -> str:
    """Return the list with a filter."""
    return await some_messages(service) + "?fate=failed&kind=text&text=shop"


async def a_failed_message(service: Service) -> str:
    """Return the page of a message whose card failed."""
    await service.add_rule(text_reply(), card())
    await service.push(message(service.clock))
    await fail_replies(service)
    return f"/messages/{await newest_message(service)}"


async def an_unanswered_message(service: Service) -> str:
    """Return the page of a message that no rule answered."""
    await service.push(message(service.clock, HOSTILE[:2000]))
    return f"/messages/{await newest_message(service)}"


async def words(service: Service) -> str:
    """Return the page of words, with one of two people and one of one."""
    for openid in ("oFirst", "oSecond"):
        await service.push(message(service.clock, " Price ", openid=openid))
    await service.push(message(service.clock, "<b>alone", openid="oFirst"))
    return "/messages/words"


async def a_failed_filter(service: Service) -> str:
    """Return the page that asks before many replies are sent again."""
    await a_failed_message(service)
    return "/messages/retries/new?fate=failed"


async def start_retry(service: Service) -> UUID:
    """Start a retry of every reply; return its id."""
    retry_id: UUID = uuid7()
    async with service.app.state.database.sessions.begin() as session:
        replies = (await session.scalars(text("SELECT id FROM replies"))).all()
        now = service.clock.now()
        await retry_store.start(session, retry_id, replies, operator="小王", now=now)
    return retry_id


async def a_running_retry(service: Service) -> str:
    """Return the page of a retry that no worker has come to."""
    await a_failed_message(service)
    return f"/messages/retries/{await start_retry(service)}"


async def a_list_of_retries(service: Service) -> str:
    """Return the list of retries with one."""
    await a_running_retry(service)
    return "/messages/retries"


async def an_empty_retry(service: Service) -> str:
    """Return the page of a retry that found nothing."""
    return f"/messages/retries/{await start_retry(service)}"
