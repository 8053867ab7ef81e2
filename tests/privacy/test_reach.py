"""Which people a push may have erased: its own account's, unless its encryption proves WeChat."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from app.privacy.policy import erasure_request_of, reach_of
from app.settings import MessageMode, Settings
from app.wechat.inbound import Format, parse
from simulator.accounts import Mode
from simulator.documents import write
from tests.privacy.makers import OTHER_APPID, OTHER_OPENID, UNIONID, found, live_elsewhere, privacy
from tests.service import ACCOUNT, APPID, OPENID, Json, Service, WorldClock, column, running

CANCELLED = "user_authorization_cancellation"
PLAIN = ACCOUNT.model_copy(update={"mode": Mode.PLAIN})


@pytest.fixture
async def plain(settings: Settings, clock: WorldClock) -> AsyncIterator[Service]:
    """The service with its account in plain mode."""
    changes = {"wechat_message_mode": MessageMode.PLAIN}
    async with running(settings.model_copy(update=changes), clock) as service:
        yield service


@pytest.mark.parametrize(
    "members", [{"AppID": OTHER_APPID}, {"UnionID": UNIONID}, {"OpenID": "", "UnionID": UNIONID}]
)
async def test_a_plain_account_has_nobody_of_another_account_erased(
    plain: Service, connection: asyncpg.Connection, members: Json
) -> None:
    await live_elsewhere(connection)

    answer = await plain.push(privacy(plain, CANCELLED, OTHER_OPENID) | members, account=PLAIN)

    assert answer.status_code == 200
    people = await column(connection, "SELECT subject->>'people' FROM erasures")
    unionids = await column(connection, "SELECT subject->>'unionids' FROM erasures")
    assert OTHER_APPID not in str(people)
    assert UNIONID not in str(unionids)
    assert await found(connection, OTHER_OPENID) != {}


@pytest.mark.parametrize(
    ("encrypted", "named", "people", "unionids"),
    [
        (True, OTHER_APPID, ((APPID, OPENID), (OTHER_APPID, OPENID)), (UNIONID,)),
        (True, "wx00000000000000ff", ((APPID, OPENID),), (UNIONID,)),
        (False, OTHER_APPID, ((APPID, OPENID),), ()),
        (False, APPID, ((APPID, OPENID),), ()),
    ],
)
def test_a_push_reaches_configured_accounts_and_only_when_it_is_encrypted(
    clock: WorldClock,
    encrypted: bool,
    named: str,
    people: tuple[tuple[str, str], ...],
    unionids: tuple[str, ...],
) -> None:
    document = {
        "ToUserName": "gh_1",
        "FromUserName": "oPLATFORM",
        "CreateTime": clock.seconds,
        "MsgType": "event",
        "Event": CANCELLED,
        "OpenID": OPENID,
        "AppID": named,
        "UnionID": UNIONID,
    }
    reach = reach_of(APPID, {OTHER_APPID}, encrypted=encrypted)

    asked = erasure_request_of(parse(write(document, Format.JSON), Format.JSON), APPID, reach)

    assert asked is not None
    assert (asked.people, asked.unionids) == (people, unionids)
