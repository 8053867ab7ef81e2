"""The settings as the console shows them: every one, no secret, and where each comes from."""

import re
from pathlib import Path

import pytest

from app.console.settings_page import secrets_of, shown
from app.settings import Origin, Settings, origins_of
from tests.console.operator import Operator
from tests.service import ACCOUNT, ADMIN_TOKEN, Service

SECRETS = (ACCOUNT.secret, ACCOUNT.token, ACCOUNT.encoding_aes_key, ADMIN_TOKEN)


async def test_every_setting_is_there_and_no_secret(service: Service, owner: Operator) -> None:
    page = (await owner.get("/settings")).text

    named = set(re.findall(r'<th scope="row"><code>([A-Z_]+)</code></th>', page))
    assert named == {name.upper() for name in Settings.model_fields}
    assert [secret for secret in SECRETS if secret and secret in page] == []
    assert service.settings.database_url not in page
    assert "http://wechat" in page


def test_the_address_of_the_embedded_postgres_is_set_by_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"postgresql://postgres@/postgres?host={tmp_path / 'postgres'}"
    monkeypatch.setenv("DATABASE_URL", url)
    settings = Settings(_env_file=None, data_dir=tmp_path, wechat_appid=ACCOUNT.appid)

    assert origins_of(settings)["DATABASE_URL"] is Origin.EMBEDDED


def test_a_secret_is_set_or_not(service: Service) -> None:
    settings = {setting.name: setting for setting in shown(service.settings)}

    for name, is_set in [
        ("WECHAT_TOKEN", True),
        ("WECHAT_TOKEN_PREVIOUS", False),
        ("ADMIN_TOKENS", True),
        ("DATABASE_URL", True),
    ]:
        assert (settings[name].value, settings[name].is_set) == (None, is_set)
    assert settings["PORT"].value == "8000"
    (account,) = service.settings.accounts.values()
    assert dict(secrets_of(account))["appsecret"] is True


@pytest.mark.parametrize(
    ("environment", "dotenv", "origin"),
    [
        ({}, "", Origin.DEFAULT),
        ({}, "PORT=8001", Origin.DOTENV),
        ({"PORT": "8002"}, "PORT=8001", Origin.ENVIRONMENT),
        ({"port": "8002"}, "", Origin.ENVIRONMENT),
    ],
)
def test_a_setting_says_where_it_comes_from(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    environment: dict[str, str],
    dotenv: str,
    origin: Origin,
) -> None:
    file = tmp_path_factory.mktemp("settings") / ".env"
    file.write_text(dotenv)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert origins_of(Settings(_env_file=file))["PORT"] is origin
