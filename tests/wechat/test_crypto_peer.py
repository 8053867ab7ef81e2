"""wechatpy as the other side, so that a mistake made twice by us is seen."""

import pytest
import xmltodict
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidSignatureException
from wechatpy.utils import check_signature

from app.wechat.crypto import CallbackQuery, Format, signature
from tests.wechat.vectors import AES_KEY, APPID, OTHER_TOKEN, TOKEN, cipher

PEER = WeChatCrypto(TOKEN, AES_KEY, APPID)
messages = st.text(st.characters(codec="utf-8"), max_size=300).map(lambda text: f"<{text}")
nonces = st.from_regex(r"\A[0-9a-zA-Z]{1,20}\Z")
timestamps = st.integers(1, 10**11)


@given(messages, nonces, timestamps)
def test_what_the_peer_encrypts_we_open(message: str, nonce: str, timestamp: int) -> None:
    pushed = xmltodict.parse(PEER.encrypt_message(message, nonce, str(timestamp)))["xml"]
    sealed = f"<Encrypt>{pushed['Encrypt']}</Encrypt>"
    body = f"<xml><ToUserName>gh_1</ToUserName>{sealed}</xml>"
    query = CallbackQuery(
        timestamp=str(timestamp),
        nonce=nonce,
        encrypt_type="aes",
        msg_signature=pushed["MsgSignature"],
    )

    assert cipher().decrypt_push(body.encode(), query).text == message


@given(messages, nonces, timestamps)
def test_what_we_seal_the_peer_decrypts(reply: str, nonce: str, timestamp: int) -> None:
    body = (
        cipher().encrypt_reply(reply, nonce=nonce, timestamp=timestamp, format=Format.XML).decode()
    )
    sealed = xmltodict.parse(body)["xml"]

    assert sealed["Nonce"] == nonce
    opened = PEER.decrypt_message(body, sealed["MsgSignature"], sealed["TimeStamp"], nonce)
    assert opened == reply


def test_the_peer_refuses_a_reply_signed_with_another_token() -> None:
    body = cipher(tokens=[OTHER_TOKEN]).encrypt_reply(
        "hi", nonce="n", timestamp=1, format=Format.XML
    )
    signed = xmltodict.parse(body)["xml"]["MsgSignature"]

    with pytest.raises(InvalidSignatureException):
        PEER.decrypt_message(body.decode(), signed, "1", "n")


@given(nonces, timestamps)
def test_the_peer_agrees_on_the_plain_signature(nonce: str, timestamp: int) -> None:
    check_signature(TOKEN, signature(TOKEN, str(timestamp), nonce), str(timestamp), nonce)
