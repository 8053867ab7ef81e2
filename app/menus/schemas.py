"""Bodies of requests and responses of `/api/menus`."""

from datetime import date, datetime
from typing import Annotated, Any, Self

from fastapi import Path
from pydantic import ConfigDict, Field

from app.api_model import ApiModel
from app.api_time import Day
from app.identity.schemas import WeChatId
from app.menus.check import MenuProblem, check_menu
from app.menus.difference import Change, ChangeKind
from app.menus.document import Menu
from app.menus.models import AccountMenu, MenuVersion, VersionState
from app.wechat.errcodes import Language, explain

MAX_NUMBER = 2**53

AccountId = Annotated[str, Path(max_length=64, description="AppID of the Official Account")]
Number = Annotated[int, Path(ge=1, le=MAX_NUMBER, description="Number of the version")]


class DraftIn(ApiModel):
    """A draft that replaces the present one."""

    model_config = ConfigDict(extra="forbid")

    menu: Menu
    """All menus of the account."""
    revision: Annotated[int, Field(ge=0, le=MAX_NUMBER, strict=True)] | None = None
    """Of the draft that was read; another present one is an error. Left out: any."""


class PublishIn(ApiModel):
    """Which draft is published."""

    model_config = ConfigDict(extra="forbid")

    revision: Annotated[int, Field(ge=0, le=MAX_NUMBER, strict=True)]
    """Of the draft that was read; another present one is an error."""


class FollowerIn(ApiModel):
    """A follower of the account."""

    model_config = ConfigDict(extra="forbid")

    openid: WeChatId
    """The OpenID."""


class ProblemOut(ApiModel):
    """What is wrong with a menu."""

    loc: list[str | int]
    """The path of the member in the menu."""
    errcode: int | None
    """What WeChat would answer; null if it is a rule of OA Bridge."""
    msg: str
    """What is wrong, and how to correct it."""
    meaning: str | None
    """What the errcode means."""
    blocks: bool
    """Whether the menu can't be published so."""

    @classmethod
    def of(cls, problem: MenuProblem, language: Language) -> Self:
        """Return the JSON of a problem."""
        known = None if problem.errcode is None else explain(problem.errcode, language)
        return cls(
            loc=list(problem.loc),
            errcode=problem.errcode,
            msg=problem.text,
            meaning=None if known is None else known.meaning,
            blocks=problem.blocks,
        )


class MenuCheckOut(ApiModel):
    """The result of a check."""

    problems: list[ProblemOut]
    """What is wrong; empty if nothing is."""


class DraftOut(ApiModel):
    """The draft of an account, and where its publications are."""

    appid: str
    """AppID of the account."""
    menu: Menu
    """All menus of the account."""
    revision: int
    """Raised by every change of the draft; 0: there was none yet."""
    updated_at: datetime
    """When the draft was last changed."""
    problems: list[ProblemOut]
    """What is wrong with the draft."""
    live_version: int | None
    """Number of the version that was published last."""
    publishing: int | None
    """Number of the version that is being published or withdrawn."""

    @classmethod
    def of(
        cls,
        account: AccountMenu,
        publishing: MenuVersion | None,
        known: frozenset[str],
        language: Language,
    ) -> Self:
        """Return the JSON of a row. known: AppIDs that a menu may open; empty: any."""
        menu = Menu.model_validate(account.draft)
        return cls(
            appid=account.appid,
            menu=menu,
            revision=account.revision,
            updated_at=account.updated_at,
            problems=[ProblemOut.of(each, language) for each in check_menu(menu, known)],
            live_version=account.live_number,
            publishing=None if publishing is None else publishing.number,
        )


class RefusalOut(ApiModel):
    """Why a call of WeChat failed."""

    errcode: int | None
    """WeChat's errcode; null if no answer came."""
    errmsg: str
    """What WeChat said."""
    rid: str | None
    """The id of the request in WeChat's own log."""
    meaning: str | None
    """What the errcode means."""
    fix: str | None
    """What to do about it."""
    at: datetime
    """When this was."""


class LeftOutButton(ApiModel):
    """A button of a menu that was found and that the API can't make."""

    position: str
    """Its place: `2-1` is the first in the sub-menu of the second; `c1-` is a conditional menu."""
    name: str
    """What people saw."""
    type: str
    """Its type in WeChat's console, such as `text` or `news`."""
    value: str | None
    """The text, link or material that it showed."""


class VersionOut(ApiModel):
    """A version: a menu that was published, or that was found at WeChat."""

    number: int
    """Counts the versions of the account."""
    state: VersionState
    """`found`: was at WeChat before a publication; `withdrawing`: what was there is restored."""
    created_at: datetime
    """When it was published or found."""
    finished_at: datetime | None
    """When the publication was over; null while it goes on."""
    actor_kind: str | None
    """How it was published: `operator`, `token`, `admin_token` or `cli`."""
    actor_name: str | None
    """Who published it."""
    previous: int | None
    """Number of the version that it replaced."""
    restored_from: int | None
    """Number of the version whose menu it is, after an undo."""
    verified: bool | None
    """Whether WeChat shows what was sent; null until it was compared."""
    restored: bool | None
    """After a failure: whether what was there before is there again."""
    next_attempt_at: datetime | None
    """When WeChat is asked again; null once it is over."""
    left_out: list[LeftOutButton]
    """What the API can't make of a menu that was found."""
    problem: RefusalOut | None
    """Why the last call failed; null after a success."""

    @classmethod
    def of(cls, version: MenuVersion, language: Language) -> Self:
        """Return the JSON of a row."""
        return cls(**_members(version, language))


class WholeVersionOut(VersionOut):
    """A version with its menu."""

    menu: Menu
    """All menus, with placeholders; of a menu that was found, what the API can make."""
    sent: dict[str, Any]
    """What WeChat got, with the placeholders filled; of a menu that was found, what it answered."""

    @classmethod
    def of(cls, version: MenuVersion, language: Language) -> Self:
        """Return the JSON of a row."""
        return cls(
            **_members(version, language),
            menu=Menu.model_validate(version.menu),
            sent=version.sent,
        )


class VersionPage(ApiModel):
    """Versions, the newest first."""

    items: list[VersionOut]
    """The versions."""
    next: int | None
    """`before` of the next page; null after the last one."""


class ChangeOut(ApiModel):
    """One button, or whom a conditional menu is for, at WeChat and in the draft."""

    position: str
    """`2-1` is the first button in the sub-menu of the second; `c1` whom a conditional menu is for.
    """
    kind: ChangeKind
    """What publishing does to it."""
    before: dict[str, Any] | None
    """At WeChat; null if it is not there."""
    after: dict[str, Any] | None
    """In the draft; null if it is not there."""

    @classmethod
    def of(cls, change: Change) -> Self:
        """Return the JSON of a change."""
        return cls(
            position=change.position, kind=change.kind, before=change.before, after=change.after
        )


class DifferenceOut(ApiModel):
    """What publishing the draft would change."""

    changes: list[ChangeOut]
    """Button by button; empty if WeChat shows the draft."""
    is_menu_open: bool
    """Whether the menu is switched on at WeChat."""
    from_console: bool
    """Whether the present menu was made in WeChat's console."""
    left_out: list[LeftOutButton]
    """Buttons of the present menu that the API can't make; the first publication keeps a copy."""


class TapDays(ApiModel):
    """The first and the last day, both included."""

    since: Day | None = Field(default=None, alias="from", description="first day in Shanghai")
    until: Day | None = Field(default=None, description="last day; default: today")


class TapsOfDay(ApiModel):
    """The taps on one button of one version on one day."""

    day: date
    """A day in Shanghai."""
    version: int
    """Number of the version; 0: the button is of no version."""
    position: str
    """`2-1` is the first button in the sub-menu of the second; `c1-…` of a conditional menu."""
    taps: int
    """How often it was tapped."""


class TapsOut(ApiModel):
    """Taps by day, version and button."""

    items: list[TapsOfDay]
    """Those with taps, the earliest day first."""


class SeenMenu(ApiModel):
    """The menu that a follower sees."""

    button: list[dict[str, Any]]
    """Its buttons."""
    menu: str | None
    """`default`, or `c1` and so on for a conditional one of the live version; null: another one."""


def refusal_of(version: MenuVersion, language: Language) -> RefusalOut | None:
    """Return why the last call failed; None after a success."""
    if version.failed_at is None:
        return None
    known = None if version.errcode is None else explain(version.errcode, language, version.rid)
    return RefusalOut(
        errcode=version.errcode,
        errmsg=version.error or "",
        rid=version.rid,
        meaning=None if known is None else known.meaning,
        fix=None if known is None else known.fix,
        at=version.failed_at,
    )


def _members(version: MenuVersion, language: Language) -> dict[str, Any]:
    return {
        "number": version.number,
        "state": version.state,
        "created_at": version.created_at,
        "finished_at": version.finished_at,
        "actor_kind": version.actor_kind,
        "actor_name": version.actor_name,
        "previous": version.previous,
        "restored_from": version.restored_from,
        "verified": version.verified,
        "restored": version.restored,
        "next_attempt_at": version.try_at,
        "left_out": [LeftOutButton(**each) for each in version.left_out],
        "problem": refusal_of(version, language),
    }
