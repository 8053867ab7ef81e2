"""Placeholders are filled safely, and invalid ones are refused when a rule is saved."""

from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app import refs
from app.rules.definition.schemas import RuleIn
from app.rules.definition.templates import Unfillable, filled
from app.rules.definition.utm import Utm
from app.rules.matching.render_replies import RenderedReply, render_replies
from app.rules.matching.rule_set import Chosen, Rule, compile_rules
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound
from app.wechat.outbound import REPLY, STORED, Message, MiniProgramPage, Text
from tests.rules.makers import APPID, NOON, as_posted, click, rule, text, text_rule
from tests.rules.names import code_points

CARD = {
    "msgtype": "miniprogrampage",
    "via": "customer_service",
    "title": "Shop",
    "appid": "wx0123456789abcdef",
    "pagepath": "pages/order?no={1}",
    "thumb": {"media_id": "m"},
}


def card(**changes: object) -> MiniProgramPage:
    made = REPLY.validate_python(CARD | changes)
    assert isinstance(made, MiniProgramPage)
    return made


def says(content: str, via: Any = "passive") -> Text:  # noqa: ANN401 - one of two words
    return Text(via=via, content=content)


def content_of(template: str, words: str = "", utm: Utm | None = None) -> str:
    made = filled(says(template), {"1": words}, utm)
    assert isinstance(made, Text)
    return made.content


def pagepath_of(template: str, words: str = "", utm: Utm | None = None) -> str:
    made = filled(card(pagepath=template), {"1": words}, utm)
    assert isinstance(made, MiniProgramPage)
    return made.pagepath


def sent(made: Rule, *messages: Inbound) -> list[Message]:
    rules = compile_rules([made], 1)
    return [
        answer.reply
        for number, message in enumerate(messages)
        for answer in render_replies(
            rules.choose(AppId(APPID), message, None, NOON),
            message,
            appid=APPID,
            push_key=bytes([number]),
        )
    ]


def test_captures_account_rule_and_reference_are_filled_in() -> None:
    found = text_rule(5, "regex", r"order (?P<no>[a-z]+)(-x)?")
    made = Rule(
        5,
        "",
        None,
        1,
        found.trigger,
        (says("{no} {1}{2} of {0}, {rule} at {account}"), card(pagepath="p?r={ref}&n={no}")),
    )

    first, second = sent(made, text("my ORDER  Abc"))

    assert isinstance(first, Text)
    assert isinstance(second, MiniProgramPage)
    assert first.content == f"Abc Abc of ORDER Abc, 5 at {APPID}"
    query = parse_qs(second.pagepath.partition("?")[2])
    assert query["n"] == ["Abc"]
    assert len(query["r"][0]) == refs.LENGTH


def test_every_reply_has_a_reference_of_its_own() -> None:
    made = Rule(5, "", None, 1, text_rule(5, "exact", "a").trigger, (says("{ref}"),))

    one, other = sent(made, text("a"), text("a"))

    assert one != other


def test_doubled_braces_are_braces() -> None:
    assert content_of("{{1}} {{{1}}}", "a") == "{1} {a}"


def test_a_refused_placeholder_is_told_how_to_write_braces() -> None:
    with pytest.raises(ValidationError, match=r"write \{\{ and \}\} for braces"):
        RuleIn.model_validate(
            as_posted(replies=[{"msgtype": "text", "via": "passive", "content": "{who}"}])
        )


def test_words_of_a_follower_make_no_link() -> None:
    assert content_of("Hi {1}", '<a href="x">y</a>') == 'Hi a href="x"y/a'


def test_words_inside_of_a_link_stay_inside_of_its_attribute() -> None:
    link = '<a href="https://example.com" data-miniprogram-path="p?q={1}">go {1}</a>'

    made = content_of(link, '"> <b')

    assert 'path="p?q=%22%3E%20%3Cb">go "' in made


def test_only_what_can_open_a_tag_opens_one() -> None:
    assert content_of("1 < 2: {1}", "a b") == "1 < 2: a b"
    assert content_of("<{1}>x</a>", "a href=y") == "<a%20href%3Dy>x</a>"


@given(st.text())
def test_words_of_a_follower_add_no_parameter_to_a_page(words: str) -> None:
    pagepath = pagepath_of("p?q={1}&r=1", words[:100].encode(errors="ignore").decode())

    assert pagepath.startswith("p?q=")
    assert set(parse_qs(pagepath[2:], keep_blank_values=True)) == {"q", "r"}


def test_words_that_make_a_text_too_long_are_cut_and_the_text_around_them_is_not() -> None:
    link = '<a data-miniprogram-path="p?q={1}">go {1}</a>'

    made = content_of(f"{{1}} {link} end", "城" * 2000)

    assert 2000 < len(made.encode()) <= 2047
    assert made.endswith("</a> end")


@pytest.mark.parametrize(
    "character",
    ["👨\u200d👩\u200d👧\u200d👦", "👩🏽\u200d💻", "🇨🇳", "1\ufe0f\u20e3", "e\u0301", "각"],
)
@pytest.mark.parametrize("before", range(4))
def test_a_capture_is_cut_between_characters_as_a_reader_sees_them(
    character: str, before: int
) -> None:
    made = content_of("{1}👩", "x" * before + character * 900)

    assert len(made.encode()) <= 2047
    assert made == "x" * before + character * made.count(character) + "👩"
    assert len((character + made).encode()) > 2047


@pytest.mark.parametrize("words", ["", "\u200b", " \u3164\ufeff", "\u200d" * 3000], ids=code_points)
def test_a_text_in_which_nothing_can_be_seen_is_not_sent_and_says_so(words: str) -> None:
    with pytest.raises(Unfillable, match="nothing is left of the text that can be seen"):
        content_of("{1}\u2060", words)


def test_line_breaks_of_captures_are_line_feeds() -> None:
    assert content_of("{1}", "a\r\nb\rc") == "a\nb\nc"


def test_a_text_that_is_too_long_without_any_words_is_not_sent() -> None:
    link = '<a data-miniprogram-path="p">go</a>'
    with pytest.raises(Unfillable, match="2047"):
        content_of("x" * 2000 + link, utm=Utm(source="oa", medium="m" * 90))


def test_a_page_that_grows_too_long_is_not_sent_and_says_why() -> None:
    with pytest.raises(Unfillable, match="1024"):
        pagepath_of("p?q={1}", "城" * 200)


def test_a_text_of_which_nothing_is_left_is_not_sent() -> None:
    with pytest.raises(Unfillable, match="nothing is left"):
        content_of("{1}", "<>")


def test_utm_parameters_are_appended_to_cards_and_links() -> None:
    utm = Utm(source="oa", campaign="春 节")
    link = '<a data-miniprogram-path="p?a=1">go</a>'

    assert pagepath_of("p", utm=utm) == "p?utm_source=oa&utm_campaign=%E6%98%A5%20%E8%8A%82"
    assert pagepath_of("p?a=1", utm=utm).startswith("p?a=1&utm_source=oa&")
    assert 'path="p?a=1&amp;utm_source=oa&amp;' in content_of(link, utm=utm)
    assert content_of("plain", utm=utm) == "plain"


@pytest.mark.parametrize(
    ("page", "tagged"),
    [
        ("p#top", "p?utm_source=oa#top"),
        ("p?a=1#top", "p?a=1&utm_source=oa#top"),
        ("p?", "p?utm_source=oa"),
        ("p?utm_source=shop&a=1", "p?utm_source=shop&a=1"),
        ("p?my_utm_source=1", "p?my_utm_source=1&utm_source=oa"),
    ],
)
def test_utm_parameters_stand_in_the_query_and_once(page: str, tagged: str) -> None:
    assert pagepath_of(page, utm=Utm(source="oa")) == tagged
    assert f"path='{tagged.replace('&', '&amp;')}'>" in content_of(
        f"<a data-miniprogram-path='{page.replace('&', '&amp;')}'>go</a>", utm=Utm(source="oa")
    )


def test_a_second_passive_text_is_queued_and_anything_else_skipped() -> None:
    welcome = Rule(1, "", None, 1, rule(1, "click", key="K").trigger, (says("one"),))
    image = REPLY.validate_python(
        {"msgtype": "image", "via": "passive", "media": {"media_id": "m"}}
    )
    other = Rule(2, "", None, 1, welcome.trigger, (says("two"), image))

    first, second, third = render_replies(
        [Chosen(welcome), Chosen(other)], click("K"), appid=APPID, push_key=b""
    )

    assert (first.reply.via, second.reply.via) == ("passive", "customer_service")
    assert third.skipped is not None


def test_a_stored_text_that_shows_nothing_or_is_too_long_is_read_but_not_sent_so() -> None:
    def rendered(content: str) -> RenderedReply:
        document = {"msgtype": "text", "via": "customer_service", "content": content}
        reply = REPLY.validate_python(document, context=STORED)
        one = Rule(1, "", None, 1, rule(1, "click", key="K").trigger, (reply,))
        (only,) = render_replies([Chosen(one)], click("K"), appid=APPID, push_key=b"")
        return only

    assert "nothing is left of the text that can be seen" in str(rendered("\u200b\u2060").failed)
    longest = rendered("x" * 2048)
    assert longest.failed is None
    assert longest.reply.model_dump()["content"] == "x" * 2047
    assert rendered("a\r\nb").reply.model_dump()["content"] == "a\nb"
