"""The figures of subscription notifications as charts and as rows of a file. Pure."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from app.console.charts import Chart, ChartMark, Series, bar_chart, line_chart
from app.console.messages import N_
from app.stats.schemas import SubscriptionFigures, SubscriptionsOut, TemplateFigures
from app.stats.subscription_store import MEASURES

MAX_BARS: Final = 12
MAX_LABEL_CHARACTERS: Final = 24

# By the names of the fields: what pages and files show, in this order.
SHOWN: Final = {
    "accepted": N_("Accepted"),
    "rejected": N_("Rejected"),
    "delivered": N_("Delivered"),
    "failed": N_("Not delivered"),
}

Translate = Callable[[str], str]


class By(StrEnum):
    """What the figures are grouped by."""

    DAY = "day"
    TEMPLATE = "template"


class KeyFigure(NamedTuple):
    """A figure of the whole span, and of the span before."""

    label: str
    value: int
    before: int


def key_figures(now: SubscriptionsOut, before: SubscriptionsOut) -> list[KeyFigure]:
    """Return the figures of two spans."""
    return [
        KeyFigure(label, _total(now, name), _total(before, name)) for name, label in SHOWN.items()
    ]


def is_empty(figures: SubscriptionsOut) -> bool:
    """Tell whether nothing at all has happened."""
    return not figures.templates


def day_chart(
    figures: SubscriptionsOut, translate: Translate, marks: Sequence[ChartMark] = ()
) -> Chart:
    """Return the figures of each day."""
    return line_chart(
        [day.day.isoformat() for day in figures.days], _series(figures.days, translate), marks
    )


def template_chart(figures: SubscriptionsOut, translate: Translate) -> Chart:
    """Return the figures of the templates with the most of them."""
    templates = templates_of(figures)[:MAX_BARS]
    return bar_chart(
        [_shortened(one.template_id) for one in templates], _series(templates, translate)
    )


def templates_of(figures: SubscriptionsOut) -> Sequence[TemplateFigures]:
    """Return the templates, the one with the most figures first."""
    return sorted(figures.templates, key=lambda one: (-sum(_values(one)), one.template_id))


def rows(figures: SubscriptionsOut, by: By) -> Iterator[tuple[object, ...]]:
    """Return the rows of a file: what they are grouped by, then MEASURES."""
    if by is By.DAY:
        for day in figures.days:
            yield day.day.isoformat(), *_values(day)
        return
    for template in templates_of(figures):
        yield template.template_id, *_values(template)


def _total(figures: SubscriptionsOut, name: str) -> int:
    return sum(int(getattr(day, name)) for day in figures.days)


def _series(found: Sequence[SubscriptionFigures], translate: Translate) -> list[Series]:
    return [
        Series(translate(label), [getattr(one, name) for one in found])
        for name, label in SHOWN.items()
    ]


def _values(figures: SubscriptionFigures) -> tuple[int, ...]:
    return tuple(getattr(figures, name) for name in MEASURES)


def _shortened(text: str) -> str:
    if len(text) <= MAX_LABEL_CHARACTERS:
        return text
    return text[: MAX_LABEL_CHARACTERS - 1] + "…"
