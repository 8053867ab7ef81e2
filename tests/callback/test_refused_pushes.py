"""Every refusal is counted and logged in one line that gives nothing away."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

from app.wechat.crypto import Format
from simulator.accounts import Mode
from simulator.documents import write
from simulator.envelopes import Envelope, Stamp, new_stamp, seal
from tests.service import (
    ACCOUNT,
    APPID,
    OPENID,
    Json,
    Service,
    WorldClock,
    counted,
    message,
    running,
    sealed,
    settings_for,
)

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
WORDS = "my bank card is 6222 0210"

Attempt = Callable[[Service, WorldClock], Awaitable[int]]


@pytest.fixture
async def service(tmp_path: Path, clock: WorldClock) -> AsyncIterator[Service]:
    settings = settings_for(NOWHERE, tmp_path, inbox_max_waiting=1)
    async with running(settings, clock) as service:
        yield service


def stamped(clock: WorldClock) -> Stamp:
    return new_stamp(clock.now())


async def delivered(service: Service, envelope: Envelope, appid: str = APPID) -> int:
    return (await service.post(envelope, appid=appid)).status_code


async def of_text(service: Service, text: str, clock: WorldClock) -> int:
    """Deliver a document, correctly sealed, whatever it holds."""
    return await delivered(service, seal(text, ACCOUNT, OPENID, stamped(clock)))


async def wrong_token(service: Service, clock: WorldClock) -> int:
    account = ACCOUNT.model_copy(update={"token": "notOurToken"})
    return await delivered(service, sealed(message(clock, WORDS), stamped(clock), account=account))


async def no_signature(service: Service, clock: WorldClock) -> int:
    envelope = sealed(message(clock, WORDS), stamped(clock))
    del envelope.query["msg_signature"]
    return await delivered(service, envelope)


async def too_old(service: Service, clock: WorldClock) -> int:
    stamp = Stamp(str(clock.seconds - 3600), "1234567890")
    return await delivered(service, sealed(message(clock, WORDS), stamp))


async def plaintext(service: Service, clock: WorldClock) -> int:
    account = ACCOUNT.model_copy(update={"mode": Mode.PLAIN})
    return await delivered(service, sealed(message(clock, WORDS), stamped(clock), account=account))


async def mixed(service: Service, clock: WorldClock) -> int:
    account = ACCOUNT.model_copy(update={"mode": Mode.COMPATIBLE})
    return await delivered(service, sealed(message(clock, WORDS), stamped(clock), account=account))


async def another_accounts(service: Service, clock: WorldClock) -> int:
    account = ACCOUNT.model_copy(update={"appid": "wx00000000000000ff"})
    return await delivered(service, sealed(message(clock, WORDS), stamped(clock), account=account))


async def another_recipient(service: Service, clock: WorldClock) -> int:
    document = message(clock, WORDS, ToUserName="gh_somebodyelse")
    return await delivered(service, sealed(document, stamped(clock)))


async def with_entities(service: Service, clock: WorldClock) -> int:
    text = write(message(clock, WORDS), Format.XML)
    return await of_text(service, '<!DOCTYPE xml [<!ENTITY a "b">]>' + text, clock)


async def not_xml(service: Service, clock: WorldClock) -> int:
    return await of_text(service, f"<xml><Content>{WORDS}</xml>", clock)


async def without_a_sender(service: Service, clock: WorldClock) -> int:
    document = message(clock, WORDS)
    del document["FromUserName"]
    return await delivered(service, sealed(document, stamped(clock)))


async def of_the_future(service: Service, clock: WorldClock) -> int:
    document = message(clock, WORDS) | {"CreateTime": 253402300799}
    return await delivered(service, sealed(document, stamped(clock)))


async def of_the_future_in_milliseconds(service: Service, clock: WorldClock) -> int:
    document = message(clock, WORDS) | {"CreateTime": (clock.seconds + 601) * 1000}
    return await delivered(service, sealed(document, stamped(clock)))


async def with_a_nonce_of_another_shape(service: Service, clock: WorldClock) -> int:
    stamp = Stamp(str(clock.seconds), "12345\r\n67890")
    return await delivered(service, sealed(message(clock, WORDS), stamp))


async def repeated(service: Service, clock: WorldClock) -> int:
    envelope = sealed(message(clock, WORDS), stamped(clock))
    query = urlencode([*envelope.query.items(), ("timestamp", "1")])
    answer = await service.http.post(f"/callback/{APPID}?{query}", content=envelope.body)
    return answer.status_code


async def too_large(service: Service, clock: WorldClock) -> int:
    return await delivered(service, sealed(message(clock, WORDS * 9999), stamped(clock)))


async def unknown_account(service: Service, clock: WorldClock) -> int:
    envelope = sealed(message(clock, WORDS), stamped(clock))
    return await delivered(service, envelope, appid="wx00000000000000ff")


async def bad_method(service: Service, clock: WorldClock) -> int:
    envelope = sealed(message(clock, WORDS), stamped(clock))
    answer = await service.http.put(
        f"/callback/{APPID}", params=envelope.query, content=envelope.body
    )
    return answer.status_code


REFUSALS: dict[Attempt, tuple[int, str]] = {
    wrong_token: (403, "bad_signature"),
    no_signature: (403, "missing_signature"),
    too_old: (403, "outside_replay_window"),
    plaintext: (400, "not_encrypted"),
    mixed: (400, "mixed_body"),
    another_accounts: (400, "appid_mismatch"),
    another_recipient: (400, "wrong_recipient"),
    with_entities: (400, "forbidden_dtd"),
    not_xml: (400, "malformed"),
    without_a_sender: (400, "malformed"),
    of_the_future: (403, "from_the_future"),
    of_the_future_in_milliseconds: (403, "from_the_future"),
    with_a_nonce_of_another_shape: (400, "malformed_query"),
    repeated: (400, "repeated_parameter"),
    too_large: (413, "too_large"),
    unknown_account: (404, "unknown_appid"),
    bad_method: (405, "bad_method"),
}


@pytest.mark.parametrize("attempt", REFUSALS, ids=lambda attempt: attempt.__name__)
async def test_a_refusal_is_counted_by_reason_and_logged_in_one_line(
    service: Service, clock: WorldClock, attempt: Attempt
) -> None:
    status, reason = REFUSALS[attempt]
    before = counted("refusals_total", reason=reason)

    with capture_logs() as logged:
        answered = await attempt(service, clock)

    lines = [line for line in logged if line["event"] == "callback.refused"]
    assert answered == status
    assert counted("refusals_total", reason=reason) == before + 1
    assert [(line["reason"], line["status"]) for line in lines] == [(reason, status)]
    assert service.inbox.spool_status().count == 0


async def test_nobody_can_fill_the_log_with_refusals(service: Service, clock: WorldClock) -> None:
    with capture_logs() as logged:
        for _ in range(3):
            await wrong_token(service, clock)
            await no_signature(service, clock)
            await unknown_account(service, clock)

    lines = [line for line in logged if line["event"] == "callback.refused"]
    assert [(line["reason"], line["count"]) for line in lines] == [
        ("bad_signature", 1),
        ("missing_signature", 1),
        ("unknown_appid", 1),
    ]


@pytest.mark.parametrize("attempt", REFUSALS, ids=lambda attempt: attempt.__name__)
async def test_no_log_line_of_a_refusal_holds_a_secret_or_anybodys_words(
    service: Service, clock: WorldClock, attempt: Attempt
) -> None:
    with capture_logs() as logged:
        await attempt(service, clock)

    kept_secret = (WORDS, ACCOUNT.token, ACCOUNT.encoding_aes_key, ACCOUNT.secret, OPENID)
    assert [secret for secret in kept_secret if secret in str(logged)] == []


async def test_the_log_does_not_repeat_an_account_that_a_stranger_made_up(
    service: Service,
) -> None:
    with capture_logs() as logged:
        await service.http.post("/callback/wx%0Aforged-line")

    assert "forged-line" not in str(logged)


async def test_an_answer_to_a_refusal_is_short_and_says_no_reason(
    service: Service, clock: WorldClock
) -> None:
    bodies = set()
    for stamp in (Stamp("1", "1"), stamped(clock)):
        account = ACCOUNT.model_copy(update={"token": "notOurToken"})
        envelope = sealed(message(clock, WORDS), stamp, account=account)
        bodies.add((await service.post(envelope)).text)

    assert bodies == {"forbidden"}


async def test_a_push_that_is_kept_logs_nobodys_words(service: Service, clock: WorldClock) -> None:
    with capture_logs() as logged:
        answer = await service.push(message(clock, WORDS))

    assert answer.status_code == 200
    assert WORDS not in str(logged)
    assert OPENID not in str(logged)


async def test_a_moment_at_the_end_of_the_calendar_is_no_server_error(
    service: Service, clock: WorldClock
) -> None:
    document: Json = message(clock, WORDS, CreateTime=253402300799)

    answer = await service.push(document)

    assert answer.status_code == 403
