import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import MessageMode
from app.wechat.crypto import CallbackQuery, Format, msg_signature, signature
from app.wechat.crypto.envelope import MAX_CANDIDATES, ciphertexts, require_ciphertext_only
from app.wechat.errors import BadEnvelope, PushRefused
from app.wechat.push_format import decode, format_of, parse_document
from tests.wechat.vectors import S01, TOKEN, cipher, query_of

utf8_text = st.text(st.characters(codec="utf-8"), max_size=400)


@given(utf8_text, st.sampled_from(Format), st.text("0123456789abc", min_size=1, max_size=20))
def test_what_is_sealed_opens_again(message: str, written: Format, nonce: str) -> None:
    sealed = cipher().encrypt_reply(f"<{message}", nonce=nonce, timestamp=7, format=written)
    reply = parse_document(sealed.decode(), written)
    envelope = json.dumps({"ToUserName": "gh_1", "Encrypt": reply["Encrypt"]})
    query = CallbackQuery(
        timestamp=str(reply["TimeStamp"]),
        nonce=str(reply["Nonce"]),
        encrypt_type="aes",
        msg_signature=str(reply["MsgSignature"]),
    )

    assert cipher().decrypt_push(envelope.encode(), query).text == f"<{message}"


@given(st.binary(max_size=300), st.sampled_from(MessageMode), st.booleans())
def test_an_arbitrary_body_is_opened_or_refused_never_an_error(
    body: bytes, mode: MessageMode, aes: bool
) -> None:
    query = CallbackQuery(
        signature=signature(TOKEN, "1", "2"),
        timestamp="1",
        nonce="2",
        encrypt_type="aes" if aes else None,
        msg_signature="0" * 40,
    )

    with contextlib.suppress(PushRefused):
        cipher(mode).decrypt_push(body, query)


@given(st.text(st.characters(codec="ascii"), max_size=120))
def test_an_arbitrary_ciphertext_that_is_signed_is_refused(ciphertext: str) -> None:
    query = CallbackQuery(
        timestamp="1",
        nonce="2",
        encrypt_type="aes",
        msg_signature=msg_signature(TOKEN, "1", "2", ciphertext.replace("\0", "")),
    )
    body = json.dumps({"ToUserName": "gh_1", "Encrypt": ciphertext})

    with pytest.raises(BadEnvelope):
        cipher().decrypt_push(body.encode(), query)


@given(st.integers(0, len(S01["request_body"]) - 1), st.characters(codec="ascii"))
def test_one_changed_character_of_a_push_never_opens_as_something_else(
    position: int, character: str
) -> None:
    body = S01["request_body"]
    changed = body[:position] + character + body[position + 1 :]

    try:
        opened = cipher().decrypt_push(changed.encode(), query_of(S01))
    except PushRefused:
        return
    assert opened.text == S01["plaintext"]


pieces = st.sampled_from(
    [
        *("<xml>", "</xml>", "<ToUserName>", "</ToUserName>", "<Encrypt>", "</Encrypt>"),
        *("<![CDATA[", "]]>", "gh_1", "QUJD", "=", " ", "\n", "\x0b", "\ufeff", "&lt;", "<x/>"),
    ]
)
canonical = [
    *("<xml>", "\n", "<ToUserName>", "<![CDATA[", "gh_1", "]]>", "</ToUserName>", " "),
    *("<Encrypt>", "<![CDATA[", "QUJD", "]]>", "</Encrypt>", "\n", "</xml>", "\n"),
]


@given(st.lists(st.tuples(st.integers(0, len(canonical)), pieces), max_size=3), st.booleans())
def test_the_search_for_a_ciphertext_finds_what_the_xml_parser_finds(
    insertions: list[tuple[int, str]], drop_one: bool
) -> None:
    parts = canonical.copy()
    for position, piece in insertions:
        if drop_one:
            del parts[min(position, len(parts) - 1)]
        parts.insert(position, piece)
    body = "".join(parts).encode()

    try:
        encrypt = parse_document(decode(body), format_of(body))["Encrypt"]
    except (BadEnvelope, LookupError):
        return
    # No base64 holds what the parser resolves or leaves out, and none is split into sections.
    if not isinstance(encrypt, str) or "<" in encrypt or {"\x0b", "&"} & {*body.decode()}:
        return
    if body.count(b"<![CDATA[") <= 2:
        assert encrypt.strip() in {found.strip() for found in ciphertexts(body, format_of(body))}


@given(st.lists(st.tuples(st.integers(0, len(canonical)), pieces), max_size=3), st.booleans())
def test_only_a_body_that_the_xml_parser_reads_as_ciphertext_alone_is_that(
    insertions: list[tuple[int, str]], drop_one: bool
) -> None:
    parts = canonical.copy()
    for position, piece in insertions:
        if drop_one:
            del parts[min(position, len(parts) - 1)]
        parts.insert(position, piece)
    body = "".join(parts).encode()

    for found in ciphertexts(body, Format.XML):
        try:
            require_ciphertext_only(body, Format.XML, found)
        except BadEnvelope:
            continue
        document = parse_document(decode(body), Format.XML)
        assert {"Encrypt"} <= document.keys() <= {"ToUserName", "Encrypt"}
        assert str(document["Encrypt"]).strip() == found.strip()


@given(st.binary(max_size=3000), st.sampled_from(Format))
def test_a_stranger_gets_no_more_than_a_few_candidates_and_no_error(
    body: bytes, written: Format
) -> None:
    assert len(list(ciphertexts(body, written))) <= 2 * MAX_CANDIDATES


def test_a_ciphertext_that_a_follower_typed_does_not_hide_the_signed_one() -> None:
    typed = "<Encrypt>QUJD</Encrypt>"
    body = f"<xml><Content><![CDATA[{typed}]]></Content><Encrypt>REVG</Encrypt></xml>".encode()

    assert [*ciphertexts(body, Format.XML)] == ["QUJD", "REVG"]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (b"<xml><Encrypt>\n <![CDATA[QUJD]]>\n</Encrypt></xml>", ["\n QUJD\n", "QUJD"]),
        (b"<XML><Encrypt>QUJD</Encrypt></XML>", ["QUJD"]),
        (b"<xml><Encrypt></Encrypt></xml>", [""]),
        (b"<xml><Encrypt>QU<b/>JD</Encrypt></xml>", []),
        (b"<xml><Encrypt>" + b"<![CDATA[Q]]>" * 4800 + b"</Encrypt></xml>", []),
    ],
)
def test_blanks_around_a_ciphertext_count_for_nothing_or_for_all(
    written: bytes, found: list[str]
) -> None:
    assert [*ciphertexts(written, Format.XML)] == found


def test_json_may_escape_the_slashes_of_a_ciphertext() -> None:
    assert [*ciphertexts(rb'{"ToUserName":"gh_1","Encrypt":"QU\/D+="}', Format.JSON)] == ["QU/D+="]


@pytest.mark.parametrize("escape", ["\\N", "\\R", "\\T", "\\U0020", "\\u0G20", "\\x20", "\\"])
def test_what_is_no_escape_of_json_is_no_ciphertext(escape: str) -> None:
    body = f'{{"Encrypt":"ab{escape}cd"}}'.encode()

    assert list(ciphertexts(body, Format.JSON)) == []
