"""No secret and no message text gets through the redaction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ops.redaction import MASK, redact, scrub

SECRET = "s3cr3t-Value_09"


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "appsecret",
        "token",
        "access_token",
        "token_previous",
        "wechat_encoding_aes_key",
        "encoding_aes_key_previous",
        "session_key",
        "Authorization",
        "content",
        "text",
        "body",
        "payload",
        "signature",
        "msg_signature",
        "admin_tokens",
        "password",
        "X-Secret-Thing",
    ],
)
def test_values_with_a_telling_name_are_masked_at_any_depth(name: str) -> None:
    event = redact(None, "info", {name: SECRET, "deep": [{"in": {name: SECRET}}]})

    assert event == {name: MASK, "deep": [{"in": {name: MASK}}]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("appid", "wx1f2e3d4c5b6a7980"),
        ("dedupe_key", "ab12"),
        ("event_key", "MENU_HELP"),
        ("token_expires_in", 12),
        ("errcode", 45015),
        ("ok", True),
        ("reason", "bad_signature"),
        ("nothing", None),
    ],
)
def test_what_operators_need_stays_readable(name: str, value: object) -> None:
    assert redact(None, "info", {name: value}) == {name: value}


@pytest.mark.parametrize(
    "template",
    [
        "GET https://api.weixin.qq.com/cgi-bin/user/info?access_token={}&openid=o",
        "GET /callback/wx?signature={}&timestamp=1",
        "GET /callback/wx?timestamp=1&msg_signature={}",
        "https://a/?appid=wx&secret={}",
        "appsecret={}",
        '{{"access_token": "{}", "expires_in": 7200}}',
        "{{'secret': '{}'}}",
        "ACCESS_TOKEN={}",
        "Authorization: Bearer {}",
        "postgresql://oa:{}@db.example.com:5432/bridge",
    ],
)
def test_secrets_inside_strings_are_scrubbed(template: str) -> None:
    assert SECRET in template.format(SECRET)
    assert SECRET not in scrub(template.format(SECRET))
    assert MASK in scrub(template.format(SECRET))


def test_the_rest_of_a_scrubbed_url_stays_readable() -> None:
    text = scrub("https://api.example.com/x?access_token=T&openid=oDEMO&secret=S")

    assert text == "https://api.example.com/x?access_token=***&openid=oDEMO&secret=***"


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=12))
def test_no_token_survives_in_a_query(token: str) -> None:
    assert token not in scrub(f"failed: https://a.example/b?x=1&access_token={token}&y=2")


def test_bottomless_values_end_somewhere() -> None:
    deep: dict[str, object] = {}
    deep["again"] = deep

    assert MASK in str(redact(None, "info", {"deep": deep}))


def test_objects_are_shown_scrubbed() -> None:
    event = redact(None, "info", {"error": ValueError("secret=abc"), "raw": b"access_token=abc"})

    assert "abc" not in str(event)
    assert "ValueError" in event["error"]
