"""The figures of growth as charts and as rows of a file. Pure."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from app.console.charts import Chart, ChartMark, Series, bar_chart, line_chart
from app.console.followers.labels import SCENES
from app.console.messages import N_
from app.stats.schemas import FollowerFigures, FollowersOut, SceneFigures

MAX_BARS: Final = 12
MAX_LABEL_CHARACTERS: Final = 24

NEW: Final = N_("New followers")
LOST: Final = N_("Unfollowed")
NET: Final = N_("Net growth")
TOTAL: Final = N_("Followers at the end")
NO_SCENE: Final = N_("not known")
NO_QR_SCENE: Final = N_("no QR code")
COLUMNS: Final = ("new", "unfollowed", "net", "followers")

Translate = Callable[[str], str]


class By(StrEnum):
    """What the figures are grouped by."""

    DAY = "day"
    SCENE = "scene"
    QR_SCENE = "qr_scene"


class KeyFigure(NamedTuple):
    """A figure of the whole span, and of the span before."""

    label: str
    value: int
    before: int


def key_figures(now: FollowersOut, before: FollowersOut) -> list[KeyFigure]:
    """Return the figures of two spans."""
    return [
        KeyFigure(NEW, now.total.new, before.total.new),
        KeyFigure(LOST, now.total.lost, before.total.lost),
        KeyFigure(NET, now.total.net, before.total.net),
        KeyFigure(TOTAL, end_of(now.total), end_of(before.total)),
    ]


def end_of(figures: FollowerFigures) -> int:
    """Return the number of followers at the end."""
    return figures.start + figures.net


def change_chart(
    figures: FollowersOut, translate: Translate, marks: Sequence[ChartMark] = ()
) -> Chart:
    """Return new, lost and net followers of each day."""
    days = figures.days
    return line_chart(
        [day.day.isoformat() for day in days],
        [
            Series(translate(NEW), [day.new for day in days]),
            Series(translate(LOST), [day.lost for day in days]),
            Series(translate(NET), [day.net for day in days]),
        ],
        marks,
    )


def total_chart(
    figures: FollowersOut, translate: Translate, marks: Sequence[ChartMark] = ()
) -> Chart:
    """Return the number of followers at the end of each day."""
    days = figures.days
    totals = Series(translate(TOTAL), [end_of(day) for day in days])
    return line_chart([day.day.isoformat() for day in days], [totals], marks)


def scene_chart(figures: FollowersOut, by: By, translate: Translate) -> Chart:
    """Return the figures of the scenes with the most changes."""
    scenes = _scenes(figures, by)[:MAX_BARS]
    return bar_chart(
        [_shortened(scene_label(one.scene, by, translate)) for one in scenes],
        [
            Series(translate(NEW), [one.new for one in scenes]),
            Series(translate(LOST), [one.lost for one in scenes]),
            Series(translate(NET), [one.net for one in scenes]),
            Series(translate(TOTAL), [end_of(one) for one in scenes]),
        ],
    )


def scene_label(scene: str | None, by: By, translate: Translate) -> str:
    """Return the name of a scene."""
    if by is By.QR_SCENE:
        return translate(NO_QR_SCENE) if scene is None else scene
    if scene is None:
        return translate(NO_SCENE)
    return translate(SCENES[scene]) if scene in SCENES else scene


def rows(figures: FollowersOut, by: By) -> Iterator[tuple[object, ...]]:
    """Return the rows of a file: what they are grouped by, then COLUMNS."""
    if by is By.DAY:
        for day in figures.days:
            yield day.day.isoformat(), *_values(day)
        return
    for scene in _scenes(figures, by):
        yield scene.scene or "", *_values(scene)


def _values(figures: FollowerFigures) -> tuple[int, int, int, int]:
    return figures.new, figures.lost, figures.net, end_of(figures)


def _scenes(figures: FollowersOut, by: By) -> Sequence[SceneFigures]:
    return figures.scenes if by is By.SCENE else figures.qr_scenes


def _shortened(text: str) -> str:
    if len(text) <= MAX_LABEL_CHARACTERS:
        return text
    return text[: MAX_LABEL_CHARACTERS - 1] + "…"
