"""Shows the settings that this process runs with; none can be changed here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import SecretStr

from app.console.messages import N_
from app.console.render import render
from app.console.section import Section
from app.console.signed_in import Viewer
from app.settings import Account, Origin, Settings, origins_of

router = APIRouter()

SECTION: Final = Section("/settings", N_("Settings"), "s", router)

# It holds a password, although it is no SecretStr.
SECRETS: Final = frozenset({"database_url"})
ORIGINS: Final = {
    Origin.ENVIRONMENT: N_("environment"),
    Origin.DOTENV: N_(".env file"),
    Origin.DEFAULT: N_("default"),
    Origin.EMBEDDED: N_("embedded Postgres in DATA_DIR"),
}
KINDS: Final = {"oa": N_("Official Account"), "mini_program": N_("mini-program")}
MODES: Final = {
    "secure": N_("secure mode"),
    "compatible": N_("compatible mode"),
    "plain": N_("plain mode"),
}


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting as the page shows it. value: None if it is a secret; is_set: whether it has one."""

    name: str
    value: str | None
    is_set: bool
    origin: str


@router.get("")
async def show(request: Request, _visitor: Viewer) -> Response:
    """Show every setting, and every account with the secrets that it has."""
    settings: Settings = request.app.state.settings
    return render(
        request,
        "settings/index.html",
        settings=shown(settings),
        accounts=list(settings.accounts.values()),
        first_appid=settings.wechat_appid,
        kinds=KINDS,
        modes=MODES,
        secrets_of=secrets_of,
    )


def shown(settings: Settings) -> Sequence[ShownSetting]:
    """Return every setting by its variable, without any secret."""
    origins = origins_of(settings)
    return [
        ShownSetting(
            name.upper(),
            None if _is_secret(name, field.annotation) else _text(getattr(settings, name)),
            bool(getattr(settings, name)),
            ORIGINS[origins[name.upper()]],
        )
        for name, field in Settings.model_fields.items()
    ]


def secrets_of(account: Account) -> Sequence[tuple[str, bool]]:
    """Return each secret that an account may have, and whether it has it."""
    return [
        (name, getattr(account, name) is not None)
        for name, field in Account.model_fields.items()
        if _is_secret(name, field.annotation)
    ]


def _is_secret(name: str, annotation: Any) -> bool:  # noqa: ANN401 - a type of any kind
    return name in SECRETS or SecretStr.__name__ in str(annotation)


def _text(value: object) -> str:
    match value:
        case None | "" | ():
            return ""
        case bool():
            return str(value).lower()
        case Path():
            return str(value)
        case tuple():
            return ", ".join(map(str, value))
    return str(value)
