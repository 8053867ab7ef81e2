"""The short way through a flat push reads what the XML parser reads."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.wechat.errors import BadEnvelope
from app.wechat.xml_document import parse_xml

# A comment is nothing to the reader but sends the document the long way round.
THE_LONG_WAY = "<!-- -->"

words = st.text(st.sampled_from("a1 \n\r\t]>[<&\"'/é汉🎉\x0b\ufeff"), max_size=12)
names = st.sampled_from(["ToUserName", "Content", "MsgId", "a", "_b", "1x", "xml", "é"])
sections = st.builds("<![CDATA[{}]]>".format, words)
fields = st.builds(
    "{}<{}>{}</{}>".format, st.sampled_from(["", " ", "\n", "x"]), names, sections | words, names
)
proper_fields = names.flatmap(
    lambda name: st.builds(f"<{name}>{{}}</{name}>".format, sections | words)
)
documents = st.builds(
    "{}<xml>{}{}</xml>{}".format,
    st.sampled_from(["", " ", "<?xml version='1.0'?>", "<!DOCTYPE xml>"]),
    st.lists(fields | proper_fields, max_size=5).map("".join),
    st.sampled_from(["", "\n", "<a><b>1</b></a>"]),
    st.sampled_from(["", "\n", "<y/>"]),
)


@given(documents)
@example("<xml><a>1 &amp; 2</a></xml>")
@example("<xml><a>1 & 2</a></xml>")
@example("<xml><a>]]></a></xml>")
@example("<xml><a>1\r\n2</a></xml>")
@example("<xml><a><![CDATA[1\r\n2]]></a></xml>")
@example("<xml><a><![CDATA[1]]>2]]></a></xml>")
@example("<xml><a>1</a><a>2</a></xml>")
@example("<xml><a>1</b></xml>")
@example("<xml>x<a>1</a></xml>")
def test_a_push_reads_the_same_with_and_without_a_comment_in_it(document: str) -> None:
    head, closing, tail = document.rpartition("</xml>")
    longer = f"{head}{THE_LONG_WAY}{closing}{tail}"
    try:
        expected = parse_xml(longer)
    except BadEnvelope:
        with pytest.raises(BadEnvelope):
            parse_xml(document)
    else:
        assert parse_xml(document) == expected


def test_a_push_as_wechat_writes_it_is_read_whole() -> None:
    document = (
        "<xml>\n<ToUserName><![CDATA[gh_1]]></ToUserName>\n<Content><![CDATA[a]b]] <i>&]]>"
        "</Content><MsgId>7</MsgId><EventKey><![CDATA[]]></EventKey></xml>"
    )

    assert parse_xml(document) == {
        "ToUserName": "gh_1",
        "Content": "a]b]] <i>&",
        "MsgId": "7",
        "EventKey": "",
    }
