import contextlib
import json
from random import Random
from typing import get_args

from hypothesis import example, given
from hypothesis import strategies as st

from app.wechat import inbound
from app.wechat.crypto import Format
from app.wechat.errors import BadEnvelope
from app.wechat.ids import AppId
from app.wechat.xml_document import cdata
from tests.wechat.pushes import OPENID, document

NAMES = ["MsgId", "Event", "EventKey", "OpenID", "List", "SubscribeMsgPopupEvent", "Encrypt"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=15,
)
required = st.fixed_dictionaries(
    {},
    optional={
        "ToUserName": anything,
        "FromUserName": st.just(OPENID) | anything,
        "CreateTime": st.integers() | anything,
        "MsgType": st.sampled_from(["event", "text", "location", "x"]) | anything,
        "Event": st.sampled_from([kind.event for kind in get_args(inbound.KnownEvent)]) | anything,
    },
)


def _is_storable(value: object) -> bool:
    written = json.dumps(value, ensure_ascii=False)
    return "\\u0000" not in written and bool(written.encode())


@given(st.text(max_size=300), st.sampled_from(Format))
def test_arbitrary_text_is_read_or_refused_never_an_error(text: str, written: Format) -> None:
    with contextlib.suppress(BadEnvelope):
        inbound.parse(text, written)


@given(st.text(max_size=200))
def test_an_xml_push_with_arbitrary_contents_is_read_or_refused(inner: str) -> None:
    with contextlib.suppress(BadEnvelope):
        message = inbound.parse(document(f"<MsgType>text</MsgType>{inner}"), Format.XML)
        assert _is_storable(message.payload)


@given(required, st.dictionaries(st.sampled_from(NAMES), anything, max_size=3), st.booleans())
@example({"CreateTime": 0, "MsgType": "event", "Event": "subscribe"}, {}, False)
def test_arbitrary_json_is_read_and_identified_or_refused(
    common: dict[str, object], more: dict[str, object], ascii_only: bool
) -> None:
    text = json.dumps(common | more, ensure_ascii=ascii_only)
    with contextlib.suppress(BadEnvelope):
        message = inbound.parse(text, Format.JSON)
        assert _is_storable(message.payload)
        assert 0 <= message.create_time <= 253402300799
        assert len(inbound.dedupe_key(AppId("wx1"), message)) == 20
        # An event may name nobody. A message without a sender is refused.
        assert inbound.subject_openid(message) or isinstance(message, inbound.UnknownEvent)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=200))
def test_typed_text_arrives_as_it_was_typed(typed: str) -> None:
    typed = typed.replace("\ufffe", "").replace("\uffff", "")
    text = document(f"<MsgType>text</MsgType><Content>{cdata(typed)}</Content>")

    message = inbound.parse(text, Format.XML)

    assert isinstance(message, inbound.Text)
    assert message.content == typed


members = st.dictionaries(
    st.from_regex(r"\A[A-Za-z]{1,12}\Z").filter(lambda name: name.lower() != "encrypt"),
    st.from_regex(r"\A[a-z0-9]{0,8}\Z"),
    max_size=6,
)


@given(members, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_elements_does_not_change_the_dedupe_key(
    more: dict[str, str], random: Random, is_event: bool
) -> None:
    lowered = {"fromusername", "createtime", "msgtype", "event"}
    pairs = [(name, value) for name, value in more.items() if name.lower() not in lowered]
    pairs += [("FromUserName", OPENID), ("CreateTime", "7")]
    pairs += [("MsgType", "event"), ("Event", "CLICK")] if is_event else [("MsgType", "text")]
    shuffled = pairs.copy()
    random.shuffle(shuffled)

    assert _key(shuffled) == _key(pairs)


def _key(pairs: list[tuple[str, str]]) -> bytes:
    elements = "\n ".join(f"<{name}>{value}</{name}>" for name, value in pairs)
    return inbound.dedupe_key(AppId("wx1"), inbound.parse(f"<xml>{elements}</xml>", Format.XML))
