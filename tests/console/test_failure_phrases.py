"""Why something was not sent stands in the language of the page."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.access.roles import Role
from app.campaigns import give_code, notice_codes
from app.console.failure_phrases import PHRASES, failures_in
from app.console.messages import translations
from app.replies import expire, ledger
from app.replies.models import Reply
from app.replies.retry_policy import unknown_outcome
from app.replies.store import OUTCOME_UNKNOWN
from app.wechat.connection_failure import describe_failure
from app.wechat.errors import TransportError
from app.wechat_client.fetch_media import NOT_FETCHED
from tests.console.made_messages import a_failed_message
from tests.console.operator import signed_in
from tests.service import Service

NOW = datetime(2026, 11, 28, tzinfo=UTC)
BROKEN = describe_failure(TimeoutError(), "api.weixin.qq.com", begun=True)
NAMES = r"\b(?!api\b|weixin|qq\b|com\b|WECHAT_|CreateTime|media\b|code\b)"
ENGLISH = re.compile(NAMES + "[A-Za-z]{3,}")


@pytest.mark.parametrize(
    "sentence",
    [
        OUTCOME_UNKNOWN,
        unknown_outcome(TransportError(BROKEN, outcome_unknown=True)).errmsg,
        expire.arrived_too_late(NOW, NOW + timedelta(days=3), NOW + timedelta(days=2)),
        expire.expiry_reason(Reply(expires_at=NOW, errmsg=None), NOW + timedelta(seconds=3)),
        expire.expiry_reason(Reply(expires_at=NOW, errmsg=BROKEN), NOW),
        ledger.NO_WINDOW,
        ledger.KEPT_FOR_OTHERS,
        NOT_FETCHED,
        give_code.NO_CAMPAIGN,
        give_code.NO_CODE_LEFT,
        give_code.NO_CODE_LEFT_FOR_NOTICE,
        give_code.UNKNOWN,
        notice_codes.NOT_RUNNING,
        notice_codes.DELETED,
    ],
)
def test_every_reason_is_chinese(sentence: str) -> None:
    chinese = failures_in("zh")(sentence)

    assert ENGLISH.findall(chinese.replace("not_fetched", "")) == [], chinese
    assert failures_in("en")(sentence) == sentence


def test_no_sentence_is_without_chinese() -> None:
    assert [one for one in PHRASES if translations("zh").gettext(one) == one] == []


async def test_a_message_says_in_both_languages_why_its_reply_has_no_answer(
    service: Service,
) -> None:
    path = await a_failed_message(service)
    async with service.app.state.database.sessions.begin() as session:
        for table in ("replies", "reply_attempts"):
            statement = f"UPDATE {table} SET errcode = NULL, errmsg = :said"  # noqa: S608
            await session.execute(text(statement), {"said": BROKEN})
    shown = {}
    for language in ("zh", "en"):
        async with signed_in(service, Role.VIEWER, name=language, language=language) as operator:
            shown[language] = (await operator.get(path)).text

    assert "api.weixin.qq.com 没有及时应答" in shown["zh"]
    assert "did not answer in time" not in shown["zh"]
    assert "did not answer in time" in shown["en"]
