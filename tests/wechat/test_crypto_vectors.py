from typing import Any

import pytest

from app.settings import MessageMode
from app.wechat import inbound
from app.wechat.crypto import (
    CallbackQuery,
    Format,
    decode_key,
    decrypt,
    encrypt,
    msg_signature,
    signature,
)
from app.wechat.errors import BadEnvelope, BadSignature, PushRefused
from tests.wechat.vectors import (
    AES_KEY,
    INBOUND,
    NEGATIVE,
    OTHER_AES_KEY,
    OUTBOUND,
    S01,
    TOKEN,
    VECTORS,
    cipher,
    query_of,
)


def _id(vector: dict[str, Any]) -> str:
    return str(vector.get("id", vector.get("nonce")))


@pytest.mark.parametrize("vector", VECTORS["url_verification"], ids=_id)
@pytest.mark.parametrize("mode", MessageMode)
def test_url_verification_echoes_the_plain_echostr_in_every_mode(
    vector: dict[str, Any], mode: MessageMode
) -> None:
    query = CallbackQuery(
        signature=vector["signature"],
        timestamp=vector["timestamp"],
        nonce=vector["nonce"],
        echostr=vector["echostr"],
    )

    assert cipher(mode, tokens=[vector["token"]]).verify_url(query) == vector["response_body"]


def test_url_verification_with_a_wrong_signature_is_refused() -> None:
    query = CallbackQuery(signature="0" * 40, timestamp="1", nonce="2", echostr="x")

    with pytest.raises(BadSignature, match=r"^bad_signature$"):
        cipher().verify_url(query)


def test_a_check_of_the_url_without_an_echostr_is_malformed() -> None:
    signed = signature(TOKEN, "1", "2")

    with pytest.raises(BadEnvelope, match=r"^malformed$"):
        cipher().verify_url(CallbackQuery(signature=signed, timestamp="1", nonce="2"))


@pytest.mark.parametrize("vector", INBOUND, ids=_id)
@pytest.mark.parametrize("mode", [MessageMode.SECURE, MessageMode.COMPATIBLE])
def test_every_inbound_vector_opens(vector: dict[str, Any], mode: MessageMode) -> None:
    opened = cipher(mode, aes_keys=[vector["encoding_aes_key"]]).decrypt_push(
        vector["request_body"].encode(), query_of(vector)
    )

    assert opened.text == vector["plaintext"]
    assert opened.format == vector["format"]
    assert opened.encrypted
    assert opened.nonce == vector["nonce"]


@pytest.mark.parametrize("vector", VECTORS["positive"], ids=_id)
def test_re_encryption_with_the_same_random_bytes_is_identical(vector: dict[str, Any]) -> None:
    key = decode_key(vector["encoding_aes_key"])
    sealed = encrypt(
        key, vector["plaintext"].encode(), vector["receive_id"], vector["random16"].encode()
    )

    assert key.hex() == vector["aes_key_hex"]
    assert sealed == vector["ciphertext"]
    assert decrypt(key, sealed, vector["receive_id"]).decode() == vector["plaintext"]
    assert signature(vector["token"], vector["timestamp"], vector["nonce"]) == vector["signature"]
    assert (
        msg_signature(vector["token"], vector["timestamp"], vector["nonce"], sealed)
        == vector["msg_signature"]
    )


@pytest.mark.parametrize("vector", OUTBOUND, ids=_id)
def test_a_sealed_reply_is_byte_for_byte_the_documented_one(vector: dict[str, Any]) -> None:
    body = cipher().encrypt_reply(
        vector["plaintext"],
        nonce=vector["nonce"],
        timestamp=int(vector["timestamp"]),
        format=Format.XML,
        random16=vector["random16"].encode(),
    )

    assert body.decode() == vector["response_body"]


@pytest.mark.parametrize("key", VECTORS["key_spelling"]["equivalent_keys"])
def test_four_spellings_of_the_last_character_are_one_key(key: str) -> None:
    assert decode_key(key).hex() == VECTORS["key_spelling"]["aes_key_hex"]
    opened = cipher(aes_keys=[key]).decrypt_push(S01["request_body"].encode(), query_of(S01))
    assert opened.text == S01["plaintext"]


@pytest.mark.parametrize("vector", NEGATIVE, ids=_id)
@pytest.mark.parametrize("mode", [MessageMode.SECURE, MessageMode.COMPATIBLE])
def test_every_negative_vector_is_refused_for_its_reason(
    vector: dict[str, Any], mode: MessageMode
) -> None:
    with pytest.raises(PushRefused) as refusal:
        _receive(vector, mode, [vector["encoding_aes_key"]])

    assert refusal.value.reason == vector["reject_reason"]


@pytest.mark.parametrize("vector", NEGATIVE, ids=_id)
def test_a_rotation_opens_no_negative_vector(vector: dict[str, Any]) -> None:
    with pytest.raises(PushRefused):
        _receive(vector, MessageMode.SECURE, [AES_KEY, OTHER_AES_KEY])


def _receive(vector: dict[str, Any], mode: MessageMode, aes_keys: list[str]) -> inbound.Inbound:
    opened = cipher(mode, aes_keys=aes_keys).decrypt_push(
        vector["request_body"].encode(), query_of(vector)
    )
    return inbound.parse(opened.text, opened.format)
