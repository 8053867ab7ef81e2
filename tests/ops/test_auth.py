"""Who may use /api."""

import pytest

from tests.ops.standins import get, make_app

FIRST, SECOND = "the-first-operator-of-two", "the-second-operator-of-two"
TOKENS = f"{FIRST},{SECOND}"


async def test_without_configured_tokens_nobody_is_let_in_and_the_reason_is_told() -> None:
    response = await get(make_app(), "/api/anything", Authorization="Bearer anything")

    assert response.status_code == 503
    assert "ADMIN_TOKENS" in response.json()["detail"]


@pytest.mark.parametrize("token", [FIRST, SECOND])
async def test_every_configured_token_is_let_in(token: str) -> None:
    app = make_app(admin_tokens=TOKENS)
    response = await get(app, "/api/anything", Authorization=f"Bearer {token}")

    assert response.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {TOKENS}"},
        {"Authorization": f"Bearer {FIRST[:-1]}"},
        {"Authorization": "Bearer ünïcode"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {FIRST}"},
        {"Authorization": FIRST},
    ],
)
async def test_anything_else_is_refused_with_the_scheme_to_use(headers: dict[str, str]) -> None:
    response = await get(make_app(admin_tokens=TOKENS), "/api/anything", **headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_openapi_tells_that_api_needs_a_bearer_token_and_health_does_not() -> None:
    paths = (schema := (await get(make_app(), "/openapi.json")).json())["paths"]

    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert paths["/api/anything"]["get"]["security"] == [{"token": []}]
    assert "security" not in paths["/readyz"]["get"]
