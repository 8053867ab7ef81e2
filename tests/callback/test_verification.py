"""GET: the check that WeChat's console does on saving the URL."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from app.wechat.crypto import signature
from simulator.envelopes import new_stamp
from tests.service import ACCOUNT, APPID, Service, WorldClock, running, settings_for

# The check must also work while the database is away.
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
ECHOSTR = "7318239561234567890"


@pytest.fixture
async def service(tmp_path: Path, clock: WorldClock) -> AsyncIterator[Service]:
    async with running(settings_for(NOWHERE, tmp_path), clock) as service:
        yield service


def asked(clock: WorldClock, *, token: str = ACCOUNT.token, **changes: str) -> dict[str, str]:
    stamp = new_stamp(clock.now())
    return {
        "signature": signature(token, stamp.timestamp, stamp.nonce),
        "timestamp": stamp.timestamp,
        "nonce": stamp.nonce,
        "echostr": ECHOSTR,
        **changes,
    }


async def test_the_echostr_comes_back_raw_as_plain_text(
    service: Service, clock: WorldClock
) -> None:
    query = asked(clock, echostr='<&"+ 汉')

    answer = await service.http.get(f"/callback/{APPID}", params=query)

    assert (answer.status_code, answer.text) == (200, '<&"+ 汉')
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("missing", ["signature", "timestamp", "nonce"])
async def test_without_a_part_of_the_signature_nothing_is_told(
    service: Service, clock: WorldClock, missing: str
) -> None:
    query = asked(clock)
    del query[missing]

    answer = await service.http.get(f"/callback/{APPID}", params=query)

    assert answer.status_code == 403
    assert ECHOSTR not in answer.text


async def test_another_token_is_refused(service: Service, clock: WorldClock) -> None:
    query = asked(clock, token="notOurToken")

    answer = await service.http.get(f"/callback/{APPID}", params=query)

    assert answer.status_code == 403
    assert ECHOSTR not in answer.text


async def test_a_signature_that_is_not_ascii_is_refused(
    service: Service, clock: WorldClock
) -> None:
    answer = await service.http.get(f"/callback/{APPID}", params=asked(clock, signature="签名"))

    assert answer.status_code == 403


async def test_a_check_without_an_echostr_is_malformed(service: Service, clock: WorldClock) -> None:
    query = asked(clock)
    del query["echostr"]

    assert (await service.http.get(f"/callback/{APPID}", params=query)).status_code == 400


async def test_a_repeated_parameter_is_malformed(service: Service, clock: WorldClock) -> None:
    query = urlencode([*asked(clock).items(), ("signature", "0" * 40)])

    assert (await service.http.get(f"/callback/{APPID}?{query}")).status_code == 400


async def test_an_unknown_account_is_not_found(service: Service, clock: WorldClock) -> None:
    answer = await service.http.get("/callback/wx0000000000000000", params=asked(clock))

    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods_are_not_allowed(service: Service, method: str) -> None:
    answer = await service.http.request(method, f"/callback/{APPID}")

    assert answer.status_code == 405
