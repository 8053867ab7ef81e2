"""One access token, one refresh, however many need it."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.db import advisory_lock
from app.db.engine import open_database
from app.replies.errors import TryLater
from app.secret_box import SecretBox
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.errors import NoToken
from app.wechat_client.token_store import Token
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token
from app.worker import Jobs
from simulator.accounts import Account
from tests.replies.makers import deliver, owed, statuses
from tests.service import (
    ACCOUNT,
    APPID,
    SEND,
    STABLE_TOKEN,
    Service,
    WeChat,
    column,
    jobs_of,
    text_reply,
)
from tests.waiting import PATIENCE_SECONDS, eventually

ID = AppId(APPID)
TEXT = text_reply("hello", via="customer_service")


def change_account(wechat: WeChat, **changes: object) -> None:
    wechat.state.accounts[APPID] = Account.model_validate(ACCOUNT.model_dump() | changes)


async def test_many_at_once_in_two_processes_cause_one_call(jobs: Jobs, wechat: WeChat) -> None:
    other = open_database(jobs.settings.database_url)
    second = jobs_of(jobs.settings, other, wechat)

    tokens = await asyncio.gather(
        *(each.tokens.get(ID) for _ in range(25) for each in (jobs, second))
    )

    await other.close()
    assert len(set(tokens)) == 1
    assert len(wechat.calls(STABLE_TOKEN)) == 1


async def test_a_restart_uses_the_stored_token(jobs: Jobs, wechat: WeChat) -> None:
    first = await jobs.tokens.get(ID)

    again = await jobs_of(jobs.settings, jobs.database, wechat).tokens.get(ID)

    assert (again, len(wechat.calls(STABLE_TOKEN))) == (first, 1)


async def test_a_token_is_refreshed_ahead_of_its_end(jobs: Jobs, wechat: WeChat) -> None:
    first = await jobs.tokens.get(ID)
    wechat.state.clock.advance(timedelta(seconds=7200 - 301))
    early = await jobs.tokens.get(ID)
    wechat.state.clock.advance(timedelta(seconds=62))

    late = await jobs.tokens.get(ID)

    assert (early == first, late == first) == (True, False)
    assert late.expires_at == wechat.state.clock.now() + timedelta(seconds=7200)


async def test_the_schedule_gets_what_is_missing_or_about_to_end_and_nothing_else(
    jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await jobs.refresh_tokens()
    at_start = len(wechat.calls(STABLE_TOKEN))
    first = await jobs.tokens.get(ID)
    await jobs.refresh_tokens()
    wechat.state.clock.advance(timedelta(seconds=7200 - 200))
    await jobs.refresh_tokens()

    assert at_start == 1
    assert len(wechat.calls(STABLE_TOKEN)) == 2
    (stored,) = await column(connection, "SELECT token FROM access_tokens")
    assert stored != first.value


async def test_one_account_in_disorder_does_not_keep_the_schedule_from_the_others(
    jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    """The account that comes first fails; the next one's token must not run out for it."""
    other = "wx0000000000000001"
    accounts = {
        APPID: jobs.settings.accounts[APPID],
        other: jobs.settings.accounts[APPID].model_copy(update={"appid": other}),
    }
    tokens = AccessTokens(
        jobs.database, jobs.delivery.api, accounts, wechat.state.clock, SecretBox(None)
    )
    now = wechat.state.clock.now()
    for appid in (other, APPID):
        await connection.execute(
            "INSERT INTO access_tokens VALUES ($1, 'old', $2, $3)",
            appid,
            now,
            now + timedelta(seconds=10),
        )

    await tokens.refresh_due()

    (stored,) = await column(connection, "SELECT token FROM access_tokens WHERE appid = $1", APPID)
    assert stored != "old"


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_refused_token_is_renewed_once_and_the_message_arrives(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, errcode: int
) -> None:
    await jobs.tokens.get(ID)
    wechat.state.tokens[APPID].take_stable(wechat.state.clock.now(), timedelta(hours=2), force=True)
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=errcode, count=1)

    await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"]
    assert [call["errcode"] for call in wechat.calls(SEND)] == [errcode, 0]
    assert len(wechat.calls(STABLE_TOKEN)) == 2


@pytest.mark.parametrize("seconds", [1, 0, -1, "60"])
async def test_a_short_life_of_a_token_does_not_cost_a_call_per_request(
    jobs: Jobs, wechat: WeChat, seconds: object
) -> None:
    wechat.strike(STABLE_TOKEN, changed={"expires_in": seconds})

    first = [await jobs.tokens.get(ID) for _ in range(3)]
    asked = len(wechat.calls(STABLE_TOKEN))
    wechat.state.clock.advance(timedelta(seconds=121))
    await jobs.tokens.get(ID)

    assert (len(set(first)), asked, len(wechat.calls(STABLE_TOKEN))) == (1, 1, 2)


async def test_a_token_that_ended_before_its_time_is_renewed_and_the_message_arrives(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    wechat.strike(STABLE_TOKEN, changed={"expires_in": 1}, count=1)
    await jobs.tokens.get(ID)
    wechat.state.tokens[APPID].take_stable(wechat.state.clock.now(), timedelta(hours=2), force=True)
    callback = await owed(service, wechat, TEXT)

    await deliver(jobs, callback)

    assert await statuses(connection) == ["sent"]
    assert len(wechat.calls(STABLE_TOKEN)) == 2


async def test_a_life_of_a_token_as_text_is_read_and_never_longer_than_wechats(
    jobs: Jobs, wechat: WeChat
) -> None:
    wechat.strike(STABLE_TOKEN, changed={"expires_in": "99999999"})

    token = await jobs.tokens.get(ID)

    assert token.expires_at == wechat.state.clock.now() + timedelta(seconds=7200)


async def test_a_token_that_is_refused_twice_is_not_renewed_in_a_loop(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=40001)

    with pytest.raises(TryLater):
        await deliver(jobs, callback)

    assert await statuses(connection) == ["pending"]
    assert len(wechat.calls(SEND)) <= 2
    assert len(wechat.calls(STABLE_TOKEN)) == 2


async def test_a_token_that_somebody_else_has_renewed_is_taken_from_the_table(
    jobs: Jobs, wechat: WeChat
) -> None:
    first, second = jobs, jobs_of(jobs.settings, jobs.database, wechat)
    old = await first.tokens.get(ID)
    await second.tokens.get(ID)
    wechat.state.tokens[APPID].take_stable(wechat.state.clock.now(), timedelta(hours=2), force=True)
    renewed = await second.tokens.renew(ID, old)

    assert await first.tokens.renew(ID, old) == renewed
    assert len(wechat.calls(STABLE_TOKEN)) == 2


async def test_when_wechat_gives_the_refused_token_again_the_caller_is_told_to_wait(
    jobs: Jobs,
) -> None:
    token = await jobs.tokens.get(ID)

    with pytest.raises(ApiError) as refusal:
        await jobs.tokens.renew(ID, token)

    assert refusal.value.action is Action.RETRY


async def test_a_wrong_appsecret_is_asked_about_once_a_minute(jobs: Jobs, wechat: WeChat) -> None:
    change_account(wechat, secret="another-app-secret-0123456789abcd")
    for _ in range(3):
        with pytest.raises(ApiError) as refusal:
            await jobs.tokens.get(ID)
        assert refusal.value.action is Action.CONFIGURATION
    asked = len(wechat.calls(STABLE_TOKEN))
    wechat.state.clock.advance(timedelta(seconds=60))
    change_account(wechat)

    await jobs.tokens.get(ID)

    assert asked == 1


async def test_an_address_outside_the_whitelist_is_a_matter_of_configuration(
    jobs: Jobs, wechat: WeChat
) -> None:
    change_account(wechat, ip_whitelist=("10.0.0.1",))

    with pytest.raises(NoToken) as refusal:
        await with_token(jobs.tokens, ID, lambda _: asyncio.sleep(0), api="user/get")

    assert (refusal.value.errcode, refusal.value.action) == (40164, Action.CONFIGURATION)


async def test_a_busy_token_endpoint_is_asked_again_at_once(jobs: Jobs, wechat: WeChat) -> None:
    wechat.strike(STABLE_TOKEN, errcode=-1, count=1)
    with pytest.raises(ApiError):
        await jobs.tokens.get(ID)

    assert (await jobs.tokens.get(ID)).value


async def test_whoever_dies_while_refreshing_gives_the_lock_back(
    jobs: Jobs, wechat: WeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than this test: who waits for the lock to the end would get a token, too.
    monkeypatch.setattr(advisory_lock, "PATIENCE_SECONDS", 10 * PATIENCE_SECONDS)
    wechat.strike(STABLE_TOKEN, latency_seconds=60, count=1)
    dying = asyncio.create_task(jobs.tokens.get(ID))
    await eventually(wechat.has_struck)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)

    async with asyncio.timeout(PATIENCE_SECONDS):
        assert (await jobs_of(jobs.settings, jobs.database, wechat).tokens.get(ID)).value


async def test_a_token_does_not_show_itself(jobs: Jobs) -> None:
    token: Token = await jobs.tokens.get(ID)

    assert token.value not in repr(token)


async def test_who_waits_for_a_token_that_is_refused_does_not_ask_again(
    jobs: Jobs, wechat: WeChat
) -> None:
    wechat.strike(STABLE_TOKEN, errcode=-1, count=1)

    outcomes = await asyncio.gather(
        *(jobs.tokens.get(ID) for _ in range(5)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [ApiError] * 5
    assert len(wechat.calls(STABLE_TOKEN)) == 1
    assert await jobs.tokens.get(ID)


async def test_a_token_that_still_works_is_used_while_no_newer_one_is_to_be_had(
    jobs: Jobs, wechat: WeChat
) -> None:
    first = await jobs.tokens.get(ID)
    wechat.state.clock.advance(timedelta(seconds=7200 - 200))
    wechat.strike(STABLE_TOKEN, errcode=-1)

    used = [await jobs.tokens.get(ID) for _ in range(3)]
    asked = len(wechat.calls(STABLE_TOKEN))
    wechat.state.clock.advance(timedelta(seconds=201))

    assert used == [first] * 3
    assert asked == 2, "not every message waits for an answer that does not come"
    with pytest.raises(ApiError):
        await jobs.tokens.get(ID)


async def test_a_newer_token_is_fetched_as_soon_as_wechat_answers_again(
    jobs: Jobs, wechat: WeChat
) -> None:
    first = await jobs.tokens.get(ID)
    wechat.state.clock.advance(timedelta(seconds=7200 - 200))
    wechat.strike(STABLE_TOKEN, errcode=-1, count=1)
    assert await jobs.tokens.get(ID) == first
    wechat.state.clock.advance(timedelta(seconds=11))

    assert await jobs.tokens.get(ID) != first


async def test_while_no_newer_token_is_given_out_the_log_says_so_once(
    jobs: Jobs, wechat: WeChat
) -> None:
    first = await jobs.tokens.get(ID)
    wechat.state.clock.advance(timedelta(seconds=7200 - 200))
    wechat.strike(STABLE_TOKEN, errcode=40164)

    with capture_logs() as logs:
        for _ in range(4):
            assert await jobs.tokens.get(ID) == first
            await jobs.tokens.problems.store()
            wechat.state.clock.advance(timedelta(seconds=11))

    assert len(wechat.calls(STABLE_TOKEN)) == 2
    events = [line["event"] for line in logs]
    assert [one for one in events if "token" in one or "call" in one] == ["wechat.call_refused"]
