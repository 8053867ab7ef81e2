"""Bodies of requests and responses of `/api/chart-notes`."""

from datetime import date, datetime
from typing import Annotated, Final, Self
from uuid import UUID

from fastapi import Path
from pydantic import ConfigDict, Field, model_validator

from app.api_model import ApiModel
from app.api_time import Day, Time
from app.chart_notes.marks import Mark, MarkKind
from app.chart_notes.models import ChartNote
from app.rules.definition.fields import Words
from app.settings import APPID_PATTERN

MAX_TEXT: Final = 200

NoteId = Annotated[UUID, Path(description="Id of the note")]


class ChartNoteIn(ApiModel):
    """A note about a day or a moment."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[Words, Field(max_length=MAX_TEXT)]
    """What happened. Write no name of a person: an erasure does not look here."""
    day: Day | None = None
    """The day, in whatever time zone a chart has; either `day` or `at` is given."""
    at: Time | None = None
    """The moment, with its time zone."""
    appid: Annotated[str, Field(pattern=APPID_PATTERN)] | None = None
    """The account; left out, every account."""

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if (self.day is None) is (self.at is None):
            raise ValueError("give either day or at")
        return self


class ChartNoteOut(ApiModel):
    """A stored note."""

    id: UUID
    """Its id."""
    text: str
    """What happened."""
    day: date | None
    """The day; null if it is about a moment."""
    at: datetime | None
    """The moment; null if it is about a day."""
    appid: str | None
    """The account; null for every account."""
    author: str
    """Who wrote it last."""
    created_at: datetime
    """When it was added."""
    updated_at: datetime
    """When it was changed last."""

    @classmethod
    def of(cls, note: ChartNote) -> "ChartNoteOut":
        """Return a stored note as JSON."""
        return cls(
            id=note.id,
            text=note.text,
            day=note.day,
            at=note.at,
            appid=note.appid,
            author=note.actor_name,
            created_at=note.created_at,
            updated_at=note.updated_at,
        )


class ChartNotePage(ApiModel):
    """Notes, the newest first."""

    items: list[ChartNoteOut]
    """The notes."""
    next: UUID | None
    """Pass it as `before` to get the next page; null after the last one."""


class MarkOut(ApiModel):
    """Something that happened on a day of the charts."""

    kind: MarkKind
    """`rules`: rules were changed. `menu`: a menu was published. `campaign`: a campaign began.
    `silence`: no push came although many were to be expected. `calls_wait`: WeChat refuses calls,
    and they wait. `doctor`: the doctor found a fault that lasts. `note`: an operator wrote it."""
    day: date
    """The day in the time zone."""
    at: datetime | None
    """When it happened or began; null for a note about a day."""
    until: datetime | None
    """When it ended; null if it is over at once, or lasts."""
    appid: str | None
    """The account; null for every account, or for none."""
    count: int | None
    """How many rules were changed, or the number of the menu's version."""
    text: str | None
    """The text of the note, the campaign, the API whose calls wait, or the check of the doctor."""
    note_id: UUID | None
    """The id of the note."""

    @classmethod
    def of(cls, mark: Mark) -> "MarkOut":
        """Return a mark as JSON."""
        return cls(
            kind=mark.kind,
            day=mark.day,
            at=mark.at,
            until=mark.until,
            appid=mark.appid,
            count=mark.count,
            text=mark.text,
            note_id=mark.note_id,
        )


class MarksOut(ApiModel):
    """What happened on some days."""

    since: date = Field(serialization_alias="from")
    """The first day."""
    until: date
    """The last day."""
    time_zone: str
    """The time zone of the days."""
    marks: list[MarkOut]
    """By time; of each kind the latest 200."""
