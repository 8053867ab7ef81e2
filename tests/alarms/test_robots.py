"""Each kind of group robot, spoken to over HTTP as its documentation says."""

from datetime import UTC, datetime

import asyncpg
import httpx
import orjson
import pytest
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.alarms.models import ReceiverKind
from app.alarms.robots import dingtalk_signature, feishu_signature, read_answer
from app.alarms.send import MAX_ANSWER_BYTES
from app.worker import Jobs
from tests.alarms.makers import Group, added, refuse, state_of, watch
from tests.alarms.served import served
from tests.service import Service, WorldClock

KINDS = ["wecom", "feishu", "dingtalk"]
NO_JSON = "the answer has status 200 and is not JSON: check the address"
NO_CODE = "the answer has status 200 and no {}: check the address"
AT = datetime(2026, 11, 28, 12, 0, 0, 123000, UTC)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_robot_shows_the_alarm_in_its_group(
    service: Service,
    jobs: Jobs,
    group: Group,
    clock: WorldClock,
    connection: asyncpg.Connection,
    kind: str,
) -> None:
    receiver = await added(service, group.receiver(kind))
    await refuse(connection, clock.now())

    await watch(jobs, connection)

    assert len(group.texts) == 1
    assert group.texts[0].startswith("OA Bridge alarms\n[ALARM] 100 pushes were refused")
    assert (await state_of(service, receiver))["error"] is None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_robot_that_checks_no_signature_gets_none(
    service: Service, group: Group, kind: str
) -> None:
    group.robots.secret = None
    receiver = await added(service, group.receiver(kind))

    answer = await service.api("POST", f"alarms/receivers/{receiver['id']}/test")

    assert answer.json() == {"accepted": True, "error": None}
    assert not {"sign", "timestamp"} & group.robots.requests[0].keys()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("feishu", "code 19021: sign match fail or timestamp is not within one hour"),
        ("dingtalk", "errcode 310000: sign not match"),
    ],
)
async def test_a_wrong_signing_secret_is_told_by_the_test_button(
    service: Service, group: Group, kind: str, error: str
) -> None:
    receiver = await added(service, group.receiver(kind, secret="SECanother"))

    answer = await service.api("POST", f"alarms/receivers/{receiver['id']}/test")

    assert answer.json() == {"accepted": False, "error": error}


async def test_the_key_of_the_address_is_cut_out_of_what_a_robot_answers(
    service: Service, group: Group
) -> None:
    wrong = group.url().replace(group.robots.key, "fedcba9876543210")
    receiver = await added(service, group.receiver(url=wrong))

    answer = await service.api("POST", f"alarms/receivers/{receiver['id']}/test")

    assert answer.json()["error"] == "errcode 93000: invalid webhook url, key …"


async def test_a_webhook_gets_the_data_and_a_standard_signature(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    secret, requests = "whsec_" + "QUJD" * 8, list[tuple[bytes, dict[str, str]]]()

    async def take(request: Request) -> Response:
        requests.append((await request.body(), dict(request.headers)))
        return Response(status_code=204)

    async with served(Starlette(routes=[Route("/", take, methods=["POST"])])) as address:
        receiver = await added(
            service,
            {"name": "ops", "kind": "webhook", "url": f"{address}/", "secret": secret},
        )
        await refuse(connection, clock.now())
        await watch(jobs, connection)

    [(body, headers)] = requests
    found = Webhook(secret).verify(body, headers)
    assert found == orjson.loads(body)
    [item] = found["items"]
    assert (item["stage"], item["kind"], item["value"]) == ("began", "refusals", 100)
    assert (await state_of(service, receiver))["sent_at"] is not None


async def test_a_webhook_that_answers_an_error_is_tried_again(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    async def refuse_it(_: Request) -> Response:
        return Response(status_code=503, headers={"retry-after": "900"})

    async with served(Starlette(routes=[Route("/", refuse_it, methods=["POST"])])) as address:
        body = {"name": "ops", "kind": "webhook", "url": f"{address}/"}
        receiver = await added(service, body)
        await refuse(connection, clock.now())
        await watch(jobs, connection)

    state = await state_of(service, receiver)
    assert (state["failures"], state["error"]) == (1, "status 503")
    pause = datetime.fromisoformat(state["next_at"]) - clock.now()
    assert pause.total_seconds() == 900


async def test_a_long_answer_is_not_read_to_its_end(service: Service) -> None:
    body = b'{"errcode": 0, "errmsg": "' + b"x" * MAX_ANSWER_BYTES + b'"}'

    async def answer(_: Request) -> Response:
        return Response(body)

    async with served(Starlette(routes=[Route("/", answer, methods=["POST"])])) as address:
        receiver = await added(service, {"name": "o", "kind": "wecom", "url": f"{address}/"})
        tested = await service.api("POST", f"alarms/receivers/{receiver['id']}/test")

    assert tested.json() == {"accepted": False, "error": NO_JSON}


def test_dingtalk_is_signed_with_the_secret_over_timestamp_and_secret() -> None:
    # Computed with the program of DingTalk's documentation.
    assert dingtalk_signature("this is secret", AT) == {
        "timestamp": "1795867200123",
        "sign": "rQaEzyYM0ZwMp1sFc/oSs6LmchGHi/UdwIRfKWYfx7U=",
    }


def test_feishu_is_signed_with_timestamp_and_secret_over_nothing() -> None:
    assert feishu_signature("this is secret", AT) == {
        "timestamp": "1795867200",
        "sign": "dVSes2MC3PbOyMagqGzpYGfVuvwmz3Zf2Uo89x/RPiI=",
    }


@pytest.mark.parametrize(
    ("kind", "status", "body", "error"),
    [
        ("wecom", 200, b'{"errcode":0,"errmsg":"ok"}', None),
        ("dingtalk", 200, b'{"errcode":0,"errmsg":"ok"}', None),
        ("feishu", 200, b'{"StatusCode":0,"StatusMessage":"success","code":0}', None),
        ("feishu", 400, b'{"code":9499,"msg":"too many request"}', "code 9499: too many request"),
        ("wecom", 200, b"<html>", NO_JSON),
        ("wecom", 200, b"", NO_JSON),
        ("wecom", 200, b"[]", NO_CODE.format("errcode")),
        ("feishu", 200, b'{"errcode":0}', NO_CODE.format("code")),
        ("wecom", 200, b'{"errcode":false}', NO_CODE.format("errcode")),
        ("wecom", 500, b'{"errcode":0}', "status 500"),
        ("wecom", 200, b'{"errcode":-1,"errmsg":null}', "errcode -1: None"),
    ],
)
def test_only_a_code_of_zero_means_that_it_is_taken(
    kind: str, status: int, body: bytes, error: str | None
) -> None:
    assert read_answer(ReceiverKind(kind), status, body).error == error


def test_a_signature_survives_the_query_of_an_address() -> None:
    signed = httpx.URL("https://h/robot/send?access_token=a").copy_merge_params({"sign": "a+/="})

    assert dict(httpx.URL(str(signed)).params) == {"access_token": "a", "sign": "a+/="}
