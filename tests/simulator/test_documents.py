"""Documents survive the way out and back in both formats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wechat.crypto import Format
from simulator.documents import JsonObject, read, write

# Carriage returns are turned into line feeds by every XML parser.
XML_TEXT = st.text(
    st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="￾￿"),
    min_size=1,
)
NAMES = st.from_regex(r"[A-Z][a-z]{1,8}", fullmatch=True)
DOCUMENTS: st.SearchStrategy[JsonObject] = st.dictionaries(
    NAMES, XML_TEXT | st.dictionaries(NAMES, XML_TEXT, min_size=1), min_size=1
)


@given(DOCUMENTS, st.sampled_from(Format))
def test_a_document_reads_as_it_was_written(document: JsonObject, data_format: Format) -> None:
    assert read(write(document, data_format), data_format) == document


@pytest.mark.parametrize("text", ["", "<xml>", "<other/>", "[]", "text"])
@pytest.mark.parametrize("data_format", Format)
def test_what_is_no_document_is_a_value_error(text: str, data_format: Format) -> None:
    with pytest.raises(ValueError, match=r"^(not|Expecting)"):
        read(text, data_format)
