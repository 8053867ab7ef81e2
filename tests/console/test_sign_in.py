"""Signing in with a link, the session's cookie, and signing out."""

import re

import pytest

from app.access.roles import Role
from app.access.sessions import MAX_IDLE
from app.access.sign_in_links import LIFETIME
from app.access.sign_in_throttle import MAX_BY_ADDRESS
from app.console.session_cookie import LOOPBACK_NAME, SECURE_NAME
from tests.console.operator import FROM_A_PAGE, Operator, sign_in_path, signed_in, visitor
from tests.console.rules.makers import Form
from tests.service import Service, text_reply

PAGE = "/console/settings"


@pytest.mark.parametrize("path", ["/console/", PAGE, "/console/sign-in/anything", "/console/none"])
async def test_without_an_operator_there_is_only_the_command_that_makes_one(
    service: Service, path: str
) -> None:
    async with visitor(service) as http:
        answer = await http.get(path)

    assert answer.status_code == 503
    assert "oa-bridge operators add" in answer.text
    assert "<form" not in answer.text.replace('action="/console/language"', "").split("<main")[1]


async def test_the_root_leads_to_the_console(owner: Operator) -> None:
    answer = await owner.http.get("/", follow_redirects=True)

    assert answer.status_code == 200
    assert answer.url.path.startswith("/console/")


async def test_a_link_signs_in_once(service: Service) -> None:
    path = await sign_in_path(service, "小王", Role.VIEWER, "en")
    async with visitor(service) as http:
        shown = [await http.get(path) for _ in range(2)]
        first = await http.post(path, headers=FROM_A_PAGE)
        page = await http.get(PAGE)
    async with visitor(service) as http:
        second = await http.post(path, headers=FROM_A_PAGE)
        refused = await http.get(PAGE)

    assert [answer.status_code for answer in shown] == [200, 200]
    assert (first.status_code, page.status_code) == (303, 200)
    assert "小王" in page.text
    assert (second.status_code, refused.status_code) == (403, 401)


async def test_an_expired_link_an_unknown_one_and_a_used_one_get_the_same_answer(
    service: Service,
) -> None:
    used, expired = [await sign_in_path(service, name, Role.VIEWER) for name in ("a", "b")]
    async with visitor(service) as http:
        await http.post(used, headers=FROM_A_PAGE)
    service.clock.advance(LIFETIME)
    async with visitor(service) as http:
        paths = [used, expired, "/console/sign-in/unknown"]
        answers = [await http.post(path, headers=FROM_A_PAGE) for path in paths]

    texts = {answer.text.replace(path, "") for answer, path in zip(answers, paths, strict=True)}
    assert {answer.status_code for answer in answers} == {403}
    assert len(texts) == 1


async def test_too_many_tries_are_told_to_wait_and_a_valid_link_still_works(
    service: Service,
) -> None:
    path = await sign_in_path(service, "小王", Role.VIEWER)
    async with visitor(service) as http:
        tries = [
            await http.post(f"/console/sign-in/{number}", headers=FROM_A_PAGE)
            for number in range(MAX_BY_ADDRESS + 1)
        ]
        valid = await http.post(path, headers=FROM_A_PAGE)

    assert [answer.status_code for answer in tries[-2:]] == [403, 429]
    assert int(tries[-1].headers["Retry-After"]) > 0
    assert valid.status_code == 303


async def test_the_cookie_is_bound_to_the_host_and_to_https(service: Service) -> None:
    path = await sign_in_path(service, "小王", Role.VIEWER)
    async with visitor(service) as http:
        cookie = (await http.post(path, headers=FROM_A_PAGE)).headers["set-cookie"]

    name, *attributes = [part.strip() for part in cookie.split(";")]
    assert name.startswith(f"{SECURE_NAME}=")
    assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=strict", "Secure"}


@pytest.mark.parametrize(
    ("origin", "more", "plain"),
    [
        ("http://127.0.0.1:8000", {}, True),
        ("http://localhost:8000", {}, True),
        ("http://[::1]:8000", {}, True),
        ("http://console.example", {}, False),
        ("http://127.0.0.1:8000", {"X-Forwarded-For": "203.0.113.9"}, False),
        ("https://127.0.0.1", {}, False),
    ],
)
async def test_only_on_the_machine_itself_without_a_proxy_the_cookie_has_a_plain_name(
    service: Service, origin: str, more: dict[str, str], plain: bool
) -> None:
    path = await sign_in_path(service, "小王", Role.VIEWER)
    async with visitor(service) as http:
        http.base_url = origin
        answer = await http.post(path, headers=FROM_A_PAGE | more)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{LOOPBACK_NAME}=") is plain
    assert ("Secure" in cookie) is not plain


async def test_a_session_ends_when_it_is_not_used(service: Service, owner: Operator) -> None:
    service.clock.advance(MAX_IDLE / 2)
    in_use = await owner.get("/settings")
    service.clock.advance(MAX_IDLE)

    assert in_use.status_code == 200
    assert (await owner.get("/settings")).status_code == 401


async def test_signing_out_ends_the_session_itself(owner: Operator) -> None:
    stolen = dict(owner.http.cookies)
    answer = await owner.post("/sign-out")
    owner.http.cookies.update(stolen)

    assert answer.status_code == 303
    assert (await owner.get("/settings")).status_code == 401


async def test_a_link_from_another_site_opens_the_page_again_once(service: Service) -> None:
    async with signed_in(service), visitor(service) as stranger:
        first = await stranger.get(PAGE, headers={"Sec-Fetch-Site": "cross-site"})
        again = await stranger.get(PAGE, headers=FROM_A_PAGE)

    assert first.status_code == again.status_code == 401
    assert 'http-equiv="refresh"' in first.text
    assert 'http-equiv="refresh"' not in again.text


async def test_a_session_that_ended_leaves_the_page_and_its_texts_as_they_are(
    service: Service, owner: Operator
) -> None:
    service.clock.advance(MAX_IDLE)
    answer = await owner.get_part("/audit")

    assert answer.status_code == 401
    assert answer.headers["HX-Retarget"] == "#notice"
    assert 'target="_blank"' in answer.text
    assert "<html" not in answer.text


async def test_a_stolen_session_is_of_no_use_once_it_is_ended_and_no_text_is_lost(
    service: Service, owner: Operator
) -> None:
    rule_id = await service.add_rule(text_reply("as it was"))
    async with signed_in(service, Role.EDITOR, name="小李") as editor, visitor(service) as thief:
        typed = Form((await editor.get(f"/rules/{rule_id}")).text).values
        typed |= {"action": "save", "replies.0.content": "a long text"}
        thief.cookies.update(dict(editor.http.cookies))
        at_first = await thief.get(PAGE)
        listed = (await owner.get("/operators/sessions")).text
        (number,) = set(re.findall(r"/sessions/([0-9a-f-]{36})/end", listed))
        await owner.post(f"/operators/sessions/{number}/end")
        paths = ("/settings", "/audit/export.csv", "/messages/stream", f"/rules/{rule_id}")
        later = [await thief.get(f"/console{path}") for path in paths]
        saved = await thief.post(
            "/console/rules/edit", data=typed, headers=FROM_A_PAGE | {"HX-Request": "true"}
        )
    stored = await service.read(f"rules/{rule_id}")
    again = await owner.post("/rules/edit", typed)

    assert at_first.status_code == 200
    assert {answer.status_code for answer in [*later, saved]} == {401}
    # The browser keeps the form as it is: the answer goes into the notice above it.
    assert saved.headers["HX-Retarget"] == "#notice"
    assert stored["replies"] == [text_reply("as it was")]
    assert again.status_code == 303


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://console.example"}, False),
        ({"Origin": "https://console.example"}, True),
        ({"Origin": "https://console.example", "Host": "Console.example:443"}, True),
        ({"Origin": "https://console.example", "Host": "127.0.0.1:8000"}, False),
        ({"Origin": "http://console.example"}, False),
        ({"Origin": "https://console.example:444"}, False),
        ({"Origin": "https://other.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
async def test_a_change_comes_from_a_page_of_the_console(
    owner: Operator, headers: dict[str, str], let_in: bool
) -> None:
    answer = await owner.http.post("/console/sign-out", headers=headers)

    assert answer.status_code == (303 if let_in else 403)
    assert ((await owner.get("/settings")).status_code == 401) is let_in


async def test_over_plain_http_the_page_asks_for_https_and_leaves_the_link(
    service: Service,
) -> None:
    path = await sign_in_path(service, "小王", Role.VIEWER, "en")
    async with visitor(service) as http:
        http.base_url = "http://192.168.1.5:8000"
        behind_nginx = {"Origin": "http://192.168.1.5:8000", "Host": "192.168.1.5"}
        answers = [await http.post(path, headers=behind_nginx)]
        shown = await http.get(path)
        refused = await http.post(path, headers={"Origin": "http://192.168.1.5:8000"})
    async with visitor(service) as http:
        taken = await http.post(path, headers={"Origin": "https://console.example"})

    # Without it the header no-referrer lets a browser send `Origin: null` with every form.
    assert '<meta name="referrer" content="same-origin">' in shown.text
    for answer in (*answers, refused):
        assert answer.status_code == 403
        assert "HTTPS" in answer.text
    assert "Set-Cookie" not in refused.headers
    assert taken.status_code == 303


async def test_the_api_does_not_take_the_cookie(owner: Operator) -> None:
    assert (await owner.http.get("/api/rules")).status_code == 401
