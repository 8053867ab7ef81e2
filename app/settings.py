"""Reads and validates the settings: environment, `.env` and the accounts file."""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, DotEnvSettingsSource, NoDecode, SettingsConfigDict

from app.setting_problems import misspelt_settings, problem_of, unknown_name

NO_ACCOUNT = (
    "WECHAT_APPID: no account is configured; set WECHAT_APPID, WECHAT_TOKEN and "
    "WECHAT_ENCODING_AES_KEY, or ACCOUNTS_FILE"
)
# A socket's path has room for 103 bytes on the smallest of the systems, and Postgres adds its name.
# Where it does not fit, the embedded Postgres would listen in the temporary folder, open to all.
MAX_SOCKET_PATH_BYTES = 103
EMBEDDED_FOLDER = "postgres"
EMBEDDED_SOCKET = ".s.PGSQL.5432"
APPID_PATTERN = r"^wx[0-9a-f]{16}$"
API_RATE_PATTERN = r"([a-z_/]+)=(\d{1,7})/(\d{1,7})"
MAX_RATE = 1_000_000
AES_KEY_PATTERN = r"^[A-Za-z0-9]{43}$"
# Visible ASCII: a blank, a line break or an invisible character came with the copying.
APPSECRET_PATTERN = r"^[!-~]+$"
MIN_ADMIN_TOKEN = 24
PUBLIC_URL_PATTERN = r"https?://[A-Za-z0-9.\-\[\]:]+/?"
# A top-level domain alone would let every site below it in.
DOMAIN_PATTERN = r"localhost|[a-z0-9-]+(\.[a-z0-9-]+)+"
ACCOUNT_TABLE = "account"


class SettingsError(Exception):
    """The settings are invalid. problems: one line each, with the variable and the fix."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class MessageMode(StrEnum):
    """The message encryption mode of an account, as set in WeChat's console."""

    SECURE = "secure"
    COMPATIBLE = "compatible"
    PLAIN = "plain"


# The mode is never empty; its default says nothing.
_NOT_GIVEN: Final = (None, MessageMode.SECURE, "")


def _matching(pattern: str, value: SecretStr | None, what: str) -> SecretStr | None:
    if value is not None and not re.fullmatch(pattern, value.get_secret_value()):
        raise ValueError(what)
    return value


class Account(BaseModel):
    """One Official Account or mini-program, with the values of WeChat's console.

    A mini-program that is only used in cards needs just its AppID. An account that receives
    callbacks needs a Token and, unless its mode is plain, an EncodingAESKey.
    Source: protocol 1.1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    appid: str
    kind: Literal["oa", "mini_program"] = "oa"
    original_id: str | None = None
    appsecret: SecretStr | None = None
    token: SecretStr | None = None
    token_previous: SecretStr | None = None
    encoding_aes_key: SecretStr | None = None
    encoding_aes_key_previous: SecretStr | None = None
    message_mode: MessageMode = MessageMode.SECURE
    js_safe_domains: tuple[str, ...] = ()

    @field_validator(
        "appid",
        "original_id",
        "appsecret",
        "token",
        "token_previous",
        "encoding_aes_key",
        "encoding_aes_key_previous",
        mode="before",
    )
    @classmethod
    def _trimmed(cls, value: object) -> object:
        """Trim blanks and line breaks, which a copy from the console or a file brings along."""
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        return (value.strip() or None) if isinstance(value, str) else value

    @field_validator("appsecret")
    @classmethod
    def _appsecret_shape(cls, value: SecretStr | None) -> SecretStr | None:
        return _matching(
            APPSECRET_PATTERN,
            value,
            "holds a blank or another character that no AppSecret has: copy it again",
        )

    @field_validator("appid")
    @classmethod
    def _appid_shape(cls, value: str) -> str:
        if value.startswith("gh_"):
            raise ValueError(
                "holds the original ID (gh_…): copy the AppID from the console, wx and 16 digits "
                "or letters a to f"
            )
        if re.fullmatch(APPID_PATTERN, value) is None:
            raise ValueError(
                "is no AppID: copy it from the console, wx and 16 digits or letters a to f"
            )
        return value

    @field_validator("original_id")
    @classmethod
    def _original_id_shape(cls, value: str | None) -> str | None:
        if value is not None and re.fullmatch(APPID_PATTERN, value):
            raise ValueError("holds an AppID: copy the original ID (gh_…) from the console")
        return value

    @field_validator("js_safe_domains", mode="before")
    @classmethod
    def _domains(cls, value: object) -> object:
        """Take a list, or a text with commas as the environment has it."""
        if isinstance(value, str):
            value = value.split(",")
        if not isinstance(value, list | tuple):
            return value
        trimmed = (part.strip().lower() if isinstance(part, str) else part for part in value)
        return tuple(part for part in trimmed if part)

    @field_validator("js_safe_domains")
    @classmethod
    def _domain_shape(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for domain in value:
            if re.fullmatch(DOMAIN_PATTERN, domain) is None:
                raise ValueError(
                    f"{domain} is no domain: write it as in the console, without https:// and "
                    "without a path, such as www.example.com"
                )
        return value

    @field_validator("encoding_aes_key", "encoding_aes_key_previous")
    @classmethod
    def _key_shape(cls, value: SecretStr | None) -> SecretStr | None:
        return _matching(
            AES_KEY_PATTERN,
            value,
            "must be exactly 43 letters and digits: copy it from the console",
        )

    @field_validator("token", "token_previous")
    @classmethod
    def _token_shape(cls, value: SecretStr | None) -> SecretStr | None:
        return _matching(
            r"^[A-Za-z0-9]{3,32}$",
            value,
            "must be 3 to 32 letters and digits: copy it from the console",
        )

    def missing(self) -> Iterator[tuple[str, str]]:
        """Yield each missing field that the account needs, with the fix."""
        if self.kind == "oa" and self.token is None:
            yield "token", "an Official Account needs one: copy it from the console"
        needs_key = self.receives and self.message_mode is not MessageMode.PLAIN
        if needs_key and self.encoding_aes_key is None:
            yield (
                "encoding_aes_key",
                f"message mode {self.message_mode} needs one: copy it from the console, or set "
                "the mode to plain",
            )

    @property
    def receives(self) -> bool:
        """Whether the service receives this account's callbacks."""
        return self.token is not None

    @property
    def tokens(self) -> tuple[str, ...]:
        """The accepted Tokens, the current one first."""
        return _present(self.token, self.token_previous)

    @property
    def aes_keys(self) -> tuple[str, ...]:
        """The accepted EncodingAESKeys, the current one first."""
        return _present(self.encoding_aes_key, self.encoding_aes_key_previous)


def asked_among(accounts: Mapping[str, Account]) -> frozenset[str]:
    """Return the AppIDs of Official Accounts whose AppSecret is held.

    WeChat can be asked there, so that nobody else has a say about their UnionIDs.
    """
    return frozenset(
        appid
        for appid, account in accounts.items()
        if account.kind == "oa" and account.appsecret is not None
    )


def _present(*values: SecretStr | None) -> tuple[str, ...]:
    return tuple(value.get_secret_value() for value in values if value is not None)


def _blank_is_unset(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


class Settings(BaseSettings):
    """All settings; `.env.example` lists and explains them."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    database_url: str = ""
    data_dir: Path = Path("data")
    media_dir: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str | None = None
    max_connections: int = Field(default=2500, ge=16, le=65535)
    web_processes: int = Field(default=1, ge=1, le=64)
    with_worker: bool = False
    worker_metrics_port: int = Field(default=0, ge=0, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    tracing: Literal["on", "off"] = "off"

    wechat_appid: str | None = None
    wechat_original_id: str | None = None
    wechat_appsecret: SecretStr | None = None
    wechat_token: SecretStr | None = None
    wechat_token_previous: SecretStr | None = None
    wechat_encoding_aes_key: SecretStr | None = None
    wechat_encoding_aes_key_previous: SecretStr | None = None
    wechat_message_mode: MessageMode = MessageMode.SECURE
    wechat_js_safe_domains: str = ""
    accounts_file: Path | None = None
    wechat_api_base_url: str = "https://api.weixin.qq.com"
    wechat_api_timeout_seconds: float = Field(default=4.0, gt=0, le=60)
    followers_sync_concurrency: int = Field(default=8, ge=1, le=64)
    api_rates: Annotated[tuple[str, ...], NoDecode] = ()

    admin_tokens: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    operations_public: bool = False
    console: Literal["on", "off"] = "on"
    console_time_zone: str = "Asia/Shanghai"
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    replay_window_seconds: int = Field(default=600, ge=0)
    max_body_bytes: int = Field(default=65536, ge=1024, le=1048576)
    inbox_max_waiting: int = Field(default=2000, ge=1)
    spool: Literal["on", "off"] = "on"
    spool_max_callbacks: int = Field(default=200_000, ge=1)

    media_allow_private: bool = False
    webhook_allow_http: bool = False
    webhook_allow_private: bool = False
    secret_key: SecretStr | None = Field(default=None, min_length=16)
    secret_key_previous: SecretStr | None = Field(default=None, min_length=16)
    webhook_secret_key: SecretStr | None = Field(default=None, min_length=16)

    on_unfollow: Literal["content", "everything"] = "content"
    retention_days: int = Field(default=30, ge=1, le=3650)
    funnel_opened_days: int = Field(default=7, ge=1, le=90)
    funnel_converted_days: int = Field(default=30, ge=1, le=90)
    audit_retention_days: int = Field(default=730, ge=30, le=3650)
    erasure_hmac_secret: SecretStr | None = Field(default=None, min_length=16)

    rules_mode: Literal["first", "every"] = "first"
    rules_match_limit: int = Field(default=3, ge=1, le=10)
    mini_program_appids: Annotated[tuple[str, ...], NoDecode] = ()

    window_message_sends: int = Field(default=5, ge=1)
    window_message_hours: float = Field(default=48, gt=0)
    window_action_sends: int = Field(default=3, ge=1)
    window_action_seconds: float = Field(default=60, gt=0)
    uncertain_sends: Literal["resend_once", "hold"] = "resend_once"
    queued_reply_delay_seconds: float = Field(default=1, ge=0, le=10)

    @field_validator(
        "wechat_appid",
        "wechat_original_id",
        "wechat_appsecret",
        "wechat_token",
        "wechat_token_previous",
        "wechat_encoding_aes_key",
        "wechat_encoding_aes_key_previous",
        "erasure_hmac_secret",
        "secret_key",
        "secret_key_previous",
        "webhook_secret_key",
        "public_url",
        "accounts_file",
        "media_dir",
        mode="before",
    )
    @classmethod
    def _unset(cls, value: object) -> object:
        return _blank_is_unset(value)

    @field_validator(
        "admin_tokens", "mini_program_appids", "api_rates", "trusted_proxies", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("admin_tokens")
    @classmethod
    def _long_tokens(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for number, token in enumerate(value, 1):
            if len(token.get_secret_value()) < MIN_ADMIN_TOKEN:
                raise ValueError(
                    f"token {number} has fewer than {MIN_ADMIN_TOKEN} characters; "
                    "make one with: openssl rand -hex 24"
                )
        return value

    @field_validator("mini_program_appids")
    @classmethod
    def _appids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for appid in value:
            if re.fullmatch(APPID_PATTERN, appid) is None:
                raise ValueError(f"{appid} is no AppID: wx and 16 digits or letters a to f")
        return value

    @field_validator("api_rates")
    @classmethod
    def _rates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            found = re.fullmatch(API_RATE_PATTERN, part)
            if found is None or not all(1 <= int(n) <= MAX_RATE for n in found.group(2, 3)):
                raise ValueError(
                    f"{part} is no rate: write an API, the calls and the seconds, from 1 to "
                    f"{MAX_RATE:,}, such as message/custom/send=1000/60"
                )
        return value

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://, or be empty for the embedded Postgres")
        try:
            _ = urlsplit(value).port
        except ValueError as error:
            raise ValueError("holds a port that is no number up to 65535") from error
        return value

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is not None and re.fullmatch(PUBLIC_URL_PATTERN, value) is None:
            raise ValueError(
                "must be https:// (or http://) and the host under which browsers reach the "
                "service, with no path, such as https://oa.example.com"
            )
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for part in value:
            try:
                ip_network(part)
            except ValueError as error:
                raise ValueError(
                    f"{part} is no IP address and no network: write such as 10.0.0.5,10.1.0.0/16"
                ) from error
        return value

    @field_validator("console_time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ValueError("is not known: write an IANA name such as Asia/Shanghai") from error
        return value

    @field_validator("wechat_api_base_url")
    @classmethod
    def _encrypted(cls, value: str) -> str:
        if re.match(r"https?://[^/\s]+", value) is None:
            raise ValueError("must be a URL such as https://api.weixin.qq.com")
        host = urlsplit(value).hostname or ""
        if value.startswith("http://") and not _is_local(host):
            raise ValueError(
                f"must be https:// for {host}, since access tokens and AppSecrets go there; "
                "http:// is for this machine and for names without a dot"
            )
        return value

    def embedded_problems(self) -> Iterator[str]:
        """Yield what keeps the embedded Postgres from running safely under DATA_DIR."""
        if self.database_url:
            return
        socket = self.data_dir.absolute() / EMBEDDED_FOLDER / EMBEDDED_SOCKET
        room = MAX_SOCKET_PATH_BYTES - len(os.fsencode(socket))
        if room < 0:
            yield (
                f"DATA_DIR: is {-room} bytes too long for the socket of the embedded Postgres: "
                "choose a shorter path, or set DATABASE_URL"
            )

    def media_problems(self) -> Iterator[str]:
        """Yield what keeps the pictures of MEDIA_DIR from being read."""
        folder = self.media_dir
        if folder is None:
            return
        if not folder.is_dir():
            what = "is no folder" if folder.exists() else "does not exist"
            yield f"MEDIA_DIR: {folder} {what}: create the folder, or correct the path"
        elif not os.access(folder, os.R_OK | os.X_OK):
            yield f"MEDIA_DIR: {folder} can't be read by this user: change its permissions"

    @property
    def base_url(self) -> str:
        """Scheme and host under which browsers reach the service, with no path and no slash."""
        if self.public_url is not None:
            return self.public_url.rstrip("/")
        # Browsers can't open the addresses that stand for all of this machine.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def media_path(self) -> Path:
        """The folder of the files that rules name with `{"file": name}`."""
        return self.media_dir or self.data_dir / "media"

    @property
    def rules_per_message(self) -> int:
        """The number of rules that may answer one message."""
        return 1 if self.rules_mode == "first" else self.rules_match_limit

    @cached_property
    def mini_programs(self) -> frozenset[str]:
        """AppIDs of the mini-programs that cards and links may open; empty: any."""
        own = {appid for appid, account in self.accounts.items() if account.kind != "oa"}
        return frozenset({*own, *self.mini_program_appids})

    @cached_property
    def asked_accounts(self) -> frozenset[str]:
        """AppIDs of the Official Accounts whose UnionIDs WeChat is asked for; see `asked_among`."""
        return asked_among(self.accounts)

    @property
    def queued_reply_delay(self) -> timedelta:
        """How long after the passive reply a queued one is sent."""
        return timedelta(seconds=self.queued_reply_delay_seconds)

    @property
    def api_timeout(self) -> timedelta:
        """The time limit of one call to WeChat's API."""
        return timedelta(seconds=self.wechat_api_timeout_seconds)

    @property
    def uses_embedded_postgres(self) -> bool:
        """Whether the database is the embedded one, whose address `serve` sets by itself."""
        if not self.database_url:
            return True
        hosts = parse_qs(urlsplit(self.database_url).query).get("host", [])
        return str(self.data_dir.absolute() / EMBEDDED_FOLDER) in hosts

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """All configured accounts by AppID.

        Raises SettingsError if the accounts file or an account is invalid.
        """
        problems: list[str] = []
        found: dict[str, Account] = {}
        for where, fields in self._account_sources(problems):
            try:
                account = Account.model_validate(fields)
            except ValidationError as error:
                problems += _lines(error, where, Account.model_fields)
                continue
            if account.appid in found:
                problems.append(f"{_named(where, 'appid')}: {account.appid} is configured twice")
            problems += [f"{_named(where, field)}: {fix}" for field, fix in account.missing()]
            found[account.appid] = account
        problems += _shared_tokens(found.values())
        if problems:
            raise SettingsError(problems)
        return found

    def _account_sources(self, problems: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        first = self._first_account()
        if self.wechat_appid is not None:
            yield "WECHAT_", first
        elif given := [name for name, value in first.items() if value not in _NOT_GIVEN]:
            names = ", ".join(_named("WECHAT_", name) for name in given)
            problems.append(
                f"WECHAT_APPID: is empty although {names} {'is' if len(given) == 1 else 'are'} "
                "given: set it, or remove the others"
            )
        if self.accounts_file is not None:
            for number, fields in enumerate(_read_accounts(self.accounts_file, problems), 1):
                yield f"ACCOUNTS_FILE account {number}", fields

    def _first_account(self) -> dict[str, Any]:
        return {
            "appid": self.wechat_appid,
            "original_id": self.wechat_original_id,
            "appsecret": self.wechat_appsecret,
            "token": self.wechat_token,
            "token_previous": self.wechat_token_previous,
            "encoding_aes_key": self.wechat_encoding_aes_key,
            "encoding_aes_key_previous": self.wechat_encoding_aes_key_previous,
            "message_mode": self.wechat_message_mode,
            "js_safe_domains": self.wechat_js_safe_domains,
        }


def _is_local(host: str) -> bool:
    """Tell whether a host is this machine, or a name without a dot, as containers have."""
    if "." not in host and ":" not in host:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.endswith(".localhost")


def _shared_tokens(accounts: Iterable[Account]) -> Iterator[str]:
    """Yield accounts with the Token of another one: what is signed for one would hold for both."""
    owners: dict[str, str] = {}
    for account in accounts:
        for token in account.tokens:
            owner = owners.setdefault(token, account.appid)
            if owner != account.appid:
                yield (
                    f"WECHAT_TOKEN: {owner} and {account.appid} have the same Token: give each "
                    "account its own in the console"
                )


def _read_accounts(path: Path, problems: list[str]) -> list[dict[str, Any]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"ACCOUNTS_FILE: can't read {path}: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"ACCOUNTS_FILE: {path} is not UTF-8 text: save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"ACCOUNTS_FILE: {path} is not valid TOML: {error}")
    else:
        return _accounts_of(document, path, problems)
    return []


def _accounts_of(document: dict[str, Any], path: Path, problems: list[str]) -> list[dict[str, Any]]:
    unknown = [name for name in document if name != ACCOUNT_TABLE]
    for name in unknown:
        fix = unknown_name(name, [ACCOUNT_TABLE])
        problems.append(
            f"ACCOUNTS_FILE: {path}: `{name}` {fix} Write each account as an [[account]] table"
        )
    accounts = document.get(ACCOUNT_TABLE, [])
    if isinstance(accounts, list) and all(isinstance(item, dict) for item in accounts):
        if not accounts and not unknown:
            problems.append(
                f"ACCOUNTS_FILE: {path} has no account: add an [[account]] table, or leave "
                "ACCOUNTS_FILE empty"
            )
        return accounts
    problems.append(f"ACCOUNTS_FILE: {path}: write each account as an [[account]] table")
    return []


def _lines(error: ValidationError, where: str, known: Iterable[str]) -> list[str]:
    """Return one line per problem."""
    # The value is never shown, since it may be a secret.
    lines = []
    for item in error.errors(include_input=False, include_url=False):
        name = _named(where, ".".join(str(part) for part in item["loc"]))
        lines.append(f"{name}: {problem_of(dict(item), known)}")
    return lines


def _named(where: str, field: str) -> str:
    """Return the name of a field for operators: the variable, or account number and field."""
    separator = "" if where.endswith("_") or not where else " "
    return f"{where}{separator}{field.upper()}"


def load_settings(*, with_media: bool = True) -> Settings:
    """Read and validate the settings. Raises SettingsError with one line per problem.

    with_media: whether the folder MEDIA_DIR is needed.
    """
    problems = _name_problems()
    try:
        settings = Settings()
    except ValidationError as error:
        problems += _lines(error, "", Settings.model_fields)
        settings = _without(error)
    problems += settings.embedded_problems()
    if with_media:
        problems += settings.media_problems()
    try:
        if not settings.accounts:
            problems.append(NO_ACCOUNT)
    except SettingsError as error:
        problems += error.problems
    if problems:
        raise SettingsError(problems)
    return settings


def _name_problems() -> list[str]:
    """Return a problem for each name that is nearly one of a setting."""
    known = [name.upper() for name in Settings.model_fields]
    return [*misspelt_settings(os.environ, _env_file_names(), known)]


def _env_file_names() -> list[str]:
    """Return the names that `.env` sets. Raises SettingsError if it can't be read."""
    file = Settings.model_config.get("env_file")
    if not isinstance(file, str) or not Path(file).is_file():
        return []
    try:
        return [name.upper() for name in DotEnvSettingsSource(Settings, env_file=file).env_vars]
    except UnicodeDecodeError:
        raise SettingsError([f"{file}: is not UTF-8 text: save it as UTF-8"]) from None
    except OSError as error:
        raise SettingsError([f"{file}: can't be read: {error.strerror}"]) from None


def _without(error: ValidationError) -> Settings:
    """Return the settings with defaults for the invalid ones, to check the accounts as well."""
    invalid = {str(item["loc"][0]) for item in error.errors()}
    return Settings(**{name: Settings.model_fields[name].default for name in invalid})


class Origin(StrEnum):
    """Where the value of a setting comes from."""

    ENVIRONMENT = "environment"
    DOTENV = ".env"
    DEFAULT = "default"
    EMBEDDED = "embedded Postgres"


def origins_of(settings: Settings) -> dict[str, Origin]:
    """Return where each setting comes from, by the name of its variable.

    A variable that was empty or could not be used is at its default. The address of the embedded
    Postgres is none that somebody has set.
    """
    named = {name.upper() for name in os.environ}
    origins = {
        name.upper(): _origin(name.upper(), name in settings.model_fields_set, named)
        for name in Settings.model_fields
    }
    if settings.uses_embedded_postgres:
        origins["DATABASE_URL"] = Origin.EMBEDDED
    return origins


def _origin(variable: str, is_set: bool, environment: set[str]) -> Origin:
    if not is_set:
        return Origin.DEFAULT
    return Origin.ENVIRONMENT if variable in environment else Origin.DOTENV
