"""Menus as WeChat answers them are read in all their shapes, and compared button by button."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.menus.as_read import read_menu, read_selfmenu, rebuild
from app.menus.as_sent import as_sent
from app.menus.difference import differences
from app.menus.document import Menu
from app.menus.page_path import Attribution
from tests.menus.makers import click, for_tag, menu, shop, view
from tests.service import APPID, Json

OF = Attribution(APPID, 1, "abcDEF12")


def sent(document: Json) -> Json:
    return as_sent(Menu.model_validate(document), OF)


def as_wechat_answers(document: Json) -> Json:
    def button(one: Json) -> Json:
        return one | {"sub_button": [button(sub) for sub in one.get("sub_button", [])]}

    return {
        "menu": {"button": [button(one) for one in document["button"]], "menuid": 430011223},
        "conditionalmenu": [
            {
                "button": [button(one) for one in each["button"]],
                "matchrule": {"group_id": int(each["matchrule"]["tag_id"])},
                "menuid": 430011224 + number,
            }
            for number, each in enumerate(document["conditional"])
        ],
    }


def test_what_was_sent_is_read_back_without_a_difference() -> None:
    document = sent(menu(conditional=[for_tag("108"), for_tag("109")]))
    live = read_menu(as_wechat_answers(document))

    assert [each.menuid for each in live.conditional] == ["430011224", "430011225"]
    assert differences(live.as_document(), document) == []


def test_conditional_menus_are_compared_in_our_order_whatever_wechats_is() -> None:
    document = sent(menu(conditional=[for_tag("108"), for_tag("109")]))
    answer = as_wechat_answers(document)
    answer["conditionalmenu"].reverse()
    live = read_menu(answer)

    assert differences(live.as_document(), document) != []
    assert differences(live.as_document(["430011224", "430011225"]), document) == []


def test_each_changed_button_is_named_with_its_place() -> None:
    before = sent(menu(click(), view(), conditional=[for_tag("1")]))
    after = sent(menu(click(name="新"), {"name": "更多", "sub_button": [shop()]}))

    assert [(each.position, each.kind.value) for each in differences(before, after)] == [
        ("1", "changed"),
        ("2", "changed"),
        ("2-1", "added"),
        ("c1", "removed"),
        ("c1-1", "removed"),
    ]


def test_a_menu_of_the_console_is_rebuilt_as_far_as_the_api_can() -> None:
    answer = {
        "is_menu_open": 1,
        "selfmenu_info": {
            "button": [
                {"type": "news", "name": "导读", "value": "MEDIA_demo", "news_info": {"list": []}},
                {"type": "view", "name": "官网", "url": "https://www.example.cn/"},
                {
                    "name": "更多",
                    "sub_button": {
                        "list": [
                            {"type": "text", "name": "时间", "value": "每天 9:00"},
                            {"type": "click", "name": "帮助", "key": "help"},
                        ]
                    },
                },
            ]
        },
    }
    found, left_out = rebuild({"button": read_selfmenu(answer), "conditional": []})

    assert found.model_dump(mode="json")["button"] == [
        {"name": "官网", "type": "view", "url": "https://www.example.cn/"},
        {"name": "更多", "sub_button": [{"name": "帮助", "type": "click", "key": "help"}]},
    ]
    assert [(each.position, each.type, each.value) for each in left_out] == [
        ("1", "news", "MEDIA_demo"),
        ("3-1", "text", "每天 9:00"),
    ]


def test_conditions_that_wechat_removed_do_not_prevent_a_rebuild() -> None:
    live = read_menu(
        {
            "menu": {"button": [click()]},
            "conditionalmenu": [
                {"button": [click()], "matchrule": {"sex": "1", "group_id": 2}, "menuid": 1}
            ],
        }
    )
    found, left_out = rebuild(live.as_document())

    assert found.conditional[0].matchrule.tag_id == "2"
    assert left_out == []


@pytest.mark.parametrize("answer", [None, {}, {"menu": None}, {"menu": {"button": None}}])
def test_no_menu_is_an_empty_menu(answer: Json | None) -> None:
    assert read_menu(answer).button == []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["menu", "button", "sub_button", "name", "type", "list", "matchrule"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values, json_values)
def test_any_answer_can_be_read_rebuilt_and_compared(one: object, other: object) -> None:
    live = read_menu({"menu": one, "conditionalmenu": other})
    document = live.as_document()
    found, _ = rebuild(document)
    differences(document, found.model_dump(mode="json"))
    read_selfmenu({"selfmenu_info": one})
