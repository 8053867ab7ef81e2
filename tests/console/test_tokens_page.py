"""API tokens in the console: a token is shown once, works, and is revoked."""

import re
from hashlib import sha256

import pytest

from app.access.scopes import ApiScope
from tests.console.operator import Operator
from tests.service import ADMIN_TOKEN, APPID, Service, text_reply

SECRET = re.compile(r'id="token"[^>]* value="([^"]+)"')


async def status_of(service: Service, token: str) -> int:
    """Return what the API answers to a token that may read rules."""
    headers = {"Authorization": f"Bearer {token}"}
    return (await service.http.get("/api/rules", headers=headers)).status_code


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(
    service: Service, owner: Operator
) -> None:
    form = {"name": "crm", "scopes": ["rules:read", "stats:read"], "days": "30"}
    added = await owner.post("/operators/tokens/add", form)
    (secret,) = SECRET.findall(added.text)
    listed = (await owner.get("/operators/tokens")).text
    before = await status_of(service, secret)
    revoked = await owner.post("/operators/tokens/revoke", {"name": "crm"})

    assert added.status_code == 200
    assert secret not in listed
    assert "rules:read" in listed
    assert before == 200
    assert revoked.headers["Location"] == "/console/operators/tokens?done=revoked"
    assert "revoked" in (await owner.get("/operators/tokens")).text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "crm"}, "scopes"),
        ({"name": "", "scopes": ["rules:read"]}, "name"),
        ({"name": "crm", "scopes": ["identities:write"]}, "appids"),
        ({"name": "crm", "scopes": ["identities:write"], "appids": "wx1"}, "appids"),
        ({"name": "crm", "scopes": ["rules:read"], "appids": APPID}, "appids"),
    ],
)
async def test_what_is_wrong_is_said_beside_the_field(
    owner: Operator, form: dict[str, object], field: str
) -> None:
    answer = await owner.post("/operators/tokens/add", form)

    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


async def test_a_token_that_reports_unionids_names_its_accounts(owner: Operator) -> None:
    form = {"name": "shop", "scopes": ["identities:write"], "appids": f"{APPID}\n{APPID}，"}
    await owner.post("/operators/tokens/add", form)

    assert APPID in (await owner.get("/operators/tokens")).text


async def test_every_scope_can_be_chosen(owner: Operator) -> None:
    page = (await owner.get("/operators/tokens")).text

    assert [scope for scope in ApiScope if f'value="{scope}"' not in page] == []


async def test_an_unknown_token_is_not_revoked(owner: Operator) -> None:
    answer = await owner.post("/operators/tokens/revoke", {"name": "nobody"})

    assert answer.status_code == 404


@pytest.mark.parametrize(("language", "scopes"), [("en", "every scope"), ("zh", "全部权限")])
async def test_an_admin_token_is_listed_under_the_name_in_the_audit_log(
    service: Service, owner: Operator, language: str, scopes: str
) -> None:
    await service.add_rule(text_reply())
    await owner.post("/language", {"language": language, "next": "/console/operators/tokens"})
    listed = (await owner.get("/operators/tokens")).text
    name = sha256(ADMIN_TOKEN.encode()).hexdigest()[:8]
    (row,) = re.findall(rf"<tr>\s*<th scope=\"row\"><code>{name}</code>.*?</tr>", listed, re.DOTALL)
    (audit,) = re.findall(r'href="/console(/audit\?actor=[^"]+)"', row)

    assert scopes in row
    assert ADMIN_TOKEN not in listed
    assert "127.0.0.1" in (await owner.get(audit)).text
