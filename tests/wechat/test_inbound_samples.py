"""Pushes as public test data has them: what each says must be found."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.wechat import inbound
from app.wechat.crypto import Format
from app.wechat.ids import AppId

FOLDER = Path(__file__).parent.parent / "data" / "inbound-samples"
SAMPLES = json.loads((FOLDER / "index.json").read_text())["samples"]
ABOUT_THE_SAMPLE = {"other_elements", "wrapper", "List_shape", "subject_openid", "List"}
CONSENT_FACTS = ("TemplateId", "SubscribeStatusString", "PopupScene")
DELIVERY_FACTS = ("TemplateId", "MsgID", "ErrorCode", "ErrorStatus")


def _parse(sample: dict[str, Any]) -> inbound.Inbound:
    text = (FOLDER / sample["file"]).read_text(encoding="utf-8-sig")
    return inbound.parse(text, Format(sample["format"]))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["file"])
def test_each_sample_says_what_its_index_says(sample: dict[str, Any]) -> None:
    message = _parse(sample)
    facts = sample["expected"]["fields"]

    assert message.from_user == facts["FromUserName"]
    assert message.to_user == facts["ToUserName"]
    assert message.create_time == int(facts["CreateTime"])
    assert (message.msgtype == "event") == (sample["expected"]["kind"] == "event")
    assert inbound.subject_openid(message) == facts.get("subject_openid", facts["FromUserName"])
    for name in facts.keys() - ABOUT_THE_SAMPLE:
        _assert_holds(message.payload[name], facts[name])
    assert message.payload.keys() >= set(facts.get("other_elements", ()))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["file"])
def test_only_events_outside_the_reference_are_unknown(sample: dict[str, Any]) -> None:
    outside = {"cloud_invoice_invoiceresult_event", "giftcard_pay_done", "user_authorize_invoice"}
    unknown = isinstance(_parse(sample), inbound.UnknownEvent | inbound.UnknownMessage)

    assert unknown == (sample["expected"]["fields"].get("Event") in outside)


@pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if "List" in sample["expected"]["fields"]],
    ids=lambda sample: sample["file"],
)
def test_the_items_of_each_subscription_sample_are_found(sample: dict[str, Any]) -> None:
    message = _parse(sample)
    listed = sample["expected"]["fields"]["List"]
    expected = [listed] if isinstance(listed, dict) else listed

    assert isinstance(message, inbound.ConsentEvent | inbound.SubscribeMsgSent)
    for item, facts in zip(message.items, expected, strict=True):
        if isinstance(item, inbound.Consent):
            said = (item.template_id, item.subscribe_status, item.popup_scene)
            assert said == tuple(map(facts.get, CONSENT_FACTS))
        else:
            assert isinstance(item, inbound.Delivery)
            told = (item.template_id, item.msg_id, item.error_code, item.error_status)
            assert told == tuple(map(facts.get, DELIVERY_FACTS))


def test_all_sampled_events_are_different_pushes() -> None:
    events = [message for message in map(_parse, SAMPLES) if message.msgtype == "event"]
    keys = {inbound.dedupe_key(AppId("wx1"), message) for message in events}

    assert len(keys) == len(events)


def _assert_holds(value: object, fact: object) -> None:
    if isinstance(fact, dict):
        assert isinstance(value, dict)
        for name in fact:
            _assert_holds(value[name], fact[name])
    elif isinstance(fact, list):
        assert value == [str(item) for item in fact]
    else:
        assert isinstance(value, str)
        assert value.strip() == str(fact)
