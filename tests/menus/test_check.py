"""What WeChat would refuse in a menu is found before it is asked, with its errcode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app import refs
from app.menus.as_sent import as_sent
from app.menus.check import MenuProblem, check_menu
from app.menus.document import Menu
from app.menus.page_path import Attribution
from app.wechat.visible_text import shows_nothing
from tests.menus.makers import click, for_tag, menu, shop, view
from tests.service import APPID, CARD_APPID, Json

OF = Attribution(APPID, 12, "abcDEF12")


def problems(document: Json, known: frozenset[str] = frozenset()) -> list[MenuProblem]:
    return check_menu(Menu.model_validate(document), known)


def test_a_good_menu_has_no_problem() -> None:
    document = menu(
        utm={"source": "menu"},
        conditional=[for_tag("108", click(), shop(), client_platform_type="1"), for_tag("109")],
    )

    assert problems(document, frozenset({CARD_APPID})) == []


@pytest.mark.parametrize(
    ("document", "loc", "errcode"),
    [
        ({"button": []}, "button", 40016),
        (menu(*[click(key=str(n)) for n in range(4)]), "button", 40016),
        (menu(click(name="")), "button.0.name", 40018),
        (menu(click(name=" \u200b")), "button.0.name", 40018),
        (menu(click(name="积分商城好啊")), "button.0.name", 40018),
        (
            menu({"name": "a", "sub_button": [click(name="好" * 21)]}),
            "button.0.sub_button.0.name",
            40025,
        ),
        (menu({"name": "a"}), "button.0.type", 40017),
        (menu({"name": "a", "sub_button": [{"name": "b"}]}), "button.0.sub_button.0.type", 40024),
        (menu({"type": "click", "name": "a", "sub_button": [view()]}), "button.0.type", 40017),
        (
            menu({"name": "a", "sub_button": [click(key=str(n)) for n in range(6)]}),
            "button.0.sub_button",
            40023,
        ),
        (menu({"name": "a", "type": "click"}), "button.0.key", 40019),
        (menu(click(key="k" * 129)), "button.0.key", 40019),
        (
            menu({"name": "a", "sub_button": [click(key="好" * 43)]}),
            "button.0.sub_button.0.key",
            40026,
        ),
        (menu({"name": "a", "type": "view"}), "button.0.url", 40020),
        (menu(view(url="https://a.example.com/" + "x" * 1024)), "button.0.url", 40020),
        (menu(view(url="javascript:alert(1)")), "button.0.url", 40055),
        (menu(view(url="https://xn--/")), "button.0.url", 40055),
        (
            menu({"name": "a", "sub_button": [view(url="https://")]}),
            "button.0.sub_button.0.url",
            40054,
        ),
        (menu(shop(pagepath="/pages/a")), "button.0.pagepath", 40165),
        (menu(shop(pagepath="pages/a?{name}")), "button.0.pagepath", 40165),
        (menu(shop(pagepath="pages/a?{")), "button.0.pagepath", 40165),
        (menu(shop(pagepath="pages/" + "a" * 1024)), "button.0.pagepath", 40165),
        (menu({**shop(), "appid": "WX0123456789ABCDEF"}), "button.0.appid", 40166),
        (menu({**shop(), "appid": "wx00000000000000ff"}), "button.0.appid", 40166),
        (menu({"name": "a", "type": "media_id"}), "button.0.media_id", 40007),
        (menu({"name": "a", "type": "article_id"}), "button.0.article_id", 53600),
        (menu({**view(), "key": "k"}), "button.0.key", None),
        (menu(click(), click()), "button.1.key", None),
        (menu(click(name="\\u4e2d")), "button.0.name", 40033),
        (
            menu(conditional=[{"matchrule": {}, "button": [click()]}]),
            "conditional.0.matchrule",
            65304,
        ),
        (menu(conditional=[{"matchrule": {"tag_id": "1"}}]), "conditional.0.button", 65307),
        (menu(conditional=[for_tag("1", {"name": "a"})]), "conditional.0.button.0.type", 65308),
        (
            menu(conditional=[for_tag("1", view(url="ftp://a"))]),
            "conditional.0.button.0.url",
            65317,
        ),
        (
            menu(
                conditional=[
                    for_tag(str(n), view(url=f"https://d{n}.example.com/")) for n in range(4)
                ]
            ),
            "conditional.3.button.0.url",
            65316,
        ),
    ],
)
def test_what_wechat_would_refuse_is_named_with_its_errcode(
    document: Json, loc: str, errcode: int | None
) -> None:
    found = [each for each in problems(document, frozenset({CARD_APPID})) if each.blocks]

    assert [".".join(map(str, each.loc)) for each in found] == [loc]
    assert found[0].errcode == errcode
    assert found[0].text


@pytest.mark.parametrize(
    ("document", "loc"),
    [
        (menu(click(name="积分商城好")), "button.0.name"),
        (menu(view(url="http://www.example.com/")), "button.0.url"),
        (
            menu(conditional=[for_tag("1"), for_tag("1", client_platform_type="2")]),
            "conditional.1.matchrule",
        ),
    ],
)
def test_what_works_but_is_doubtful_does_not_block(document: Json, loc: str) -> None:
    (found,) = problems(document)

    assert not found.blocks
    assert ".".join(map(str, found.loc)) == loc


@pytest.mark.parametrize("member", ["sex", "country", "province", "city", "language"])
def test_a_removed_condition_is_refused_as_wechat_does(member: str) -> None:
    document = menu(conditional=[{"matchrule": {"tag_id": "1", member: "1"}, "button": [click()]}])

    with pytest.raises(ValidationError, match="65320"):
        Menu.model_validate(document)


def test_the_longest_names_that_fit_are_taken_byte_by_byte() -> None:
    document = menu(
        click(name="a" * 16), {"name": "好好好好好a", "sub_button": [click("好" * 20, "b")]}
    )

    assert [each for each in problems(document) if each.blocks] == []


@given(st.text(max_size=40))
def test_a_name_is_measured_as_wechat_does(name: str) -> None:
    try:
        found = problems(menu(click(name=name)))
    except ValidationError:
        assert "\x00" in name
        return
    refused = any(each.errcode == 40018 for each in found)

    assert refused == (len(name.encode()) > 16 or shows_nothing(name))


def test_pages_are_filled_with_the_mark_of_the_version_and_the_button() -> None:
    document = menu(
        {"name": "a", "sub_button": [shop(pagepath="pages/a?r={ref}&v={version}&o={account}")]},
        conditional=[for_tag("1", shop())],
        utm={"source": "menu"},
    )
    sent = as_sent(Menu.model_validate(document), OF)

    assert sent["button"][0]["sub_button"][0]["pagepath"] == (
        f"pages/a?r={refs.of_button('abcDEF12', '1-1')}&v=12&o={APPID}&utm_source=menu"
    )
    assert sent["conditional"][0]["button"][0]["pagepath"] == (
        f"pages/shop/index?ref={refs.of_button('abcDEF12', 'c1-1')}&utm_source=menu"
    )
    assert sent["conditional"][0]["matchrule"] == {"tag_id": "1"}
    assert "utm" not in sent
