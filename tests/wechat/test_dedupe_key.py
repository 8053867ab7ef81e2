import pytest

from app.settings import MessageMode
from app.wechat import inbound
from app.wechat.crypto import CallbackQuery, Format, decode_key, encrypt, msg_signature, signature
from app.wechat.ids import AppId
from tests.wechat.pushes import document, event, pushed
from tests.wechat.vectors import AES_KEY, APPID, TOKEN, cipher

TEXT = "<MsgType>text</MsgType><Content>hi</Content>"


def key(message: inbound.Inbound, appid: str = APPID) -> bytes:
    return inbound.dedupe_key(AppId(appid), message)


def test_a_retry_of_a_message_is_the_same_push() -> None:
    assert key(pushed(f"{TEXT}<MsgId>1</MsgId>")) == key(pushed(f"<MsgID>1</MsgID>{TEXT}"))
    assert len(key(pushed(TEXT))) == 16


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


def test_in_compatible_mode_the_plain_copy_and_the_decrypted_one_are_one_push() -> None:
    click = "<MsgType>event</MsgType><Event>CLICK</Event><EventKey>a</EventKey>"
    account = cipher(MessageMode.COMPATIBLE)
    keys = set()
    for _ in range(2):
        ciphertext = encrypt(decode_key(AES_KEY), document(click).encode(), APPID)
        body = document(f"{click}<Encrypt>{ciphertext}</Encrypt>").encode()
        plain = CallbackQuery(signature=signature(TOKEN, "1", "2"), timestamp="1", nonce="2")
        sealed = CallbackQuery(
            timestamp="1",
            nonce="2",
            encrypt_type="aes",
            msg_signature=msg_signature(TOKEN, "1", "2", ciphertext),
        )
        for query in (plain, sealed):
            opened = account.decrypt_push(body, query)
            keys.add(key(inbound.parse(opened.text, opened.format)))

    assert len(keys) == 1
