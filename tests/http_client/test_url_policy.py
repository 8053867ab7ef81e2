"""Nothing inside a network can be named by a webhook."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.http_client.public_addresses import is_public
from app.http_client.url_policy import BadUrl, Policy, parse_url

STRICT = Policy(http=False, private=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.1.2.3",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "198.18.0.1",
        "192.0.0.8",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2001:0:53aa:64c::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_an_address_inside_a_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@given(address=st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_disguise(address: object) -> None:
    plain = is_public(str(address))

    assert is_public(f"::ffff:{address}") == plain
    assert is_public(f"64:ff9b::{address}") == plain


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://hooks.example.com/", "https"),
        ("ftp://hooks.example.com/", "https"),
        ("https:///path", "host"),
        ("https://user:password@hooks.example.com/", "password"),
        ("https://user@hooks.example.com/", "user name"),
        ("https://hooks.example.com/#part", "fragment"),
        ("https://hooks.example.com:0/", "port"),
        ("https://hooks.example.com:99999/", "port|URL"),
        ("https://localhost/", "network"),
        ("https://LOCALHOST:8443/", "network"),
        ("https://api.localhost/", "network"),
        ("https://localhost./", "network"),
        ("https://127.0.0.1/", "network"),
        ("https://127.1./", "network"),
        ("https://[::1]/", "network"),
        ("https://[::ffff:10.0.0.1]/", "network"),
        ("https://169.254.169.254/latest/meta-data", "network"),
    ],
)
def test_a_url_that_may_not_be_called_is_refused_with_a_reason(url: str, told: str) -> None:
    with pytest.raises(BadUrl, match=told):
        parse_url(url, STRICT)


def test_what_the_operator_allows_is_let_pass() -> None:
    assert parse_url("http://127.0.0.1:9/", Policy(http=True, private=True)).host == "127.0.0.1"
    assert parse_url("https://8.8.8.8/", STRICT).host == "8.8.8.8"
    assert parse_url("https://hooks.example.com:8443/a?b=c", STRICT).port == 8443
    with pytest.raises(BadUrl):
        parse_url("http://127.0.0.1/", Policy(http=True, private=False))


@given(text=st.text(max_size=100))
def test_no_text_breaks_the_check(text: str) -> None:
    for candidate in (text, f"https://{text}", f"https://{text}/"):
        with suppress(BadUrl):
            assert parse_url(candidate, STRICT).scheme == "https"
