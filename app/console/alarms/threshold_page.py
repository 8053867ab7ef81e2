"""The form of a threshold: of all accounts, or of one."""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from app.alarms import threshold_store
from app.alarms.errors import BadThreshold
from app.alarms.kinds import KINDS, AlarmKind
from app.alarms.threshold import Threshold, tag_of
from app.console.alarms import alarm_labels
from app.console.alarms.router import router
from app.console.language import language_of
from app.console.messages import N_, Messages
from app.console.render import render
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep

SEE_OTHER: Final = 303
_PROBLEMS: Final = {
    "value": N_("A number from %(least)s to %(most)s, or nothing for the default."),
    "appid": N_("Choose one of the accounts."),
}


class ThresholdForm(BaseModel):
    """A threshold as typed. enabled: "on" or nothing, as a browser sends a box.

    seen: what was set when the form was made, as `mark_of` writes it.
    """

    appid: str = Field(default="", max_length=100)
    enabled: str = Field(default="", max_length=10)
    value: str = Field(default="", max_length=100)
    seen: str = Field(default="", max_length=200)

    def read(self) -> Threshold:
        """Return what is typed. Raises BadThreshold if it is no number."""
        text = self.value.strip()
        try:
            value = float(text) if text else None
        except ValueError:
            raise BadThreshold("value", "is not a number") from None
        return Threshold(bool(self.enabled), value)

    def has_seen(self, stored: Threshold | None) -> bool:
        """Return whether saving replaces only what the form showed. stored: None if none is set.

        An account can be chosen in the form: what is set for another one was not seen.
        """
        if stored is None and not self.seen.startswith(f"{self.appid} "):
            return True
        return self.seen == mark_of(self.appid, stored)


def mark_of(appid: str, threshold: Threshold | None) -> str:
    """Return a text that differs when what is set for an account, or for all, differs."""
    return f"{appid} {tag_of(threshold)}"


@router.get("/thresholds/{kind}")
async def show(
    request: Request,
    _visitor: Editor,
    session: SessionDep,
    kind: AlarmKind,
    appid: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Show the form of a threshold."""
    thresholds = await threshold_store.read(session)
    own = thresholds.by_kind.get((kind, appid))
    return _form(request, kind, _filled(appid, thresholds.of(kind, appid), own))


@router.post("/thresholds/{kind}")
async def save(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    kind: AlarmKind,
    form: Annotated[ThresholdForm, Form()],
) -> Response:
    """Set a threshold."""
    state = request.app.state
    try:
        threshold = form.read()
        threshold_store.check(kind, form.appid, threshold, state.settings.accounts)
    except BadThreshold as error:
        words = KINDS[kind]
        text = Messages(language_of(request)).text(_PROBLEMS[error.field])
        bounds = {"least": f"{words.least:g}", "most": f"{words.most:g}"}
        return _form(request, kind, form, {error.field: text % bounds})
    stored = (await threshold_store.read_to_change(session)).by_kind.get((kind, form.appid))
    if not form.has_seen(stored):
        again = form.model_copy(update={"seen": mark_of(form.appid, stored)})
        return _form(request, kind, again, newer=stored or Threshold())
    actor, now = actor_of(request, visitor), state.clock.now()
    await threshold_store.put(session, actor, kind, form.appid, threshold, now)
    return RedirectResponse(console_path("/alarms?done=threshold"), SEE_OTHER)


@router.post("/thresholds/{kind}/reset")
async def reset(
    request: Request,
    visitor: Editor,
    session: SessionDep,
    kind: AlarmKind,
    form: Annotated[ThresholdForm, Form()],
) -> Response:
    """Let the default hold again; for one account, what holds for all."""
    stored = (await threshold_store.read_to_change(session)).by_kind.get((kind, form.appid))
    if stored is not None and not form.has_seen(stored):
        return _form(request, kind, _filled(form.appid, stored, stored), newer=stored)
    actor, now = actor_of(request, visitor), request.app.state.clock.now()
    await threshold_store.remove(session, actor, kind, form.appid, now)
    return RedirectResponse(console_path("/alarms?done=threshold"), SEE_OTHER)


def _filled(appid: str, shown: Threshold, stored: Threshold | None) -> ThresholdForm:
    """Return the form of what holds. stored: what is set; None if nothing is."""
    return ThresholdForm(
        appid=appid,
        enabled="on" if shown.enabled else "",
        value="" if shown.value is None else f"{shown.value:g}",
        seen=mark_of(appid, stored),
    )


def _form(
    request: Request,
    kind: AlarmKind,
    form: ThresholdForm,
    problems: Mapping[str, str] | None = None,
    newer: Threshold | None = None,
) -> Response:
    words, accounts = KINDS[kind], request.app.state.settings.accounts.values()
    is_chinese = language_of(request) == "zh"
    return render(
        request,
        "alarms/threshold.html",
        status=409 if newer else 422 if problems else 200,
        newer=newer,
        kind=kind,
        title=words.title.zh if is_chinese else words.title.en,
        fix=words.fix.zh if is_chinese else words.fix.en,
        words=words,
        form=form,
        problems=problems or {},
        appids=[one.appid for one in accounts if one.kind == "oa"] if words.by_account else [],
        texts=alarm_labels,
    )
