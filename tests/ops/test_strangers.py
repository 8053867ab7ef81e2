"""What a caller without a token learns from the paths that need none, and from redirects."""

import pytest

from app.db.engine import Database
from app.ops import wrong_tokens
from app.ops.wrong_tokens import FREE_ATTEMPTS
from tests.ops.standins import APPID, MINI_PROGRAM, get, make_app
from tests.service import Service, counted, message

TOKEN = "an-operator-who-may-see-all"
BEARER = f"Bearer {TOKEN}"


async def test_readiness_tells_a_stranger_the_status_of_each_part_and_no_name(
    database: Database,
) -> None:
    app = make_app(database, admin_tokens=TOKEN, operations_public=False)
    stranger = await get(app, "/readyz")
    wrong = await get(app, "/readyz", Authorization="Bearer no-token-of-ours-at-all-here")
    operator = await get(app, "/readyz", Authorization=BEARER)

    assert stranger.json()["parts"]["tokens"] == {"status": "degraded"}
    assert stranger.json()["status"] == operator.json()["status"] == "degraded"
    assert {tuple(part) for part in stranger.json()["parts"].values()} == {("status",)}
    assert wrong.json() == stranger.json()
    assert APPID not in stranger.text
    assert APPID in operator.json()["parts"]["tokens"]["accounts"]


async def test_no_token_can_be_guessed_at_readiness(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_tokens, "MAX_PAUSED", 0)
    app = make_app(database, admin_tokens=TOKEN, operations_public=False)
    before = counted("api_refusals_total", reason="wrong_token")
    wrong = [
        (await get(app, "/readyz", Authorization="Bearer no-token-of-ours-at-all")).status_code
        for _ in range(FREE_ATTEMPTS + 1)
    ]
    operator = await get(app, "/readyz", Authorization=BEARER)
    stranger = await get(app, "/readyz")

    assert wrong == [200] * FREE_ATTEMPTS + [429]
    assert counted("api_refusals_total", reason="wrong_token") == before + FREE_ATTEMPTS + 1
    assert (operator.status_code, stranger.status_code) == (200, 200)


async def test_metrics_need_a_token_unless_they_are_public(database: Database) -> None:
    closed = make_app(database, admin_tokens=TOKEN, operations_public=False)
    stranger = await get(closed, "/metrics")
    operator = await get(closed, "/metrics", Authorization=BEARER)
    public = await get(make_app(database, admin_tokens=TOKEN), "/metrics")

    assert (stranger.status_code, operator.status_code, public.status_code) == (401, 200, 200)
    assert APPID not in stranger.text
    assert MINI_PROGRAM not in stranger.text


@pytest.mark.parametrize(
    "path", ["/metrics/", "/docs/", "/readyz/", "/api/rules/", "/api/rules//", "/docs-assets"]
)
async def test_no_answer_leads_to_the_host_that_a_request_names(
    service: Service,
    path: str,
) -> None:
    headers = {"host": "attacker.example", "authorization": "Bearer an-admin-token-of-the-tests"}
    answer = await service.http.get(path, headers=headers)

    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "attacker" not in answer.text


async def test_a_slash_at_the_end_of_a_callback_changes_nothing(
    service: Service,
) -> None:
    appid = f"{service.settings.wechat_appid}"
    with_slash = await service.push_at(f"/callback/{appid}/", message(service.clock))
    with_two = await service.push_at(f"/callback/{appid}//", message(service.clock))

    assert (with_slash.status_code, with_slash.content) == (200, b"success")
    assert with_two.status_code == 404
