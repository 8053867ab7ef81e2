"""The signature of a page, and which addresses get one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.jssdk.page_signature import (
    MAX_URL,
    BadPage,
    ForeignHost,
    is_within,
    signature,
    signed_page,
)

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "wechat-vectors.json").read_text())
DOMAINS = ("www.example.com", "example.org")


@pytest.mark.parametrize("vector", VECTORS["jssdk_signature"])
def test_the_signature_is_that_of_the_protocol(vector: dict[str, Any]) -> None:
    made = signature(vector["jsapi_ticket"], vector["noncestr"], vector["timestamp"], vector["url"])
    assert made == vector["signature"]


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://www.example.com/a?b=c%20d&e", "https://www.example.com/a?b=c%20d&e"),
        ("https://www.example.com/a?b#part#more", "https://www.example.com/a?b"),
        ("http://WWW.Example.COM:8080/", "http://WWW.Example.COM:8080/"),
        ("https://m.shop.example.org?from=timeline", "https://m.shop.example.org?from=timeline"),
        ("https://example.org", "https://example.org"),
    ],
)
def test_a_page_of_the_account_is_signed_as_the_browser_has_it(url: str, page: str) -> None:
    assert signed_page(url, DOMAINS) == page


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://wwwexample.com/",
        "https://evil-example.org/",
        "https://example.org.evil.net/",
        "https://evil.net/https://example.org/",
        "https://evil.net?https://example.org/",
        "https://evil.net#@example.org/",
        "https://example.org./",
    ],
)
def test_a_page_elsewhere_is_not_signed(url: str) -> None:
    with pytest.raises(ForeignHost):
        signed_page(url, DOMAINS)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org/",
        "javascript:alert(1)//example.org",
        "https:///a",
        "https://evil.net\\@example.org/",
        "https://evil.net@example.org/",
        "https://example.org:port/",
        "https://example.org/a b",
        "https://example.org/\x00",
        "https://example.org/\ta",
        "https://example.org/商店",
        "https://[::1/",
        "https://.example.org/",
        "https://a..example.org/",
        "https://evil.net%23.example.org/",
        "https://evil.net%2f.example.org/",
        "https://example.org/" + "x" * MAX_URL,
    ],
)
def test_what_no_browser_shows_as_an_address_is_refused(url: str) -> None:
    with pytest.raises(BadPage):
        signed_page(url, DOMAINS)


@given(st.text(), st.text(alphabet="abc.-", max_size=12))
@example("https://example.org", "")
@example("", "example.org")
def test_only_a_domain_and_what_is_below_it_is_within(url: str, host: str) -> None:
    """Whatever is sent, it is signed or refused; and no suffix of letters makes a subdomain."""
    try:
        page = signed_page(url, DOMAINS)
    except (BadPage, ForeignHost):
        page = None
    assert page is None or page.isascii()
    labels = host.split(".")
    below = any(labels[-len(domain.split(".")) :] == domain.split(".") for domain in ("a.b", "c"))
    assert is_within(host, ("a.b", "c")) is below
