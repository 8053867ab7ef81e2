"""Bodies of requests and responses of `/api/qrcodes`."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import ConfigDict, Field, field_validator

from app.api_model import ApiModel
from app.links.schemas import SLUG_PATTERN, LinkProblem, problem_of
from app.qrcodes.life import NEVER, QrState, state_of
from app.qrcodes.list_csv import MAX_NAME
from app.qrcodes.models import Figures, QrCode, QrKind
from app.qrcodes.scene import SCENE_PATTERN, check_scene
from app.rules.definition.fields import Name
from app.settings import APPID_PATTERN
from app.wechat.errcodes import Language

QrCodeId = Annotated[UUID, Path(description="Id of the QR code")]
ListId = Annotated[UUID, Path(description="Id of the list")]


class QrCodeIn(ApiModel):
    """A QR code of an Official Account."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Name, Field(max_length=MAX_NAME)]
    """For operators, and what stands below the code in a picture with its name."""
    appid: Annotated[str, Field(pattern=APPID_PATTERN)] | None = None
    """AppID of the Official Account that people follow by it; left out, that of WECHAT_APPID."""
    kind: QrKind = QrKind.TEMPORARY
    """`temporary` codes are renewed for you; an account can make 100,000 `permanent` ones ever."""
    scene: Annotated[str, Field(pattern=SCENE_PATTERN)] | None = None
    """What the event of a scan names; left out, one is drawn that nobody can guess."""
    slug: Annotated[str, Field(pattern=SLUG_PATTERN)] | None = None
    """The end of the picture's URL; left out, one is drawn."""

    @field_validator("scene")
    @classmethod
    def _in_events(cls, value: str | None) -> str | None:
        if value is not None:
            check_scene(value)
        return value


class QrCodeName(ApiModel):
    """What of a QR code can be changed."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Name, Field(max_length=MAX_NAME)]
    """The new name."""


class QrFigures(ApiModel):
    """What people did by a code, since it was added."""

    scans: int = 0
    """Scans, those that led to a follow included. WeChat reports no scan without a follow of people
    who do not follow."""
    new_follows: int = 0
    """Follows of people who had never followed."""
    refollows: int = 0
    """Follows of people who had left."""
    left_in_day: int = 0
    """How many of these follows ended within 24 hours."""
    left_in_week: int = 0
    """How many of these follows ended within seven days."""
    cards: int = 0
    """Mini-program cards that were sent in answer to a scan."""

    @classmethod
    def of(cls, row: Figures) -> Self:
        """Return the figures of a row."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class QrCodeOut(ApiModel):
    """A QR code, its state and its figures."""

    id: UUID
    """The id of the code."""
    name: str
    """For operators."""
    appid: str
    """AppID of the Official Account."""
    kind: QrKind
    """Whether it is renewed or lives for ever."""
    scene: str
    """What the event of a scan names."""
    slug: str
    """The end of the picture's URL."""
    picture_url: str
    """A picture that never ends, for web pages; with `.svg` in place of `.png` it is an SVG."""
    list_id: UUID | None
    """The list that it was made from."""
    state: QrState
    """Whether it can be scanned."""
    url: str | None
    """What the code holds now; null until WeChat has made it."""
    expires_at: datetime | None
    """When the present code ends; it is renewed a week before. Null for a permanent one."""
    renew_at: datetime | None
    """When WeChat is asked next; null if it need not be."""
    problem: LinkProblem | None
    """Why WeChat made none when it was asked last; null after a success."""
    figures: QrFigures
    """What people did by it, since it was added."""
    created_at: datetime
    """When it was added."""

    @classmethod
    def of(cls, code: QrCode, base_url: str, now: datetime, language: Language) -> Self:
        """Return the JSON of a row. base_url: of the picture."""
        return cls(
            id=code.id,
            name=code.name,
            appid=code.appid,
            kind=code.kind,
            scene=code.scene,
            slug=code.slug,
            picture_url=picture_url(base_url, code.slug),
            list_id=code.list_id,
            state=state_of(code, now),
            url=code.url,
            expires_at=code.expires_at,
            renew_at=None if code.renew_at >= NEVER else code.renew_at,
            problem=problem_of(code, language),
            figures=QrFigures.of(code),
            created_at=code.created_at,
        )


class QrCodePage(ApiModel):
    """QR codes, the newest first."""

    items: list[QrCodeOut]
    """The codes."""
    next: UUID | None
    """`before` of the next page; null after the last one."""


class QrFiguresOfDay(QrFigures):
    """The figures of one day in Shanghai. Who left counts on the day of their follow."""

    day: date
    """The day."""


class QrFiguresOut(ApiModel):
    """The figures of a code by day."""

    items: list[QrFiguresOfDay]
    """Days on which something happened, the earliest first."""


class PermanentCodes(ApiModel):
    """How many permanent codes an account has ever made, by the service's own count."""

    appid: str
    """AppID of the Official Account."""
    count: int
    """How many it has made. Deleted ones stay counted, since WeChat never gives them back."""
    limit: int
    """How many it can make."""
    warning: bool
    """Whether at least 80 % are used."""


class PermanentCounts(ApiModel):
    """The permanent codes of all accounts that have any."""

    items: list[PermanentCodes]
    """One for each account."""


class QrCodeListOut(ApiModel):
    """Codes that were made by one call, and how far that is."""

    id: UUID
    """The id of the list."""
    appid: str
    """AppID of the Official Account."""
    kind: QrKind
    """Of all its codes."""
    total: int
    """How many codes it was made with."""
    made: int
    """How many of them WeChat has made."""
    refused: int
    """How many WeChat refused when it was asked last; it is asked again."""
    unanswered: int
    """For how many WeChat did not answer when it was asked last; it is asked again."""
    waiting: int
    """How many WeChat is still to be asked for."""
    created_at: datetime
    """When it was added."""


def picture_url(base_url: str, slug: str, ending: str = "png") -> str:
    """Return the public URL of a picture."""
    return f"{base_url}/qr/{slug}.{ending}"
