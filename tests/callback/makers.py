"""Inboxes and records with plain defaults; a test states only what matters."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
from uuid_utils.compat import uuid7

from app.callback.build_record import Decision, build_record
from app.callback.commit_batch import BatchCommitter
from app.callback.inbox import Inbox
from app.callback.record import Record
from app.callback.spool import Spool
from app.db.engine import connect
from app.privacy.policy import Reach
from app.replies.models import ReplyStatus, Via
from app.replies.new_reply import NewReply
from app.replies.send_windows import Limits
from app.settings import Account
from app.wechat.crypto import Format
from app.wechat.inbound import parse
from app.wechat.outbound import REPLY
from simulator.documents import write
from tests.service import ACCOUNT, APPID, Json, WorldClock, card, message

OA = Account.model_validate(
    {"appid": APPID, "token": ACCOUNT.token, "encoding_aes_key": ACCOUNT.encoding_aes_key}
)


def record(
    clock: WorldClock,
    document: Json | None = None,
    *,
    replies: tuple[Json, ...] = (),
    decided: bool = True,
    text: str = "shop",
) -> Record:
    """A record as the endpoint makes it: of a text message unless told otherwise.

    replies: of the rule that matched.
    """
    pushed = message(clock, text) if document is None else document
    made = build_record(
        OA,
        parse(write(pushed, Format.JSON), Format.JSON),
        Decision(decided),
        callback_id=uuid7(),
        now=clock.now(),
        limits=Limits(),
        reach=Reach(frozenset({APPID}), by_unionid=True),
    )
    drafts = tuple(_draft(number, reply, made) for number, reply in enumerate(replies))
    passive = (draft.content for draft in drafts if draft.via is Via.PASSIVE)
    return replace(made, rule_id=1 if replies else None, drafts=drafts, passive=next(passive, None))


def with_card(clock: WorldClock, document: Json | None = None) -> Record:
    """The record of a text message that a card answers."""
    return record(clock, document, replies=(card(),))


def poisoned(clock: WorldClock) -> Record:
    """A record that Postgres can't hold."""
    return replace(record(clock), payload='{"Content": "\\u0000"}')


def _draft(position: int, reply: Json, made: Record) -> NewReply:
    message = REPLY.validate_python(reply)
    passive = message.via == "passive"
    return NewReply(
        id=uuid7(),
        position=position,
        via=Via(message.via),
        msgtype=message.msgtype,
        content=message.model_dump_json(),
        status=ReplyStatus.SENT if passive else ReplyStatus.PENDING,
        expires_at=None if passive or made.window is None else made.window.until,
    )


@asynccontextmanager
async def running_inbox(
    url: str,
    folder: Path | None = None,
    *,
    limit: int = 1000,
    decide: Callable[[Record], Record] = lambda record: record,
) -> AsyncIterator[Inbox]:
    """An inbox that has started. folder: of its spool; None switches the spool off."""
    spool = None if folder is None else Spool(folder, limit=limit)
    inbox = Inbox(BatchCommitter(url), spool, decide=decide)
    await inbox.start()
    try:
        yield inbox
    finally:
        await inbox.stop()


@asynccontextmanager
async def locked(url: str, table: str = "callbacks") -> AsyncIterator[asyncpg.Connection]:
    """Hold a table, so that nothing can be written to it; yields the connection that holds it."""
    holder = await connect(url)
    try:
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {table}")
            yield holder
    finally:
        await holder.close()


def drained(inbox: Inbox) -> Callable[[], Awaitable[bool]]:
    """Tell, to `eventually`, whether nothing is left in the spool."""

    async def look() -> bool:
        return inbox.spool_status().count == 0

    return look
