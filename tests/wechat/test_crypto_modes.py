import base64
import json
from dataclasses import replace

import pytest

from app.settings import MessageMode
from app.wechat.crypto import (
    CallbackQuery,
    Cipher,
    Format,
    VerifiedPush,
    decode_key,
    decrypt,
    encrypt,
    msg_signature,
    signature,
)
from app.wechat.crypto.envelope import ciphertexts
from app.wechat.errors import BadEnvelope, BadSignature, PushRefused
from app.wechat.push_format import format_of
from tests.wechat.vectors import (
    AES_KEY,
    APPID,
    OTHER_AES_KEY,
    OTHER_TOKEN,
    TOKEN,
    cipher,
)

PLAINTEXT = (
    "<xml><ToUserName>gh_demo0000001</ToUserName><FromUserName>oDEMO</FromUserName>"
    "<CreateTime>1795500000</CreateTime><MsgType>text</MsgType><Content>hello</Content></xml>"
)
ENCRYPT = encrypt(decode_key(AES_KEY), PLAINTEXT.encode(), APPID)
SEALED = f"<xml><ToUserName>gh_demo0000001</ToUserName><Encrypt>{ENCRYPT}</Encrypt></xml>"
MIXED = PLAINTEXT.replace("hello", "forged").replace(
    "</xml>", f"<Encrypt>{ENCRYPT}</Encrypt></xml>"
)

SEALED_TWICE_IN_JSON = f'{{"ToUserName":"gh_1","Encrypt":"{ENCRYPT}","Encrypt":"{ENCRYPT}"}}'


def _query(*, aes: bool, token: str = TOKEN, sealed: str = ENCRYPT) -> CallbackQuery:
    return CallbackQuery(
        signature=signature(token, "1795500000", "n1"),
        timestamp="1795500000",
        nonce="n1",
        encrypt_type="aes" if aes else None,
        msg_signature=msg_signature(token, "1795500000", "n1", sealed) if aes else None,
    )


UNSIGNED = CallbackQuery(timestamp="1795500000", nonce="n1")
UNSIGNED_AES = CallbackQuery(
    signature=signature(TOKEN, "1795500000", "n1"),
    timestamp="1795500000",
    nonce="n1",
    encrypt_type="aes",
)
SECURE, COMPATIBLE, PLAIN = MessageMode.SECURE, MessageMode.COMPATIBLE, MessageMode.PLAIN


@pytest.mark.parametrize(
    ("mode", "body", "query", "text", "encrypted"),
    [
        (SECURE, SEALED, _query(aes=True), PLAINTEXT, True),
        (COMPATIBLE, SEALED, _query(aes=True), PLAINTEXT, True),
        (COMPATIBLE, MIXED, _query(aes=True), PLAINTEXT, True),
        (COMPATIBLE, MIXED, replace(_query(aes=True), encrypt_type=None), PLAINTEXT, True),
        (COMPATIBLE, MIXED, replace(_query(aes=True), encrypt_type="raw"), PLAINTEXT, True),
        (COMPATIBLE, MIXED, replace(_query(aes=True), encrypt_type="AES"), PLAINTEXT, True),
        (PLAIN, PLAINTEXT, _query(aes=False), PLAINTEXT, False),
        (PLAIN, MIXED, _query(aes=True), MIXED, False),
    ],
)
def test_what_each_mode_opens(
    mode: MessageMode, body: str, query: CallbackQuery, text: str, encrypted: bool
) -> None:
    opened = cipher(mode).decrypt_push(body.encode(), query)

    assert opened == VerifiedPush(text, Format.XML, encrypted=encrypted, nonce="n1")


@pytest.mark.parametrize(
    ("mode", "body", "query", "reason"),
    [
        (SECURE, PLAINTEXT, _query(aes=False), "not_encrypted"),
        (SECURE, PLAINTEXT, _query(aes=True), "not_encrypted"),
        (SECURE, SEALED, _query(aes=False), "not_encrypted"),
        (SECURE, MIXED, _query(aes=True), "mixed_body"),
        (SECURE, f"<xml><Encrypt>{ENCRYPT}</Encrypt><A/></xml>", _query(aes=True), "mixed_body"),
        (SECURE, SEALED.replace("</xml>", "<encrypt/></xml>"), _query(aes=True), "mixed_body"),
        (SECURE, SEALED_TWICE_IN_JSON, _query(aes=True), "mixed_body"),
        (SECURE, SEALED, UNSIGNED_AES, "missing_signature"),
        (SECURE, MIXED, UNSIGNED_AES, "missing_signature"),
        (SECURE, SEALED, _query(aes=True, token=OTHER_TOKEN), "bad_signature"),
        (COMPATIBLE, PLAINTEXT, _query(aes=True), "not_encrypted"),
        (COMPATIBLE, MIXED, UNSIGNED_AES, "missing_signature"),
        (COMPATIBLE, PLAINTEXT, _query(aes=False), "missing_signature"),
        (COMPATIBLE, MIXED, _query(aes=False), "missing_signature"),
        (COMPATIBLE, PLAINTEXT, UNSIGNED, "missing_signature"),
        (COMPATIBLE, SEALED, _query(aes=True, token=OTHER_TOKEN), "bad_signature"),
        (PLAIN, PLAINTEXT, UNSIGNED, "missing_signature"),
        (PLAIN, PLAINTEXT, _query(aes=False, token=OTHER_TOKEN), "bad_signature"),
        (PLAIN, "", _query(aes=False), "malformed"),
        (PLAIN, "hello", _query(aes=False), "malformed"),
        (SECURE, "", _query(aes=True), "malformed"),
        (SECURE, "<xml", _query(aes=True), "not_encrypted"),
        (SECURE, "[]", _query(aes=True), "malformed"),
    ],
)
def test_what_each_mode_refuses(
    mode: MessageMode, body: str, query: CallbackQuery, reason: str
) -> None:
    with pytest.raises(PushRefused) as refusal:
        cipher(mode).decrypt_push(body.encode(), query)

    assert refusal.value.reason == reason
    signature_reasons = {"missing_signature", "bad_signature"}
    expected = BadSignature if reason in signature_reasons else BadEnvelope
    assert type(refusal.value) is expected


@pytest.mark.parametrize("part", ["timestamp", "nonce"])
def test_a_push_without_what_was_signed_is_unsigned(part: str) -> None:
    values = {"timestamp": "1", "nonce": "2", part: None}
    query = CallbackQuery(signature=signature(TOKEN, "1", "2"), **values)

    with pytest.raises(BadSignature, match=r"^missing_signature$"):
        cipher(PLAIN).decrypt_push(PLAINTEXT.encode(), query)


def test_a_signature_that_is_not_ascii_is_refused_like_any_other() -> None:
    query = CallbackQuery(signature="签名", timestamp="1", nonce="2")

    with pytest.raises(BadSignature, match=r"^bad_signature$"):
        cipher(PLAIN).decrypt_push(PLAINTEXT.encode(), query)


def test_a_json_envelope_opens_like_an_xml_one() -> None:
    body = json.dumps({" ToUserName": "gh_demo0000001", "Encrypt": ENCRYPT})

    opened = cipher().decrypt_push(body.encode(), _query(aes=True))

    assert opened.format is Format.JSON
    assert opened.text == PLAINTEXT


@pytest.mark.parametrize("mode", [SECURE, PLAIN])
def test_a_byte_order_mark_and_leading_blanks_do_not_count(mode: MessageMode) -> None:
    body = SEALED if mode is SECURE else PLAINTEXT

    opened = cipher(mode).decrypt_push(b"\xef\xbb\xbf" + body.encode(), _query(aes=mode is SECURE))

    assert opened.text == PLAINTEXT
    assert cipher(mode).decrypt_push(b" \n" + body.encode(), _query(aes=mode is SECURE))


def test_a_plain_body_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BadEnvelope, match=r"^bad_utf8$"):
        cipher(PLAIN).decrypt_push(b"<xml>\xff</xml>", _query(aes=False))


def test_the_order_in_the_envelope_and_blanks_between_do_not_count() -> None:
    body = f"<xml>\n <Encrypt><![CDATA[{ENCRYPT}]]></Encrypt>\n <ToUserName/>\n</xml>\n"

    assert cipher().decrypt_push(body.encode(), _query(aes=True)).text == PLAINTEXT


@pytest.mark.parametrize("stripped", [True, False])
@pytest.mark.parametrize(
    "body",
    [
        "<xml><ToUserName/><Encrypt>\n <![CDATA[{}]]>\n</Encrypt></xml>",
        "<xml><ToUserName/><Encrypt> {}\t</Encrypt></xml>",
        "<XML><ToUserName/><Encrypt>{}</Encrypt></XML>",
        "<Xml>\n<tousername/><ENCRYPT >\r\n<![CDATA[ {}]]></ENCRYPT\n></Xml>",
        "<xml><Encrypt>{}</Encrypt></xml>",
        '<xml><ToUserName/><Encrypt type="aes"><![CDATA[{}]]></Encrypt></xml>',
        '{{"Encrypt":"\\n {}\\r\\n\\u0020"}}',
        '{{"ToUserName":"gh_demo0000001"," Encrypt ":" {} "}}',
        '{{"encrypt":"{}","tousername":null}}',
    ],
)
def test_a_ciphertext_is_found_however_its_envelope_is_written(body: str, stripped: bool) -> None:
    written = body.format(ENCRYPT).encode()
    [received, *_] = ciphertexts(written, format_of(written))
    signed = received.strip() if stripped else received

    opened = cipher().decrypt_push(written, _query(aes=True, sealed=signed))

    assert opened.text == PLAINTEXT


def test_the_previous_token_and_key_still_open_a_push() -> None:
    rotated = cipher(tokens=[OTHER_TOKEN, TOKEN], aes_keys=[OTHER_AES_KEY, AES_KEY])

    assert rotated.decrypt_push(SEALED.encode(), _query(aes=True)).text == PLAINTEXT


def test_a_retired_token_or_key_opens_nothing() -> None:
    with pytest.raises(BadSignature):
        cipher(tokens=[OTHER_TOKEN]).decrypt_push(SEALED.encode(), _query(aes=True))
    with pytest.raises(BadEnvelope):
        cipher(aes_keys=[OTHER_AES_KEY]).decrypt_push(SEALED.encode(), _query(aes=True))


def test_a_reply_during_a_rotation_uses_the_current_token_and_key() -> None:
    rotated = cipher(tokens=[OTHER_TOKEN, TOKEN], aes_keys=[OTHER_AES_KEY, AES_KEY])

    reply = json.loads(rotated.encrypt_reply("hi", nonce="n", timestamp=7, format=Format.JSON))

    assert decrypt(decode_key(OTHER_AES_KEY), reply["Encrypt"], APPID) == b"hi"
    assert reply["MsgSignature"] == msg_signature(OTHER_TOKEN, "7", "n", reply["Encrypt"])
    assert list(reply) == ["Encrypt", "MsgSignature", "TimeStamp", "Nonce"]
    assert (reply["TimeStamp"], reply["Nonce"]) == (7, "n")


def test_two_seals_of_one_reply_differ() -> None:
    first, second = (
        cipher().encrypt_reply("hi", nonce="n", timestamp=7, format=Format.XML) for _ in range(2)
    )

    assert first != second


@pytest.mark.parametrize(
    "key",
    ["", AES_KEY[:-1], AES_KEY + "A", AES_KEY[:-1] + "*", base64.b64encode(bytes(32)).decode()],
)
def test_a_malformed_key_is_a_configuration_error_that_does_not_show_the_key(key: str) -> None:
    with pytest.raises(ValueError, match="43 letters and digits") as error:
        cipher(aes_keys=[key])

    assert not key or key not in str(error.value)


def test_a_cipher_without_the_secrets_of_its_mode_is_a_configuration_error() -> None:
    with pytest.raises(ValueError, match="Token"):
        Cipher(APPID, PLAIN, [], [])
    with pytest.raises(ValueError, match="EncodingAESKey"):
        Cipher(APPID, SECURE, [TOKEN], [])
    assert Cipher(APPID, PLAIN, [TOKEN], [])


@pytest.mark.parametrize("junk", ["****", "\n", " "])
def test_a_signed_ciphertext_with_anything_but_base64_in_it_is_refused(junk: str) -> None:
    loose = ENCRYPT[:8] + junk + ENCRYPT[8:]
    body = SEALED.replace(ENCRYPT, loose)

    with pytest.raises(BadEnvelope, match=r"^bad_base64$"):
        cipher().decrypt_push(body.encode(), _query(aes=True, sealed=loose))


def test_a_refusal_during_a_rotation_gives_the_reason_under_the_current_key() -> None:
    foreign = encrypt(decode_key(AES_KEY), PLAINTEXT.encode(), "wx0000000000000000")
    body = SEALED.replace(ENCRYPT, foreign)
    rotated = cipher(aes_keys=[AES_KEY, OTHER_AES_KEY])

    with pytest.raises(BadEnvelope, match=r"^appid_mismatch$"):
        rotated.decrypt_push(body.encode(), _query(aes=True, sealed=foreign))
