"""Settings that can't be used are refused with one clear line each, naming the variable."""

from pathlib import Path
from typing import Any

import pytest

from app.settings import (
    EMBEDDED_FOLDER,
    EMBEDDED_SOCKET,
    MAX_SOCKET_PATH_BYTES,
    Account,
    MessageMode,
    Settings,
    SettingsError,
    load_settings,
)
from tests.service import ACCOUNT

GOOD = {
    "WECHAT_APPID": ACCOUNT.appid,
    "WECHAT_APPSECRET": ACCOUNT.secret,
    "WECHAT_TOKEN": ACCOUNT.token,
    "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key,
}
SECRET = "hunter2Hunter2"


def loaded(monkeypatch: pytest.MonkeyPatch, **changes: str) -> Settings:
    for name, value in (GOOD | changes).items():
        monkeypatch.setenv(name, value)
    return load_settings()


def problems(monkeypatch: pytest.MonkeyPatch, **changes: str) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        loaded(monkeypatch, **changes)
    return refusal.value.problems


def accounts_file(tmp_path: Path, content: str) -> str:
    path = tmp_path / "accounts.toml"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_one_account_and_its_console_settings_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch)

    account = settings.accounts[ACCOUNT.appid]
    assert (account.kind, account.message_mode) == ("oa", MessageMode.SECURE)
    assert account.tokens == (ACCOUNT.token,)
    assert account.aes_keys == (ACCOUNT.encoding_aes_key,)
    assert (settings.database_url, settings.replay_window_seconds) == ("", 600)
    assert (settings.max_body_bytes, settings.spool) == (65536, "on")


def test_a_rotation_accepts_the_current_one_first(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, WECHAT_TOKEN_PREVIOUS="oldToken")

    assert settings.accounts[ACCOUNT.appid].tokens == (ACCOUNT.token, "oldToken")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, WECHAT_TOKEN_PREVIOUS="", ACCOUNTS_FILE="", MEDIA_DIR="")

    assert settings.accounts[ACCOUNT.appid].tokens == (ACCOUNT.token,)
    assert settings.accounts_file is None


def test_admin_tokens_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = "1" * 24, "2" * 30
    settings = loaded(monkeypatch, ADMIN_TOKENS=f" {one}, {two} ,,")

    assert [token.get_secret_value() for token in settings.admin_tokens] == [one, two]


def test_an_admin_token_that_could_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    short = "s" * 23
    with pytest.raises(SettingsError) as refused:
        loaded(monkeypatch, ADMIN_TOKENS=f"{'1' * 24},{short}")

    (problem,) = refused.value.problems
    assert problem.startswith("ADMIN_TOKENS: token 2 has fewer than 24 characters")
    assert "openssl rand -hex 24" in problem
    assert short not in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WECHAT_APPID", "wx123"),
        ("WECHAT_TOKEN", "no"),
        ("WECHAT_TOKEN", f"{SECRET}-!"),
        ("WECHAT_TOKEN_PREVIOUS", f"{SECRET}{'x' * 32}"),
        ("WECHAT_ENCODING_AES_KEY", SECRET),
        ("WECHAT_ENCODING_AES_KEY", ""),
        ("WECHAT_ENCODING_AES_KEY_PREVIOUS", f"{SECRET}{'+' * 29}"),
        ("WECHAT_MESSAGE_MODE", "open"),
        ("WECHAT_API_BASE_URL", "api.weixin.qq.com"),
        ("WECHAT_API_BASE_URL", "http://api.weixin.qq.com"),
        ("WECHAT_API_BASE_URL", "http://10.0.0.8"),
        ("DATA_DIR", "d" * 200),
        ("WECHAT_API_TIMEOUT_SECONDS", "0"),
        ("DATABASE_URL", f"mysql://root:{SECRET}@localhost/x"),
        ("DATABASE_URL", f"postgresql://root:{SECRET}@localhost:port/x"),
        ("PORT", "70000"),
        ("PORT", "http"),
        ("LOG_LEVEL", "LOUD"),
        ("MAX_BODY_BYTES", "0"),
        ("REPLAY_WINDOW_SECONDS", "-1"),
        ("SPOOL", "maybe"),
        ("SPOOL_MAX_CALLBACKS", "0"),
        ("INBOX_MAX_WAITING", "0"),
        ("WEB_PROCESSES", "0"),
        ("ACCOUNTS_FILE", "/nowhere/accounts.toml"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_line_that_keeps_its_value_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    found = problems(monkeypatch, **{name: value})

    assert len(found) == 1
    assert name in found[0]
    assert "\n" not in found[0]
    for secret in (SECRET, ACCOUNT.token, ACCOUNT.secret, ACCOUNT.encoding_aes_key):
        assert secret not in found[0]


def test_every_problem_has_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, PORT="0", LOG_LEVEL="LOUD", SPOOL="maybe")

    assert sorted(line.split(":")[0] for line in found) == ["LOG_LEVEL", "PORT", "SPOOL"]


def test_no_account_at_all_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, **dict.fromkeys(GOOD, ""))

    assert len(found) == 1
    assert "WECHAT_APPID" in found[0]


def test_an_account_without_an_appid_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = problems(monkeypatch, WECHAT_APPID="")

    assert line.startswith("WECHAT_APPID:")


@pytest.mark.parametrize(
    "setting",
    [
        {"WECHAT_APPSECRET": "0123456789abcdef0123456789abcdef"},
        {"WECHAT_ORIGINAL_ID": "gh_0123456789ab"},
        {"WECHAT_TOKEN_PREVIOUS": "oldToken"},
        {"WECHAT_MESSAGE_MODE": "plain"},
    ],
)
def test_a_setting_of_no_account_is_named_beside_an_accounts_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: dict[str, str]
) -> None:
    file = accounts_file(
        tmp_path,
        f'[[account]]\nappid = "{ACCOUNT.appid}"\ntoken = "token"\nmessage_mode = "plain"\n',
    )

    (line,) = problems(monkeypatch, **dict.fromkeys(GOOD, "") | {"ACCOUNTS_FILE": file} | setting)

    assert line.startswith(f"WECHAT_APPID: is empty although {next(iter(setting))} is given")


def test_an_official_account_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = problems(monkeypatch, WECHAT_TOKEN="")

    assert "WECHAT_TOKEN" in line


def test_plain_mode_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, WECHAT_ENCODING_AES_KEY="", WECHAT_MESSAGE_MODE="plain")

    assert settings.accounts[ACCOUNT.appid].aes_keys == ()


def test_a_file_adds_any_number_of_accounts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = accounts_file(
        tmp_path,
        '[[account]]\nappid = "wx0000000000000001"\nkind = "mini_program"\n'
        '[[account]]\nappid = "wx0000000000000002"\ntoken = "abc"\nmessage_mode = "plain"\n'
        'original_id = "gh_二"\n',
    )

    settings = loaded(monkeypatch, ACCOUNTS_FILE=path)

    assert list(settings.accounts) == [ACCOUNT.appid, "wx0000000000000001", "wx0000000000000002"]
    assert [account.receives for account in settings.accounts.values()] == [True, False, True]


def test_a_file_alone_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = accounts_file(
        tmp_path, '[[account]]\nappid = "wx0000000000000002"\ntoken = "abc"\nmessage_mode = "plain"'
    )

    settings = loaded(monkeypatch, **dict.fromkeys(GOOD, ""), ACCOUNTS_FILE=path)

    assert list(settings.accounts) == ["wx0000000000000002"]


@pytest.mark.parametrize(
    "content",
    [
        f'[[account]]\nappid = "wx1"\ntoken = "{SECRET}"',
        f'[[account]]\nappid = "wx0000000000000002"\ntoken = "{SECRET}!"',
        f'[[account]]\nappid = "wx0000000000000002"\ntoken = "abc"\nencoding_aes_key = "{SECRET}"',
        f'[[account]]\nappid = "wx0000000000000002"\ntokn = "{SECRET}"\nkind = "mini_program"',
        f'[[account]]\ntoken = "{SECRET}"\nmessage_mode = "plain"',
        f'[account]\nappid = "wx0000000000000002"\ntoken = "{SECRET}"',
        f'account = "{SECRET}"',
        f'account = ["{SECRET}"]',
        f'[[account]\nappid = "{SECRET}"',
        f'[[account]]\nappid = "{ACCOUNT.appid}"\ntoken = "{SECRET}"\nmessage_mode = "plain"',
    ],
    ids=[
        "appid",
        "token",
        "key",
        "unknown name",
        "no appid",
        "one table",
        "text",
        "texts",
        "not TOML",
        "twice",
    ],
)
def test_a_file_that_cannot_be_used_is_named_in_one_line_that_keeps_its_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    found = problems(monkeypatch, ACCOUNTS_FILE=accounts_file(tmp_path, content))

    assert len(found) == 1
    assert "ACCOUNTS_FILE" in found[0]
    assert SECRET not in found[0]


def test_a_file_that_is_not_utf8_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    path.write_bytes('original_id = "店"'.encode("gb18030"))

    (line,) = problems(monkeypatch, ACCOUNTS_FILE=str(path))

    assert line.startswith("ACCOUNTS_FILE")


@pytest.mark.parametrize(
    "fields",
    [{"appsecret": SECRET}, {"token": SECRET}, {"encoding_aes_key": ACCOUNT.encoding_aes_key}],
)
def test_an_account_does_not_show_its_secrets(fields: dict[str, Any]) -> None:
    account = Account(
        appid=ACCOUNT.appid, kind="mini_program", message_mode=MessageMode.PLAIN, **fields
    )

    assert [secret for secret in fields.values() if secret in repr(account)] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8090",
        "http://[::1]:1",
        "http://localhost",
        "http://simulator:80",
        "https://a.b",
    ],
)
def test_the_api_is_called_in_the_clear_on_this_machine_or_in_its_containers_alone(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    assert loaded(monkeypatch, WECHAT_API_BASE_URL=url).wechat_api_base_url == url


@pytest.mark.parametrize(("bytes_more", "fits"), [(0, True), (1, False)])
def test_the_embedded_postgres_needs_a_path_that_a_socket_can_have(
    bytes_more: int, fits: bool
) -> None:
    room = MAX_SOCKET_PATH_BYTES - len(f"/d/{EMBEDDED_FOLDER}/{EMBEDDED_SOCKET}")
    settings = Settings(_env_file=None, data_dir=Path("/d" + "d" * (room + bytes_more)))

    assert bool([*settings.embedded_problems()]) is not fits


def test_two_accounts_with_one_token_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(
        f'''
        [[account]]
        appid = "wx00000000000000ab"
        token = "{ACCOUNT.token}"
        encoding_aes_key = "{ACCOUNT.encoding_aes_key}"
        '''
    )

    (line,) = problems(monkeypatch, ACCOUNTS_FILE=str(file))

    assert line.startswith("WECHAT_TOKEN:")
    assert "wx00000000000000ab" in line
    assert ACCOUNT.token not in line


@pytest.mark.parametrize(
    ("member", "likely"),
    [("accounts", "account"), ("acount", "account"), ("Account", "account")],
)
def test_an_unknown_member_of_the_accounts_file_is_named_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, member: str, likely: str
) -> None:
    path = accounts_file(tmp_path, f'[[{member}]]\nappid = "wx0000000000000001"')

    (line,) = problems(monkeypatch, ACCOUNTS_FILE=path)

    assert line.startswith(f"ACCOUNTS_FILE: {path}: `{member}` is unknown: did you mean {likely}?")
    assert "[[account]]" in line


def test_an_accounts_file_without_an_account_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (line,) = problems(monkeypatch, ACCOUNTS_FILE=accounts_file(tmp_path, "# nothing yet"))

    assert "has no account" in line


def test_an_unknown_member_of_an_account_is_named_with_the_right_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = accounts_file(
        tmp_path,
        '[[account]]\nappid = "wx0000000000000001"\nkind = "mini_program"\n'
        f'app_secret = "{SECRET}"',
    )

    (line,) = problems(monkeypatch, ACCOUNTS_FILE=path)

    assert line == "ACCOUNTS_FILE account 1 APP_SECRET: is unknown: did you mean appsecret?"


MISSPELT = [
    ("WECHAT_APPSECRETT", "WECHAT_APPSECRET"),
    ("WECHAT_APP_SECRET", "WECHAT_APPSECRET"),
    ("WECHAT_APP_ID", "WECHAT_APPID"),
    ("WECHAT_ENCODING_AESKEY", "WECHAT_ENCODING_AES_KEY"),
    ("ADMIN_TOKEN", "ADMIN_TOKENS"),
    ("DATABSE_URL", "DATABASE_URL"),
    ("MINI_PROGRAM_APPID", "MINI_PROGRAM_APPIDS"),
    ("wechat_tokn", "WECHAT_TOKEN"),
]


@pytest.mark.parametrize(("name", "likely"), MISSPELT)
def test_a_name_that_is_nearly_a_setting_is_refused_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, likely: str
) -> None:
    (line,) = problems(monkeypatch, **{name: SECRET})

    assert line == f"{name}: no setting has this name: did you mean {likely}?"


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        *MISSPELT,
        ("WECHAT_SECRET", "WECHAT_APPSECRET"),
        ("WECHAT_AES_KEY", "WECHAT_ENCODING_AES_KEY"),
    ],
)
def test_a_name_that_is_nearly_a_setting_is_refused_in_the_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, likely: str
) -> None:
    found = env_file_problems(monkeypatch, tmp_path, f"{name}={SECRET}\n")

    assert found == [f"{name.upper()}: no setting has this name, in .env: did you mean {likely}?"]


def test_a_wechat_name_of_the_env_file_that_is_no_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (line,) = env_file_problems(monkeypatch, tmp_path, f"WECHAT_XYZ={SECRET}\n")

    assert line == "WECHAT_XYZ: no setting has this name, in .env: remove it"


@pytest.mark.parametrize(
    "name",
    [
        "HOSTNAME",
        "POSTGRES_PASSWORD",
        "APP_PASSWORD",
        "DOMAIN",
        "XDG_DATA_DIRS",
        "LOGNAME",
        "WECHAT_PAY_APPID",
        "DATABASE_HOST",
        "KUBERNETES_PORT",
        "WEBHOOK_PORT",
        "TMPDIR",
    ],
)
def test_names_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert loaded(monkeypatch, **{name: "x"}).accounts


def test_an_env_file_that_is_not_utf8_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (line,) = env_file_problems(monkeypatch, tmp_path, "# 店".encode("gb18030"))

    assert line.endswith(".env: is not UTF-8 text: save it as UTF-8")


def env_file_problems(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | bytes
) -> list[str]:
    path = tmp_path / ".env"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    monkeypatch.setitem(Settings.model_config, "env_file", str(path))
    return problems(monkeypatch)


def test_the_original_id_and_the_appid_are_not_mixed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    (appid,) = problems(monkeypatch, WECHAT_APPID="gh_0123456789ab")
    (original,) = problems(monkeypatch, WECHAT_ORIGINAL_ID=ACCOUNT.appid)

    assert appid.startswith("WECHAT_APPID: holds the original ID (gh_…): copy the AppID")
    assert original.startswith("WECHAT_ORIGINAL_ID: holds an AppID: copy the original ID (gh_…)")


def test_a_media_folder_that_is_named_must_exist(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    (missing,) = problems(monkeypatch, MEDIA_DIR=str(tmp_path / "none"))
    (no_folder,) = problems(monkeypatch, MEDIA_DIR=str(file))

    assert missing == (
        f"MEDIA_DIR: {tmp_path / 'none'} does not exist: create the folder, or correct the path"
    )
    assert "is no folder" in no_folder
    assert loaded(monkeypatch, MEDIA_DIR=str(tmp_path)).media_path == tmp_path


@pytest.mark.parametrize("around", ["{}\n", " {}", "{}\r\n", "\t{} ", "\u00a0{}\u3000"])
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("WECHAT_APPID", "appid"),
        ("WECHAT_APPSECRET", "appsecret"),
        ("WECHAT_TOKEN", "token"),
        ("WECHAT_ENCODING_AES_KEY", "encoding_aes_key"),
    ],
)
def test_blanks_and_line_breaks_around_a_value_of_the_console_are_trimmed(
    monkeypatch: pytest.MonkeyPatch, name: str, field: str, around: str
) -> None:
    (account,) = loaded(monkeypatch, **{name: around.format(GOOD[name])}).accounts.values()

    found = getattr(account, field)
    assert GOOD[name] == (found if field == "appid" else found.get_secret_value())


def test_blanks_in_the_accounts_file_are_trimmed_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = "wx00000000000000aa"
    content = (
        f'[[account]]\nappid = "{other} "\ntoken = " another"\nappsecret = "{SECRET}\\n"\n'
        f'encoding_aes_key = "{ACCOUNT.encoding_aes_key}\\n"\n'
    )
    settings = loaded(monkeypatch, ACCOUNTS_FILE=accounts_file(tmp_path, content))

    secret = settings.accounts[other].appsecret
    assert secret is not None
    assert secret.get_secret_value() == SECRET
    assert settings.accounts[other].tokens == ("another",)


@pytest.mark.parametrize(
    "secret", ["two words", "in\nside", "zero\u200bwidth", "ＦＵＬＬ", "a\x07"]
)
def test_an_appsecret_that_can_not_be_one_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    (problem,) = problems(monkeypatch, WECHAT_APPSECRET=secret)

    assert problem == (
        "WECHAT_APPSECRET: holds a blank or another character that no AppSecret has: copy it again"
    )


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_an_appsecret_of_blanks_is_none(monkeypatch: pytest.MonkeyPatch, blank: str) -> None:
    (account,) = loaded(monkeypatch, WECHAT_APPSECRET=blank).accounts.values()

    assert account.appsecret is None
