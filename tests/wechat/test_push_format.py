import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wechat.crypto import Format
from app.wechat.errors import BadEnvelope
from app.wechat.push_format import parse_document
from app.wechat.xml_document import cdata


def xml(inner: str) -> dict[str, object]:
    return parse_document(f"<xml>{inner}</xml>", Format.XML)


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE xml><xml><A>1</A></xml>",
        '<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml><A>1</A></xml>',
        '<?xml version="1.0"?>\n<!DOCTYPE xml [<!ENTITY a "b">]><xml><A>&a;</A></xml>',
        '<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><A>&b;&#0;</A></xml>',
    ],
)
def test_a_doctype_is_refused(document: str) -> None:
    with pytest.raises(BadEnvelope, match=r"^forbidden_dtd$"):
        parse_document(document, Format.XML)


@pytest.mark.parametrize("typed", ["<!DOCTYPE html>", '<!ENTITY a "b">', "&a;", "&#0;", "&lt;"])
def test_what_a_follower_types_inside_cdata_is_text(typed: str) -> None:
    assert xml(f"<Content><![CDATA[{typed}]]></Content>") == {"Content": typed}


def test_an_unknown_entity_is_malformed() -> None:
    with pytest.raises(BadEnvelope, match=r"^malformed$"):
        xml("<A>&nbsp;</A>")


@pytest.mark.parametrize("illegal", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_illegal_characters_in_user_text_are_dropped(illegal: str) -> None:
    assert xml(f"<Content><![CDATA[a{illegal}b]]></Content>") == {"Content": "ab"}
    assert xml(f"<Content>a{illegal}b</Content>") == {"Content": "ab"}


@pytest.mark.parametrize(
    "reference", ["&#0;", "&#x0;", "&#8;", "&#xFFFF;", "&#1114112;", f"&#{'9' * 5000};"]
)
def test_illegal_references_outside_cdata_are_dropped_and_legal_ones_kept(reference: str) -> None:
    document = xml(f"<A>a{reference}&#x1F389;&#10;b</A><B><![CDATA[{reference}]]></B>")

    assert document == {"A": "a🎉\nb", "B": reference}


@pytest.mark.parametrize(
    ("references", "means"),
    [
        ("&#xD83D;&#xDE00;", "😀"),
        ("&#xd83d;&#56832;", "😀"),
        ("&#xD83D;&#xDE00;&#xD83D;&#xDE00;", "😀😀"),
        ("a&#xD83D;b", "a\ufffdb"),
        ("&#xDE00;&#xD83D;", "\ufffd\ufffd"),
        ("&#xD83D;&#x1F389;", "\ufffd🎉"),
        ("&#60;&#xD83D;&#xDE00;&#38;", "<😀&"),
    ],
)
def test_a_surrogate_pair_of_references_is_one_character_and_a_half_is_replaced(
    references: str, means: str
) -> None:
    document = xml(f"<A>{references}</A><B><![CDATA[{references}]]></B>")

    assert document == {"A": means, "B": references}


@pytest.mark.parametrize("root", ["XML", "Xml", "xmL"])
def test_the_name_of_the_root_may_be_in_any_case(root: str) -> None:
    text = f"<{root}><A>1</A><B><![CDATA[2]]></B></{root}>"

    assert parse_document(text, Format.XML) == {"A": "1", "B": "2"}


def test_text_between_elements_attributes_and_comments_do_not_count() -> None:
    document = xml('\n junk <A x="1">1</A> <!-- note --> more <B><C>2</C> text</B>')

    assert document == {"A": "1", "B": {"C": "2"}}


def test_repeated_elements_become_a_list_and_empty_ones_an_empty_text() -> None:
    assert xml("<L><T>1</T></L><L/><E></E><F><![CDATA[]]></F>") == {
        "L": [{"T": "1"}, ""],
        "E": "",
        "F": "",
    }


@pytest.mark.parametrize("blanks", [" ", "\n\t ", "　"])
def test_blanks_of_a_text_are_kept(blanks: str) -> None:
    assert xml(f"<Content><![CDATA[{blanks}a{blanks}]]></Content>") == {
        "Content": f"{blanks}a{blanks}"
    }


@pytest.mark.parametrize(
    "text", ["", "<xml>", "<xml/>", "<xml>a</xml>", "<root><A>1</A></root>", "<xml><A></xml>", "{"]
)
def test_what_is_no_xml_push_is_malformed(text: str) -> None:
    with pytest.raises(BadEnvelope, match=r"^malformed$"):
        parse_document(text, Format.XML)


def test_numbers_of_json_stay_the_digits_that_were_written() -> None:
    text = '{"MsgId": 12345678901234567890123, "Lat": 23.10, "Big": 1e400, "T": true, "N": null}'

    assert parse_document(text, Format.JSON) == {
        "MsgId": "12345678901234567890123",
        "Lat": "23.10",
        "Big": "1e400",
        "T": "true",
        "N": "",
    }


def test_blanks_inside_json_names_are_dropped() -> None:
    assert parse_document('{" OpenID": "o", "L": [{"A ": 1}]}', Format.JSON) == {
        "OpenID": "o",
        "L": [{"A": "1"}],
    }


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ('{"A": 1, "A": 2, "B": 3}', {"A": ["1", "2"], "B": "3"}),
        ('{"A": 1, " A": 1}', {"A": ["1", "1"]}),
        ('{"L": [{"A": 1, "A": 1}]}', {"L": [{"A": ["1", "1"]}]}),
    ],
)
def test_a_repeated_json_name_becomes_a_list(text: str, document: dict[str, object]) -> None:
    assert parse_document(text, Format.JSON) == document


@pytest.mark.parametrize(
    "text",
    ["", "[]", '"a"', "1", "{", '{"A": nan}', "{} {}"],
)
def test_what_is_no_json_push_is_malformed(text: str) -> None:
    with pytest.raises(BadEnvelope, match=r"^malformed$"):
        parse_document(text, Format.JSON)


def test_a_number_that_json_does_not_have_costs_no_push() -> None:
    document = parse_document('{"A": NaN, "B": [-Infinity], "C": 1}', Format.JSON)

    assert document == {"A": "NaN", "B": ["-Infinity"], "C": "1"}


def test_json_text_that_postgres_could_not_store_is_dropped_or_replaced() -> None:
    document = parse_document(
        r'{"A\u0000": "x\u0000\ud800y\ud83d\ude00", "B": ["\udfff"]}', Format.JSON
    )

    assert document == {"A": "x\ufffdy😀", "B": ["\ufffd"]}
    json.dumps(document, ensure_ascii=False).encode()


def test_raw_control_characters_inside_json_are_tolerated() -> None:
    assert parse_document('{"Content": "a\x01\nb"}', Format.JSON) == {"Content": "a\x01\nb"}


@pytest.mark.parametrize("levels", [40, 20_000])
@pytest.mark.parametrize(
    ("head", "opening", "middle", "closing", "tail", "written"),
    [
        ("<xml>", "<a>", "x", "</a>", "</xml>", Format.XML),
        ('{"A":', "[", "1", "]", "}", Format.JSON),
        ('{"A":', '{"a":', "1", "}", "}", Format.JSON),
    ],
)
def test_hostile_nesting_is_malformed(
    levels: int, head: str, opening: str, middle: str, closing: str, tail: str, written: Format
) -> None:
    with pytest.raises(BadEnvelope, match=r"^malformed$"):
        parse_document(head + opening * levels + middle + closing * levels + tail, written)


def test_the_nesting_of_real_pushes_is_fine_in_both_formats() -> None:
    levels = 20
    assert xml("<a>" * levels + "x" + "</a>" * levels)
    assert parse_document('{"a":' * levels + "1" + "}" * levels, Format.JSON)


@given(st.text(max_size=200))
def test_cdata_reads_back_as_what_went_in_but_for_illegal_characters(text: str) -> None:
    read = xml(f"<A>{cdata(text)}</A>")["A"]

    # XML readers turn every line end into \n.
    legal = "".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff"))
    legal = legal.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert read == legal.replace("\r\n", "\n").replace("\r", "\n")
