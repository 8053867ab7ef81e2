"""What a call without an answer says is said in Chinese, too."""

import re
import ssl
from socket import gaierror

import httpx
import pytest

from app.wechat.client import ProxyError
from app.wechat.connection_failure import describe_failure
from app.wechat.errors import ApiError
from app.wechat.failure_words import failure_in
from app.wechat.read_response import read_response

# Names that are the same in both languages.
NAMES = re.compile(r"api\.weixin\.qq\.com|https://example|WECHAT_\w+|[A-Z]+_PROXY|TLS|DNS|HTTP|CA")
HOST = "api.weixin.qq.com"
REJECTED = ssl.SSLCertVerificationError(1, "rejected")
REJECTED.verify_message = "expired"
NO_TLS = ssl.SSLError()
NO_TLS.reason = ""


def answer(status: int, content: bytes = b"<html>", location: str | None = None) -> str:
    """Return what is said of an answer that is none."""
    with pytest.raises(ApiError) as error:
        read_response(status, content, promised=(), location=location)
    return error.value.errmsg


@pytest.mark.parametrize(
    "sentence",
    [
        *(
            describe_failure(error, HOST, begun=False)
            for error in (
                gaierror(),
                ConnectionRefusedError(),
                TimeoutError(),
                NO_TLS,
                httpx.ConnectError("none"),
                ProxyError("is not one of HTTP"),
                ProxyError("answers HTTP 407"),
            )
        ),
        describe_failure(TimeoutError(), HOST, begun=True),
        describe_failure(httpx.ReadError("cut off"), HOST, begun=True),
        answer(502),
        answer(200),
        answer(302),
        answer(302, location="/elsewhere"),
        answer(302, location="https://example/elsewhere"),
    ],
)
def test_every_sentence_about_an_answer_that_did_not_come_is_chinese(sentence: str) -> None:
    chinese = failure_in("zh", sentence)

    assert re.findall("[A-Za-z]{2,}", NAMES.sub("", chinese)) == [], chinese
    assert failure_in("en", sentence) == sentence


def test_a_reason_inside_a_sentence_is_chinese_or_stays_as_it_is() -> None:
    sentence = describe_failure(REJECTED, HOST, begun=False)

    assert "证书不被接受：expired" in failure_in("zh", sentence)
    assert failure_in("zh", "unheard of") == "unheard of"
