"""Reads the accounts of the simulator, and says in one sentence what is wrong with them."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.setting_problems import problem_of
from app.wechat.crypto import decode_key
from simulator.accounts import Account

_ACCOUNTS = TypeAdapter(list[Account])


class BadConfig(Exception):
    """The accounts can't be used. Its text says why, one line for each problem; no secret."""


def read_config(path: Path) -> list[Account]:
    """Return the accounts of a TOML file, whose members are those of `Account`.

    Raises BadConfig.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfig(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:
        raise BadConfig(f"{path} is not valid TOML: {_reason(error)}") from None
    if not document.get("accounts"):
        raise BadConfig(f"{path} has no account: write [[accounts]] above the members of each")
    try:
        accounts = _ACCOUNTS.validate_python(document["accounts"])
    except ValidationError as error:
        raise BadConfig("\n".join(f"{path}: {_problem(one)}" for one in error.errors())) from None
    require_keys(accounts)
    return accounts


def require_keys(accounts: list[Account]) -> None:
    """Raise BadConfig if the EncodingAESKey of an account is none, or an AppID stands twice."""
    for account in accounts:
        try:
            decode_key(account.encoding_aes_key)
        except ValueError as error:
            raise BadConfig(f"{account.appid}: encoding_aes_key: {error}") from None
    appids = [account.appid for account in accounts]
    for appid in appids:
        if appids.count(appid) > 1:
            raise BadConfig(f"{appid}: stands twice: keep one account with this AppID")


def _reason(error: ValueError) -> str:
    # The text of this one holds the bytes of the file.
    return "it is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)


def _problem(error: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    where = ".".join(str(part) for part in ("accounts", *error["loc"]))
    return f"{where}: {problem_of(error, Account.model_fields)}"
