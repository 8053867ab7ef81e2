"""A new send to an audience: its values, whom it goes to, how many they are, and its start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Self
from uuid import uuid4

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.api_errors import InvalidRequest, Problem
from app.campaigns.pools import read_pools
from app.console.errors import NotFound
from app.console.messages import N_
from app.console.notices.notice_labels import rule_of
from app.console.notices.router import router
from app.console.render import render
from app.console.signed_in import Editor
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.notices import audience_store, request_store, template_store
from app.notices.accounts import can_send
from app.notices.audience_count import count_audience
from app.notices.audience_schemas import AudienceCount, AudienceSendIn
from app.notices.check_notice import DataCheck, checked_content, missing_values
from app.notices.errors import (
    AudienceTooLarge,
    CampaignWithoutCodes,
    KeyReused,
    NoticeError,
    TooFewCodes,
)
from app.notices.fill_code import PLACEHOLDER
from app.notices.models import NoticeKind, NoticeTemplate
from app.notices.queue_request import sample_code
from app.notices.request_store import RequestKey
from app.notices.template_keys import TemplateKey, keys_from_json
from app.settings import Settings

SEE_OTHER: Final = 303
MAX_TYPED: Final = 2000
# 5,000 UnionIDs, each in a line.
MAX_LISTED: Final = 5000 * 130
MAX_SEEN_DAYS: Final = 3650
MAX_DIGITS: Final = 9
VALUE: Final = "value-"
LISTED: Final = "unionids"
WHO: Final = {
    "": N_("all who may get it"),
    "yes": N_("those who follow"),
    "no": N_("those who do not follow"),
}
PROBLEMS: Final = {
    "name": N_("A name has 1 to 100 characters."),
    "appid": N_("Write the AppID of a mini-program of the settings, or nothing."),
    "pagepath": N_("Write the page without a slash in front, with at most 1,024 bytes."),
    "scene": N_("At most 128 characters."),
    "seen_days": N_("Write a number from 1 to 3,650, or nothing."),
    "unionids": N_("Write up to 5,000 UnionIDs, one a line, or nothing."),
    "rate": N_("Write a number from 1 to 200."),
    "campaign_id": N_("Write {code} into a value or the page, and choose its campaign here."),
    "confirmation": N_("This is not the number of people."),
}
MORE_PEOPLE: Final = N_("More people match by now: count them again.")
STARTED_BEFORE: Final = N_("This form was sent before with other values: open it again.")
NO_CODES: Final = N_("The campaign does not run, or has no codes: choose another one.")
TOO_FEW_CODES: Final = N_("The campaign has too few codes: add some, or narrow the audience.")
TOO_MANY: Final = N_("Too many sends go on: wait for the end of one, or stop it.")


@dataclass(frozen=True, slots=True)
class SendForm:
    """A new send as typed. key: the idempotency key, drawn when the form was opened."""

    name: str = ""
    mini_program: str = ""
    pagepath: str = ""
    following: str = ""
    scene: str = ""
    seen_days: str = ""
    unionids: str = ""
    rate: str = "20"
    campaign: str = ""
    key: str = field(default_factory=lambda: f"console-{uuid4()}")
    people: str = ""
    confirmation: str = ""
    action: str = "count"
    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, form: FormData) -> Self:
        """Return the fields that were sent; each is cut to a length that none needs."""
        typed = {
            name: value.replace("\x00", "").strip()[: MAX_LISTED if name == LISTED else MAX_TYPED]
            for name, value in form.items()
            if isinstance(value, str)
        }
        known = {name: typed[name] for name in cls.__slots__ if name in typed}
        known.pop("values", None)
        values = {
            name.removeprefix(VALUE): value
            for name, value in typed.items()
            if name.startswith(VALUE) and value
        }
        return cls(**known, values=values)

    def as_send(self, template: NoticeTemplate, now: datetime) -> AudienceSendIn:
        """Return the send. Raises ValidationError."""
        page = {"appid": self.mini_program, "pagepath": self.pagepath}
        return AudienceSendIn.model_validate(
            {
                "appid": template.appid,
                "template_id": template.template_id,
                "name": self.name,
                "data": self.values,
                "miniprogram": page if self.mini_program or self.pagepath else None,
                "audience": self._audience(template, now),
                "campaign_id": self.campaign or None,
                "max_recipients": max(_number(self.people), 1),
                "rate": _number(self.rate),
            }
        )

    def _audience(self, template: NoticeTemplate, now: datetime) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        if template.kind is NoticeKind.SUBSCRIPTION and self.following:
            wanted["following"] = self.following == "yes"
        if self.scene:
            wanted["scene"] = self.scene
        if self.seen_days:
            days = min(_number(self.seen_days), MAX_SEEN_DAYS)
            wanted["seen_since"] = (now - timedelta(days=days)).isoformat()
        if self.unionids:
            wanted[LISTED] = self.unionids.split()
        return wanted

    def without_time(self, wanted: AudienceSendIn) -> AudienceSendIn:
        """Return the send as a form that is sent twice names it both times."""
        narrowed = wanted.audience.model_copy(update={"seen_since": None})
        return wanted.model_copy(update={"audience": narrowed})

    def own_problems(self) -> dict[str, str]:
        """Return what is wrong that the API has no field for."""
        found = {}
        if self.seen_days and not 1 <= _number(self.seen_days) <= MAX_SEEN_DAYS:
            found["seen_days"] = PROBLEMS["seen_days"]
        has_code = any(PLACEHOLDER in text for text in (*self.values.values(), self.pagepath))
        if has_code and not self.campaign:
            found["campaign_id"] = PROBLEMS["campaign_id"]
        return found


@router.get("/new")
async def show_new(
    request: Request,
    _visitor: Editor,
    session: SessionDep,
    appid: Annotated[str, Query(max_length=128)] = "",
    template: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """Show the form for a template."""
    found = await _template(request, session, appid, template)
    return await _page(request, session, found, SendForm())


@router.post("/new")
async def count_or_send(request: Request, visitor: Editor, session: SessionDep) -> Response:
    """Count the people of the form, or start the send when their number is confirmed."""
    typed = await request.form()
    found = await _template(request, session, typed.get("appid"), typed.get("template"))
    form = SendForm.of(typed)
    now: datetime = request.app.state.clock.now()
    state = request.app.state
    try:
        wanted = form.as_send(found, now)
        code = await sample_code(session, state.notice_codes, wanted.campaign_id, now)
        content = checked_content(wanted, found, state.settings.mini_programs, code)
    except (ValidationError, InvalidRequest) as error:
        places = [*_places(error), *_wrong_values(found, form)]
        problems = _problems(found, places) | form.own_problems()
        return await _page(request, session, found, form, problems)
    except NoticeError as error:
        return await _page(request, session, found, form, problem=_sentence(error))
    counted = await count_audience(session, found, wanted)
    problems = form.own_problems()
    if form.action == "send" and form.confirmation != form.people:
        problems["confirmation"] = PROBLEMS["confirmation"]
    if problems or form.action != "send" or not counted.people:
        return await _page(request, session, found, form, problems, counted=counted)
    try:
        # What was stored before an error goes with it: the page is shown by the same transaction.
        async with session.begin_nested():
            send_id = await audience_store.start(
                session,
                actor_of(request, visitor),
                found,
                wanted,
                content,
                request=RequestKey(
                    form.key[:128] or None, request_store.digest_of(form.without_time(wanted))
                ),
                now=now,
                codes=state.notice_codes,
            )
    except NoticeError as error:
        return await _page(request, session, found, form, counted=counted, problem=_sentence(error))
    return RedirectResponse(console_path(f"/notices/sends/{send_id}"), SEE_OTHER)


def _places(error: ValidationError | InvalidRequest) -> list[tuple[int | str, ...]]:
    """Return the path of each value that is wrong."""
    if isinstance(error, ValidationError):
        return [one["loc"] for one in error.errors(include_input=False)]
    return [tuple(one.loc[1:]) for one in error.problems]


def _wrong_values(template: NoticeTemplate, form: SendForm) -> list[tuple[int | str, ...]]:
    """Return the path of each value that is wrong, whatever else is. Codes are looked at later."""
    check, problems = DataCheck.of(template, None), list[Problem]()
    typed = {name: value for name, value in form.values.items() if PLACEHOLDER not in value}
    check.checked(typed, ("data",), problems)
    problems += missing_values(check.missing(form.values), ("data",))
    return [tuple(one.loc[1:]) for one in problems]


async def _page(
    request: Request,
    session: AsyncSession,
    template: NoticeTemplate,
    form: SendForm,
    problems: Mapping[str, str] | None = None,
    *,
    counted: AudienceCount | None = None,
    problem: str | None = None,
) -> Response:
    keys = keys_from_json(template.keys)
    return render(
        request,
        "notices/new.html",
        status=422 if problems or problem else 200,
        sent_by=template,
        form=form,
        keys=keys,
        rules={key.name: rule_of(key.type) for key in keys},
        choices_of=_choices_of,
        who=WHO,
        problems=problems or {},
        counted=counted,
        people=None if counted is None else counted.people,
        campaigns=await _campaigns(request, session),
        problem=problem,
    )


async def _campaigns(request: Request, session: AsyncSession) -> list[tuple[str, str]]:
    """Return the campaigns that run and have codes, by their ids."""
    pools = await read_pools(session, request.app.state.clock.now())
    return [(str(pool.campaign_id), pool.name) for pool in pools]


def _choices_of(key: TemplateKey) -> list[tuple[str, str]]:
    return [(choice, choice) for choice in key.choices]


def _problems(template: NoticeTemplate, places: list[tuple[int | str, ...]]) -> dict[str, str]:
    """Return the sentence of each field that is wrong, by the name of the field."""
    rules = {key.name: rule_of(key.type) for key in keys_from_json(template.keys)}
    found = {}
    for place in places:
        # The path goes on below a list, with the place in it.
        name = str(place[1 if place[0] in {"miniprogram", "audience"} and len(place) > 1 else 0])
        if place[0] == "data" and len(place) > 1:
            found[str(place[1])] = rules.get(str(place[1]), PROBLEMS["name"])
        elif name in PROBLEMS:
            found[name] = PROBLEMS[name]
    return found


def _sentence(error: NoticeError) -> str:
    if isinstance(error, AudienceTooLarge):
        return MORE_PEOPLE
    if isinstance(error, TooFewCodes):
        return TOO_FEW_CODES
    if isinstance(error, CampaignWithoutCodes):
        return NO_CODES
    return STARTED_BEFORE if isinstance(error, KeyReused) else TOO_MANY


async def _template(
    request: Request, session: AsyncSession, appid: object, template_id: object
) -> NoticeTemplate:
    settings: Settings = request.app.state.settings
    known = isinstance(appid, str) and isinstance(template_id, str) and "\x00" not in template_id
    if not known or not can_send(settings.accounts, str(appid)):
        raise NotFound
    found = await template_store.template(session, str(appid), str(template_id)[:MAX_TYPED])
    if found is None:
        raise NotFound
    return found


def _number(typed: str) -> int:
    """Return a whole number as typed; 0 for anything else."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= MAX_DIGITS else 0
