"""Which account, which menu and which button a page of the editor is about."""

from dataclasses import dataclass
from typing import Annotated, Self
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel, Field, field_validator

from app.console.errors import NotFound
from app.menus.document import MAX_CONDITIONAL
from app.settings import Settings


class PlaceQuery(BaseModel):
    """As it stands in an address or a form. button: numbers from 1, `2-1`; empty: none."""

    appid: Annotated[str, Field(max_length=64)] = ""
    menu: Annotated[int, Field(ge=0, le=MAX_CONDITIONAL)] = 0
    button: Annotated[str, Field(pattern=r"^(?:[1-9][0-9]?(?:-[1-9][0-9]?)?)?$")] = ""

    @field_validator("menu", mode="before")
    @classmethod
    def _default_menu(cls, value: object) -> object:
        return 0 if value == "" else value


@dataclass(frozen=True, slots=True)
class Place:
    """appid: of an Official Account. menu: 0 is the default one. path: numbers from 0."""

    appid: str
    menu: int
    path: tuple[int, ...]

    @classmethod
    def of(cls, request: Request, query: PlaceQuery) -> Self:
        """Return the place. Raises NotFound for an account that is not in the settings."""
        accounts = official_accounts(request)
        appid = query.appid or next(iter(accounts), "")
        if appid not in accounts:
            raise NotFound
        parts = [part for part in query.button.split("-") if part]
        return cls(appid, query.menu, tuple(int(part) - 1 for part in parts))

    @property
    def which(self) -> int | None:
        """The number of the conditional menu from 0; None: the default one."""
        return None if self.menu == 0 else self.menu - 1

    @property
    def button(self) -> str:
        """The numbers of the button from 1, as in an address."""
        return "-".join(str(number + 1) for number in self.path)

    @property
    def position(self) -> str:
        """The place of the button in the whole document, as `positions` names it."""
        return self.button if self.which is None else f"c{self.menu}-{self.button}"

    def address(self, *, button: str | None = None, **more: str) -> str:
        """Return the page of a button of the same menu, below the console; by default this one."""
        values = {
            "appid": self.appid,
            "menu": str(self.menu),
            "button": self.button if button is None else button,
            **more,
        }
        return f"/menus?{urlencode({name: value for name, value in values.items() if value})}"


def official_accounts(request: Request) -> list[str]:
    """Return the AppIDs of the Official Accounts of the settings."""
    settings: Settings = request.app.state.settings
    return [appid for appid, account in settings.accounts.items() if account.kind == "oa"]
