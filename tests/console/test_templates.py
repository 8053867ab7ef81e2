"""Every template in both languages: nothing inline, no message missing, all of them rendered."""

import re
from pathlib import Path

import pytest
from starlette.routing import compile_path

from app.console.messages import LANGUAGES
from app.console.template_environment import FOLDER, environment
from tests.console.operator import signed_in, visitor
from tests.console.pages import PAGES, TEMPLATES_WITHOUT_A_PAGE, Page, prepare
from tests.console.templates import TEMPLATES, Forbidden, literal_texts
from tests.console.test_roles import ROUTES
from tests.service import Service

names = [path.relative_to(FOLDER).as_posix() for path in TEMPLATES]

LISTS_THAT_ARE_NEVER_EMPTY = {
    "alarms/threshold.html": "theirs, if somebody has changed it meanwhile",
    "followers/namesakes.html": "it is shown if several have the remark",
    "followers/erasure.html": "what an erasure has done so far, if anything",
    "links/edit.html": "what differs from a newer revision, if there is one",
    "menus/difference.html": "what differs from a version; it is said if nothing does",
    "operators/index.html": "the one who looks is in it",
    "operators/sessions.html": "the session of the one who looks is in it",
    "rules/editor.html": "what differs from a newer revision, if there is one",
    "rules/history.html": "each rule has a first revision",
    "settings/index.html": "every setting is in it",
    "tags/run.html": "whom WeChat refused, if anybody",
}
PAGE_PATHS = [compile_path(f"/console{route.path}")[0] for route in ROUTES if route.method == "GET"]


def dead_links(page: str) -> list[str]:
    """Return the links of a page into the console, or to a part of it, that lead nowhere."""
    links = re.findall(r'<a\b[^>]* href="(/console/[^"?#]+)', page)
    parts = re.findall(r'<a\b[^>]* href="(#[^"]+)"', page)
    return [
        *(link for link in links if not any(path.match(link) for path in PAGE_PATHS)),
        *(part for part in parts if f'id="{part[1:]}"' not in page),
    ]


def polls(page: str) -> list[str]:
    """Return the paths that a page asks for again and again, to renew a part of itself."""
    return re.findall(r'hx-get="/console([^"]+)" hx-trigger="every', page)


def empty_charts(page: str) -> list[str]:
    """Return the charts of a page that show nothing: the page is to say why, and where to go."""
    charts = re.findall(r'<figure class="chart">.*?</figure>', page, re.DOTALL)
    return [chart for chart in charts if not re.search(r">-?[\d.,]*[1-9][\d.,]*</td>", chart)]


@pytest.mark.parametrize("path", TEMPLATES, ids=names)
def test_a_template_has_nothing_inline(path: Path) -> None:
    assert Forbidden(path.read_text(encoding="utf-8")).found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=names)
def test_every_text_of_a_template_is_a_message(path: Path) -> None:
    assert list(literal_texts(path)) == []


def test_a_template_with_a_list_or_a_chart_says_what_would_be_there() -> None:
    lists = re.compile(r"ui\.chart\(|call ui\.table\(")
    texts = {path.relative_to(FOLDER).as_posix(): path.read_text() for path in TEMPLATES}
    silent = {
        name for name, text in texts.items() if lists.search(text) and "ui.empty(" not in text
    }

    assert silent == LISTS_THAT_ARE_NEVER_EMPTY.keys()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
async def test_a_page_renders_in_full_and_as_a_part(
    service: Service, page: Page, language: str
) -> None:
    async with signed_in(service, page.role, language=language) as operator:
        path = await prepare(page, service)
        full, part = await operator.get(path), await operator.get_part(path)
        polled = [await operator.get_part(address) for address in polls(full.text)]

    assert full.status_code == part.status_code == page.status, full.text
    assert Forbidden(full.text).found == Forbidden(part.text).found == []
    assert dead_links(full.text) == []
    assert empty_charts(full.text) == []
    assert [answer.text for answer in polled if "<h1" in answer.text] == [], "a page in a page"
    assert f'<html lang="{language}' in full.text
    assert "<html" not in part.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_page_for_strangers_renders(service: Service, language: str) -> None:
    paths = ["/console/", "/console/sign-in/any", "/console/none"]
    async with visitor(service, **{"Accept-Language": language}) as http:
        before = [await http.get(path) for path in paths]
        async with signed_in(service):
            after = [await http.get(path, follow_redirects=True) for path in paths]

    assert {answer.status_code for answer in before} == {503}
    assert [answer.status_code for answer in after] == [401, 200, 404]
    for answer in [*before, *after]:
        assert Forbidden(answer.text).found == []
        assert f'<html lang="{language}' in answer.text


def test_every_template_belongs_to_a_page() -> None:
    """A new template is rendered by the tests above, or it is named beside the pages."""
    rendered = {page.template for page in PAGES} | TEMPLATES_WITHOUT_A_PAGE

    assert set(names) == rendered


def test_no_template_can_use_a_name_that_is_not_there() -> None:
    with pytest.raises(Exception, match="undefined"):
        environment("zh", "Asia/Shanghai").from_string("{{ missing }}").render()
