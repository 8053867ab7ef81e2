"""What stands in an article, and how its visits are known. Source: linkage 12.2."""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import refs
from app.articles.markup import ArticleForm, Placement, forms_of, markup
from app.articles.target import ArticleTarget, BadTarget, article_target
from app.links.models import EnvVersion, Link

TARGET = ArticleTarget("wx0123456789abcdef", "pages/shop/index?c=art9&x=1", "summer26.art9")
LINK_ID = UUID("01a20c23-c300-7000-b496-44867b0897ea")
IMAGE = "https://mmbiz.example.com/shop.jpg"


def link(**changes: object) -> Link:
    return Link(
        **{
            "id": LINK_ID,
            "slug": "summer26",
            "name": "Shop",
            "appid": "wx0123456789abcdef",
            "path": "pages/shop/index",
            "query": "from={link}&ref={ref}",
            "utm": {"source": "wechat"},
            "env_version": EnvVersion.RELEASE,
        }
        | changes
    )


def test_the_forms_are_those_of_the_protocol() -> None:
    placement = Placement(TARGET, "夏季促销", "进店看看", IMAGE)
    page = (
        'data-miniprogram-appid="wx0123456789abcdef"'
        ' data-miniprogram-path="pages/shop/index?c=art9&amp;x=1"'
    )

    assert markup(ArticleForm.CARD, placement) == (
        f'<mp-common-miniprogram {page} data-miniprogram-title="夏季促销"'
        f' data-miniprogram-imageurl="{IMAGE}" data-miniprogram-type="card">'
        "</mp-common-miniprogram>"
    )
    assert markup(ArticleForm.IMAGE, placement) == f'<a {page} href=""><img src="{IMAGE}"></a>'
    assert markup(ArticleForm.TEXT, placement) == f'<a {page} href="">进店看看</a>'


def test_without_a_picture_there_is_a_text_link_alone() -> None:
    assert forms_of(Placement(TARGET, "a", "b", None)) == (ArticleForm.TEXT,)
    assert forms_of(Placement(TARGET, "a", "b", IMAGE)) == tuple(ArticleForm)


class _Reader(HTMLParser):
    """Reads what an HTML document has: tags with attributes, and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


# A browser reads a carriage return as a line feed.
words = st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"]), min_size=1)


@given(words, words, words)
def test_no_text_leaves_its_place(path: str, title: str, text: str) -> None:
    placement = Placement(ArticleTarget("wx1", path, "r"), title, text, IMAGE)
    read = {}
    for form in ArticleForm:
        reader = _Reader()
        reader.feed(markup(form, placement))
        reader.close()
        read[form] = reader
        assert reader.tags[0][1]["data-miniprogram-path"] == path

    assert [len(reader.tags) for reader in read.values()] == [1, 2, 1]
    assert read[ArticleForm.CARD].tags[0][1]["data-miniprogram-title"] == title
    assert read[ArticleForm.TEXT].text == text


@pytest.mark.parametrize("query", ["", "a=1", "?a=1&ref={ref}", "c={ref}&from={link}"])
def test_every_visit_carries_the_ref_of_the_article(query: str) -> None:
    target = article_target(link(query=query), "art9")

    assert target.ref == refs.of_link(LINK_ID, "art9")
    page, _, found = target.path.partition("?")
    assert page == "pages/shop/index"
    members = parse_qs(found, strict_parsing=True)
    assert [target.ref] in (members.get("ref"), members.get("c"))
    assert members["utm_source"] == ["wechat"]


def test_a_mark_is_drawn_where_none_is_given() -> None:
    one, other = (article_target(link(), None) for _ in range(2))

    assert one.ref != other.ref
    assert one.ref.startswith(refs.link_mark(LINK_ID))
    assert one.ref in urlsplit(unescape(one.path)).query


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"path": ""}, "names no page"),
        ({"query": "ref=mine"}, "write it as ref={ref}"),
        ({"query": "a=" + "b" * 1010}, "shorten it to 1,024"),
    ],
)
def test_a_link_that_no_article_can_open_says_how_to_correct_it(
    changes: dict[str, object], word: str
) -> None:
    with pytest.raises(BadTarget, match=re.escape(word)):
        article_target(link(**changes), "art9")
