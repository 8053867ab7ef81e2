"""What states, kinds and figures of QR codes are called. Pure."""

from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_
from app.funnel.steps import Step
from app.qrcodes.life import QrState
from app.qrcodes.models import QrKind

STATES: Final[dict[QrState, Label]] = {
    QrState.WAITING: Label(N_("waits for the worker"), Level.LOOK),
    QrState.REFUSED: Label(N_("refused by WeChat"), Level.FAULT),
    QrState.UNANSWERED: Label(N_("WeChat has not answered"), Level.LOOK),
    QrState.LIVE: Label(N_("can be scanned"), Level.GOOD),
    QrState.NOT_RENEWED: Label(N_("can be scanned, but is not renewed"), Level.LOOK),
    QrState.ENDED: Label(N_("has ended"), Level.FAULT),
}
KINDS: Final[dict[QrKind, str]] = {
    QrKind.TEMPORARY: N_("temporary, renewed by the worker"),
    QrKind.PERMANENT: N_("permanent"),
}
REACHED: Final[dict[Step, str]] = {
    Step.OPENED: N_("Arrivals in 30 days"),
    Step.CONVERTED: N_("Conversions in 30 days"),
}
FIGURES: Final[dict[str, str]] = {
    "scans": N_("Scans"),
    "new_follows": N_("New follows"),
    "refollows": N_("Re-follows"),
    "left_in_day": N_("Left within a day"),
    "left_in_week": N_("Left within a week"),
    "cards": N_("Cards sent"),
}
