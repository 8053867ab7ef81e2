"""The account of the fuzzer, and what is stored of a push to it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from uuid_utils.compat import uuid7

from app.callback.build_record import NO_RULES, Decision, build_record
from app.callback.insert_rows import statement_of
from app.callback.record import Record
from app.privacy.policy import Reach
from app.replies.send_windows import Limits
from app.settings import Account
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound, require_past, require_recipient, subject_openid
from tests.fuzz.rules import RULES
from tests.fuzz.storable import JsonText
from tests.wechat.vectors import AES_KEY, APPID, TOKEN

NOW: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
ACCOUNT: Final = Account.model_validate(
    {"appid": APPID, "token": TOKEN, "encoding_aes_key": AES_KEY}
)
_LIMITS: Final = Limits()
_REACH: Final = Reach(frozenset({APPID, "wx0000000000000002"}), by_unionid=True)
_TOLERANCE: Final = timedelta(days=1)
MAX_INDEXED: Final = 128


def record_of(message: Inbound) -> Record:
    """Return what a push stores, as the endpoint makes it. Raises PushRefused."""
    require_recipient(message, None)
    require_past(message, NOW, int(_TOLERANCE.total_seconds()))
    decision = NO_RULES
    if subject_openid(message):
        decision = Decision(decided=True, chosen=RULES.choose(AppId(APPID), message, None, NOW))
    return build_record(
        ACCOUNT,
        message,
        decision,
        callback_id=uuid7(),
        now=NOW,
        limits=_LIMITS,
        reach=_REACH,
    )


def arguments_of(record: Record) -> Sequence[object]:
    """Return what the database gets of a record; each value as the oracle knows it."""
    for indexed in (record.appid, record.openid, record.msgtype, record.event or ""):
        assert len(indexed) <= MAX_INDEXED
    assert len(record.dedupe_key) == 20
    if record.duty is not None:
        for name in (*record.duty.unionids, *(openid for _, openid in record.duty.people)):
            assert 0 < len(name) <= MAX_INDEXED
    texts = (record.payload, record.passive, *(reply.content for reply in record.drafts))
    _, _, *columns = statement_of([record])
    return [
        [
            JsonText(value) if any(value is text for text in texts) else value
            for value in column
            if value is not None
        ]
        for column in columns
    ]
