"""The headers of every answer, the bound of a body, and a database that is away."""

import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.access.roles import Role
from app.console.gate import CONTENT_SECURITY_POLICY, STRANGERS_LIMIT
from app.console.language import accepted_language
from app.console.static_files import static_path
from app.ops.api_body import USUAL
from tests.console.operator import FROM_A_PAGE, Operator, sign_in_path, visitor
from tests.service import Service

STATIC = f"/console{static_path('console.css')}"


def test_the_policy_lets_in_what_the_console_serves_and_nothing_inline() -> None:
    assert CONTENT_SECURITY_POLICY == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


@pytest.mark.parametrize(
    "path", ["/console/settings", "/console/none", STATIC, "/console/static/x"]
)
async def test_every_answer_has_the_headers(owner: Operator, path: str) -> None:
    headers = (await owner.http.get(path)).headers

    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


async def test_a_page_is_kept_by_nobody_and_is_not_compressed(owner: Operator) -> None:
    headers = (await owner.get("/settings")).headers

    assert headers["Cache-Control"] == "no-store"
    assert "Content-Encoding" not in headers


@pytest.mark.parametrize("page", ["/rules?q=", "/rules?account=", "/rules?match=", "/audit?actor="])
async def test_a_nul_in_an_address_counts_for_nothing(owner: Operator, page: str) -> None:
    answers = [await owner.get(f"{page}{value}") for value in ("%00", "x%00y")]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_that_is_too_large_is_refused(owner: Operator, declared: bool) -> None:
    body = b"language=" + b"x" * USUAL.max_bytes

    async def in_pieces() -> AsyncIterator[bytes]:
        yield body

    headers = FROM_A_PAGE | {"Content-Type": "application/x-www-form-urlencoded"}
    content = body if declared else in_pieces()
    answer = await owner.http.post("/console/language", content=content, headers=headers)

    assert answer.status_code == 413
    assert "<h1>" in answer.text


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    "path", ["/operators/add", "/messages/shown", "/rules/import", "/sign-out", "/none"]
)
async def test_no_body_of_somebody_who_is_not_signed_in_is_read(
    service: Service, path: str
) -> None:
    read = False

    async def in_pieces() -> AsyncIterator[bytes]:
        nonlocal read
        read = True
        yield b"name=x"

    headers = FROM_A_PAGE | {"Content-Type": "application/x-www-form-urlencoded"}
    async with visitor(service) as http:
        answer = await http.post(f"/console{path}", content=in_pieces(), headers=headers)

    assert answer.status_code == 401
    assert not read


@pytest.mark.parametrize("path", ["/language", "/sign-in/x"])
@pytest.mark.usefixtures("owner")
async def test_the_forms_of_somebody_who_is_not_signed_in_are_small(
    service: Service, path: str
) -> None:
    headers = FROM_A_PAGE | {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"language=zh&next=" + b"x" * STRANGERS_LIMIT.max_bytes
    async with visitor(service) as http:
        answer = await http.post(f"/console{path}", content=body, headers=headers)

    assert answer.status_code == 413


async def test_without_the_database_a_page_says_so(
    owner: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("app.access.sessions.find", fail)
    with capture_logs() as logs:
        answers = [await owner.get("/settings"), await owner.get_part("/settings")]

    lines = [line for line in logs if line["event"] == "console.database_error"]
    assert [line["exc_info"] for line in lines] == [None, None]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert all("数据库" in answer.text for answer in answers)


async def test_a_statement_that_is_wrong_is_not_taken_for_a_database_that_is_away(
    service: Service, owner: Operator
) -> None:
    database = service.app.state.database
    with capture_logs() as logs:
        async with database.sessions.begin() as session:
            await session.execute(text("ALTER TABLE audit_log RENAME TO audit_elsewhere"))
        of_a_page = await owner.get("/audit")
        async with database.sessions.begin() as session:
            await session.execute(text("ALTER TABLE sessions RENAME TO sessions_elsewhere"))
        of_the_gate = await owner.get("/settings")

    lines = [line for line in logs if line["event"] == "console.database_error"]
    assert [line["exc_info"] is not None for line in lines] == [True, True]
    for answer in (of_a_page, of_the_gate):
        assert answer.status_code == 500
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


async def test_a_fault_of_a_page_is_a_page_with_the_headers(
    owner: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("app.console.settings_page.shown", fail)
    answer = await owner.get("/settings")

    assert answer.status_code == 500
    assert "<h1>" in answer.text
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


async def test_the_console_can_be_switched_off(service: Service) -> None:
    off = service.settings.model_copy(update={"console": "off"})
    from app.main import create_app  # noqa: PLC0415

    app = create_app(off, service.clock)
    assert not [route for route in app.routes if getattr(route, "path", "") in ("/", "/console")]


async def test_a_path_that_follows_the_language_switch_stays_in_the_console(
    owner: Operator,
) -> None:
    for given, leads_to in [
        ("/console/audit?actor=x", "/console/audit?actor=x"),
        ("https://other.example/", "/console/"),
        ("//other.example", "/console/"),
        ("/console/\r\nSet-Cookie: a=b", "/console/"),
    ]:
        answer = await owner.post("/language", {"language": "zh", "next": given})
        assert (answer.status_code, answer.headers["Location"]) == (303, leads_to)


async def test_a_stranger_asks_for_a_language_and_an_operator_chooses_one(
    service: Service, owner: Operator
) -> None:
    async with visitor(service) as http:
        asked = await http.get(
            "/console/settings", headers={"Accept-Language": "en;q=0.5,zh;q=0.4"}
        )
        unknown = await http.get("/console/settings", headers={"Accept-Language": "fr"})
        form = {"language": "en", "next": "/console/settings"}
        await http.post("/console/language", data=form, headers=FROM_A_PAGE)
        chosen = await http.get("/console/settings")
    before = await owner.get("/settings")
    await owner.post("/language", {"language": "zh", "next": "/console/settings"})
    after = await owner.get("/settings")

    pages = [asked, unknown, chosen, before, after]
    languages = [page.text.split('<html lang="')[1][:2] for page in pages]
    assert languages == ["en", "zh", "en", "en", "zh"]


async def test_what_a_stranger_chose_stays_after_signing_in(service: Service) -> None:
    path = await sign_in_path(service, "小王", Role.VIEWER)
    async with visitor(service, **{"Accept-Language": "zh-CN"}) as http:
        form = {"language": "en", "next": path}
        await http.post("/console/language", data=form, headers=FROM_A_PAGE)
        await http.post(path, headers=FROM_A_PAGE)
        page = await http.get("/console/audit")

    assert page.status_code == 200
    assert '<html lang="en">' in page.text


async def test_the_switch_of_a_page_that_a_form_led_to_leads_to_a_page(owner: Operator) -> None:
    answer = await owner.post("/operators/add", {"name": ""})
    (leads_to,) = re.findall(r'name="next" value="([^"]*)"', answer.text)

    assert answer.status_code == 422
    assert (await owner.http.get(leads_to)).status_code == 200


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-TW,zh;q=0.9,en-US;q=0.8", "zh"),
        ("zh-Hans-CN", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("EN-us", "en"),
        ("fr, en-GB ; q=0.4, zh; q=0.3", "en"),
        ("zh; q=0.1, en; Q=0.9", "en"),
        ("en, zh", "en"),
        ("zh, en", "zh"),
        ("en;q=0.2, en-GB;q=0.9, zh;q=0.5", "en"),
        ("fr, *;q=0.5", "zh"),
        ("en;q=0.3, *;q=0.5", "zh"),
        ("zh;q=0, *", "en"),
        ("en;q=0", "zh"),
        ("zh;q=nan, en;q=1e9, en;q=-1, ;q=, x" * 9, "zh"),
        ("", "zh"),
    ],
)
def test_the_language_that_a_browser_wants_most_is_chosen(header: str, language: str) -> None:
    assert accepted_language(header) == language
