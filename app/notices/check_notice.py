"""Checks notices against their template before anything is queued. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import refs
from app.api_errors import MAX_PROBLEMS, InvalidRequest, Problem
from app.notices.fill_code import PLACEHOLDER, asks_for_code, in_text
from app.notices.models import NoticeTemplate
from app.notices.schemas import MAX_PAGEPATH, MAX_URL, NoticeContent, OpenedPage, stored_content
from app.notices.template_keys import DROPPED, TemplateKey, keys_from_json
from app.notices.value_types import BadValue, value_for

Place = tuple[str | int, ...]

_REF_CHARACTERS = "0" * refs.LENGTH
NO_CAMPAIGN = (
    "has {code}: name in campaign_id the campaign whose codes people get, or take {code} out"
)
NO_PLACEHOLDER = "nothing has {code}: write it into a value, the page or url, or leave this out"


@dataclass(frozen=True, slots=True)
class DataCheck:
    """Checks values against the keys of one template.

    code: that stands for `{code}`; None: nothing does.
    """

    keys: Mapping[str, TemplateKey]
    code: str | None = None

    @classmethod
    def of(cls, template: NoticeTemplate, code: str | None) -> "DataCheck":
        """Return the check of a template."""
        return cls({key.name: key for key in keys_from_json(template.keys)}, code)

    def checked(
        self, data: Mapping[str, str], place: Place, problems: list[Problem]
    ) -> dict[str, str]:
        """Return the values as they are sent; add what is wrong with the others to `problems`."""
        sent = {}
        for name, value in data.items():
            try:
                sent[name] = self._value(name, value)
            except BadValue as error:
                problems.append(problem((*place, name[:64]), str(error)))
        return {name: value for name, value in sent.items() if name not in DROPPED}

    def missing(self, given: Collection[str]) -> list[str]:
        """Return the keys that have no value."""
        return [name for name in self.keys if name not in given]

    def _value(self, name: str, value: str) -> str:
        if name in DROPPED:
            return value
        key = self.keys.get(name)
        if key is None:
            known = ", ".join(self.keys) or "none"
            raise BadValue(f"is no key of the template: its keys are {known}")
        if PLACEHOLDER not in value:
            return value_for(key, value)
        if self.code is None:
            raise BadValue(NO_CAMPAIGN)
        filled = in_text(value, self.code).strip()
        if value_for(key, filled) != filled:
            raise BadValue(f"is too long with a code such as {self.code}: shorten it")
        return value.strip()


def checked_content(
    wanted: NoticeContent,
    template: NoticeTemplate,
    mini_programs: Collection[str],
    code: str | None,
) -> dict[str, Any]:
    """Return the content that all notices of a send share. Raises InvalidRequest.

    mini_programs: that may be opened; empty: any. code: that stands for `{code}`; None: the send
    names no campaign.
    """
    check, problems = DataCheck.of(template, code), list[Problem]()
    data = check.checked(wanted.data, ("data",), problems)
    problems += missing_values(check.missing(wanted.data), ("data",))
    problems += page_problems(wanted.miniprogram, mini_programs, code)
    problems += url_problems(wanted.url, code)
    if code is not None and not asks_for_code(wanted):
        problems.append(problem(("campaign_id",), NO_PLACEHOLDER))
    require_none(problems)
    return stored_content(wanted) | {"data": data}


def problem(place: Place, words: str) -> Problem:
    """Return one thing to correct in the body."""
    return Problem(loc=["body", *place], msg=words, type="value_error")


def require_none(problems: Sequence[Problem]) -> None:
    """Raise InvalidRequest if there is something to correct."""
    if problems:
        raise InvalidRequest(problems[:MAX_PROBLEMS])


def missing_values(missing: Sequence[str], place: Place) -> Iterator[Problem]:
    """Yield one problem for each key without a value."""
    for name in missing:
        yield problem((*place, name), "is missing: the template needs a value for it")


def page_problems(
    page: OpenedPage | None, mini_programs: Collection[str], code: str | None
) -> Iterator[Problem]:
    """Yield why a notice can't open a page. mini_programs: that may be opened; empty: any."""
    if page is None:
        return
    place = ("miniprogram", "pagepath")
    if code is None and PLACEHOLDER in page.pagepath:
        yield problem(place, NO_CAMPAIGN)
        return
    if mini_programs and page.appid not in mini_programs:
        yield problem(
            ("miniprogram", "appid"),
            "is none of the mini-programs of ACCOUNTS_FILE and MINI_PROGRAM_APPIDS: add it there, "
            "or correct it",
        )
    coded = page.model_copy(update={"pagepath": in_text(page.pagepath, code or "")})
    if len(filled_page(coded, _REF_CHARACTERS).encode()) > MAX_PAGEPATH:
        yield problem(
            place, f"has more than {MAX_PAGEPATH} bytes with its utm, {{ref}} and code: shorten it"
        )


def url_problems(url: str | None, code: str | None) -> Iterator[Problem]:
    """Yield why a notice can't open a web page."""
    if url is None or PLACEHOLDER not in url:
        return
    if code is None:
        yield problem(("url",), NO_CAMPAIGN)
    elif len(in_text(url, code)) > MAX_URL:
        yield problem(("url",), f"has more than {MAX_URL} characters with a code: shorten it")


def filled_page(page: OpenedPage, ref: str) -> str:
    """Return the page with its ref and its UTM parameters. The home page, which is empty, has none.

    A page without `{ref}` gets `ref=`, unless it has a parameter of that name.
    """
    filled = page.pagepath.replace(refs.PLACEHOLDER, ref)
    filled = refs.page_with_ref(filled, ref) if filled else filled
    return filled if page.utm is None else page.utm.appended_to(filled)
