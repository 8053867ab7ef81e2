import pytest

from app.wechat import inbound
from app.wechat.crypto import Format
from app.wechat.ids import AppId
from tests.wechat.pushes import event, pushed
from tests.wechat.vectors import APPID

TEXT = "<MsgType>text</MsgType><Content>hi</Content>"


def key(message: inbound.Inbound, appid: str = APPID) -> bytes:
    return inbound.dedupe_key(AppId(appid), message)


def test_a_retry_of_a_message_is_the_same_push() -> None:
    assert key(pushed(f"{TEXT}<MsgId>1</MsgId>")) == key(pushed(f"<MsgID>1</MsgID>{TEXT}"))
    assert len(key(pushed(TEXT))) == 20


@pytest.mark.parametrize(
    ("create_time", "time"),
    [("1795500001", "6b0527e1"), ("0", "00000000"), ("4294967296", "ffffffff")],
)
def test_a_key_begins_with_the_time_of_the_push(create_time: str, time: str) -> None:
    found = key(pushed(f"{TEXT}<MsgId>1</MsgId>", create_time=create_time))

    assert found[:4].hex() == time


def test_messages_differ_by_account_sender_second_and_id() -> None:
    with_id = f"{TEXT}<MsgId>1</MsgId>"
    keys = {
        key(pushed(with_id)),
        key(pushed(with_id), appid="wx0000000000000000"),
        key(pushed(with_id, from_user="oOTHER")),
        key(pushed(with_id, create_time="1795500001")),
        key(pushed(f"{TEXT}<MsgId>2</MsgId>")),
        key(pushed(TEXT)),
        key(event("text")),
    }

    assert len(keys) == 7


@pytest.mark.parametrize("no_id", ["0", "00", "-1", "x", "１", "9" * 21, ""])
def test_a_message_id_that_can_be_none_leaves_it_to_the_body(no_id: str) -> None:
    def text(content: str) -> bytes:
        inner = f"<MsgType>text</MsgType><Content>{content}</Content><MsgId>{no_id}</MsgId>"
        return key(pushed(inner))

    assert text("one") != text("two")
    assert text("one") == text("one")


def test_the_longest_id_that_a_message_can_have_counts() -> None:
    msg_id = f"<MsgId>{2**64 - 1}</MsgId>"

    assert key(pushed(f"{TEXT}{msg_id}")) == key(pushed(f"<MsgType>text</MsgType>{msg_id}"))


def test_parts_of_a_key_do_not_run_into_each_other() -> None:
    one = pushed(f"{TEXT}<MsgId>1</MsgId>", from_user="o1", create_time="11")
    two = pushed(f"{TEXT}<MsgId>11</MsgId>", from_user="o1", create_time="1")
    three = pushed(f"{TEXT}<MsgId>1</MsgId>", from_user="o", create_time="111")

    assert len({key(one), key(two), key(three)}) == 3


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (event("CLICK", "<EventKey>a</EventKey>"), event("CLICK", "<EventKey>b</EventKey>")),
        (event("CLICK", "<EventKey>a</EventKey>"), event("VIEW", "<EventKey>a</EventKey>")),
        (
            event("user_authorization_revoke", "<OpenID>o1</OpenID>"),
            event("user_authorization_revoke", "<OpenID>o2</OpenID>"),
        ),
        (
            event("TEMPLATESENDJOBFINISH", "<MsgID>1</MsgID>"),
            event("TEMPLATESENDJOBFINISH", "<MsgID>2</MsgID>"),
        ),
        (
            event("LOCATION", "<Latitude>1</Latitude>"),
            event("LOCATION", "<Latitude>2</Latitude>"),
        ),
        (event("from_the_future", "<A>1</A>"), event("from_the_future", "<A>2</A>")),
        (event("from_the_future"), event("from_the_past")),
    ],
)
def test_different_events_of_one_person_in_one_second_are_different_pushes(
    one: inbound.Inbound, two: inbound.Inbound
) -> None:
    assert key(one) != key(two)


def test_blanks_and_empty_elements_do_not_count() -> None:
    tight = event("CLICK", "<EventKey>a</EventKey>")
    loose = event("CLICK", "\n <EventKey>\n a </EventKey>\n<Ticket></Ticket><Empty/>\n")

    assert key(tight) == key(loose)


def test_a_list_of_one_is_the_item_itself() -> None:
    def popup(listed: str) -> inbound.Inbound:
        return inbound.parse(
            f'{{"FromUserName":"o","CreateTime":1,"MsgType":"event",'
            f'"Event":"subscribe_msg_popup_event","List":{listed}}}',
            Format.JSON,
        )

    assert key(popup('{"TemplateId":"A"}')) == key(popup('[{"TemplateId":"A"}]'))
    assert key(popup('[{"TemplateId":"A"}]')) != key(
        popup('[{"TemplateId":"A"},{"TemplateId":"B"}]')
    )
