from typing import get_args

import pytest

from app.wechat import inbound
from app.wechat.crypto import Format
from app.wechat.inbound import (
    Consent,
    CopyrightCheck,
    Delivery,
    Picture,
    PublishedArticle,
    SentArticle,
)
from app.wechat.inbound.sender import names_a_person
from tests.wechat.pushes import OPENID, event, pushed

CONSENT_XML = (
    "<List><TemplateId>A</TemplateId><SubscribeStatusString>accept</SubscribeStatusString>"
    "<PopupScene>2</PopupScene></List>"
)
PRIVACY_XML = (
    "<OpenID>oPERSON</OpenID><AppID>wx1</AppID><UnionID> oUNION</UnionID>"
    "<RevokeInfo>205</RevokeInfo><PluginID>p</PluginID><OpenPID>q</OpenPID>"
)
PRIVACY = {
    "openid": "oPERSON",
    "appid": "wx1",
    "unionid": "oUNION",
    "revoke_info": "205",
    "plugin_id": "p",
    "open_pid": "q",
}
PICTURES_XML = (
    "<EventKey>k</EventKey><SendPicsInfo><Count>3</Count><PicList><item><PicMd5Sum>1</PicMd5Sum>"
    "</item><item><PicMd5Sum>2</PicMd5Sum></item></PicList></SendPicsInfo>"
)
PICTURES = {
    "event_key": "k",
    "count": "3",
    "pictures": (Picture(pic_md5_sum="1"), Picture(pic_md5_sum="2")),
}
SCANNED_XML = (
    "<EventKey>k</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType>"
    "<ScanResult> 1 </ScanResult></ScanCodeInfo>"
)
SCANNED = {"event_key": "k", "scan_type": "qrcode", "scan_result": " 1 "}
CONSENT = {"items": (Consent(template_id="A", subscribe_status="accept", popup_scene="2"),)}
FAILED_XML = "<FailTime>1442401061</FailTime><FailReason>by time</FailReason>"
FAILED = {"fail_time": "1442401061", "fail_reason": "by time"}
EXPIRES_XML = "<ExpiredTime>1442401004</ExpiredTime>"
EXPIRES = {"expired_time": "1442401004"}

EVENTS = [
    (
        "subscribe",
        "<EventKey>qrscene_store_0042</EventKey><Ticket>T</Ticket>",
        {"event_key": "qrscene_store_0042", "scene": "store_0042", "ticket": "T"},
    ),
    ("unsubscribe", "<EventKey></EventKey>", {}),
    (
        "SCAN",
        "<EventKey>store_0042</EventKey><Ticket>T</Ticket>",
        {"scene": "store_0042", "ticket": "T"},
    ),
    (
        "LOCATION",
        "<Latitude>23.1</Latitude><Longitude>113.3</Longitude><Precision>119.3</Precision>",
        {"latitude": "23.1", "longitude": "113.3", "precision": "119.3"},
    ),
    ("CLICK", "<EventKey>MENU_HELP</EventKey>", {"event_key": "MENU_HELP"}),
    (
        "VIEW",
        "<EventKey>https://example.com/m?a=1&amp;b=2</EventKey><MenuID>43</MenuID>",
        {"event_key": "https://example.com/m?a=1&b=2", "menu_id": "43"},
    ),
    (
        "view_miniprogram",
        "<EventKey>pages/index</EventKey><MenuId>43</MenuId>",
        {"event_key": "pages/index", "menu_id": "43"},
    ),
    ("scancode_push", SCANNED_XML, SCANNED),
    ("scancode_waitmsg", SCANNED_XML, SCANNED),
    ("pic_sysphoto", PICTURES_XML, PICTURES),
    ("pic_photo_or_album", PICTURES_XML, PICTURES),
    ("pic_weixin", PICTURES_XML, PICTURES),
    (
        "location_select",
        "<EventKey>k</EventKey><SendLocationInfo><Location_X>23</Location_X><Location_Y>113"
        "</Location_Y><Scale>15</Scale><Label>L</Label><Poiname>P</Poiname></SendLocationInfo>",
        {
            "event_key": "k",
            "location_x": "23",
            "location_y": "113",
            "scale": "15",
            "label": "L",
            "poiname": "P",
        },
    ),
    (
        "TEMPLATESENDJOBFINISH",
        "<MsgID>200163836</MsgID><Status>failed: system failed</Status>",
        {"msg_id": "200163836", "status": "failed: system failed"},
    ),
    (
        "MASSSENDJOBFINISH",
        "<MsgID>1</MsgID><Status>send success</Status><TotalCount>4</TotalCount>"
        "<FilterCount>3</FilterCount><SentCount>2</SentCount><ErrorCount>1</ErrorCount>"
        "<CopyrightCheckResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx>"
        "<UserDeclareState>0</UserDeclareState><AuditState>2</AuditState><OriginalArticleUrl>U"
        "</OriginalArticleUrl><OriginalArticleType>1</OriginalArticleType><CanReprint>1"
        "</CanReprint><NeedReplaceContent>0</NeedReplaceContent><NeedShowReprintSource>1"
        "</NeedShowReprintSource></item></ResultList><CheckState>2</CheckState>"
        "</CopyrightCheckResult><ArticleUrlResult><Count>1</Count><ResultList><item><ArticleIdx>1"
        "</ArticleIdx><ArticleUrl>V</ArticleUrl></item></ResultList></ArticleUrlResult>",
        {
            "msg_id": "1",
            "status": "send success",
            "total_count": "4",
            "filter_count": "3",
            "sent_count": "2",
            "error_count": "1",
            "check_state": "2",
            "copyright_checks": (
                CopyrightCheck(
                    article_idx="1",
                    user_declare_state="0",
                    audit_state="2",
                    original_article_url="U",
                    original_article_type="1",
                    can_reprint="1",
                    need_replace_content="0",
                    need_show_reprint_source="1",
                ),
            ),
            "articles": (SentArticle(article_idx="1", article_url="V"),),
        },
    ),
    (
        "PUBLISHJOBFINISH",
        "<PublishEventInfo><publish_id>22</publish_id><publish_status>0</publish_status>"
        "<article_id>\n b5O2 \n</article_id><article_detail><count>1</count><item><idx>1</idx>"
        "<article_url>U</article_url></item></article_detail><fail_idx>1</fail_idx>"
        "<fail_idx>2</fail_idx></PublishEventInfo>",
        {
            "publish_id": "22",
            "publish_status": "0",
            "article_id": "b5O2",
            "articles": (PublishedArticle(idx="1", article_url="U"),),
            "fail_idx": ("1", "2"),
        },
    ),
    (
        "subscribe_msg_popup_event",
        f"<SubscribeMsgPopupEvent>{CONSENT_XML}</SubscribeMsgPopupEvent>",
        CONSENT,
    ),
    (
        "subscribe_msg_change_event",
        f"<SubscribeMsgChangeEvent>{CONSENT_XML}</SubscribeMsgChangeEvent>",
        CONSENT,
    ),
    (
        "subscribe_msg_sent_event",
        "<SubscribeMsgSentEvent><List><TemplateId>A</TemplateId><MsgID>1700827132819554304</MsgID>"
        "<ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List></SubscribeMsgSentEvent>",
        {
            "items": (
                Delivery(
                    template_id="A",
                    msg_id="1700827132819554304",
                    error_code="0",
                    error_status="success",
                ),
            )
        },
    ),
    ("user_info_modified", PRIVACY_XML, PRIVACY),
    ("user_authorization_revoke", PRIVACY_XML, PRIVACY),
    ("user_authorization_cancellation", PRIVACY_XML, PRIVACY),
    ("user_enter_tempsession", "<SessionFrom>s</SessionFrom>", {"session_from": "s"}),
    ("qualification_verify_success", EXPIRES_XML, EXPIRES),
    ("qualification_verify_fail", FAILED_XML, FAILED),
    ("naming_verify_success", EXPIRES_XML, EXPIRES),
    ("naming_verify_fail", FAILED_XML, FAILED),
    ("annual_renew", EXPIRES_XML, EXPIRES),
    ("verify_expired", EXPIRES_XML, EXPIRES),
    ("kf_create_session", "<KfAccount>a@b</KfAccount>", {"kf_account": "a@b"}),
    (
        "kf_close_session",
        "<KfAccount>a@b</KfAccount><CloseType>KF</CloseType>",
        {"kf_account": "a@b", "close_type": "KF"},
    ),
    (
        "kf_switch_session",
        "<FromKfAccount>a@b</FromKfAccount><ToKfAccount>c@b</ToKfAccount>",
        {"from_kf_account": "a@b", "to_kf_account": "c@b"},
    ),
    ("debug_demo", "<debug_str>d</debug_str>", {"debug_str": "d"}),
]
KINDS = {kind.event: kind for kind in get_args(inbound.KnownEvent)}


@pytest.mark.parametrize(("name", "inner", "fields"), EVENTS, ids=[name for name, *_ in EVENTS])
@pytest.mark.parametrize("case", [str, str.lower, str.upper])
def test_each_event_is_read_whole_however_its_name_is_spelled(
    name: str, inner: str, fields: dict[str, object], case: type[str]
) -> None:
    message = event(case(name), inner)

    assert isinstance(message, KINDS[name])
    assert (message.msgtype, message.event) == ("event", name)
    assert {field: getattr(message, field) for field in fields} == fields


def test_the_table_of_events_is_tested_whole() -> None:
    assert {name for name, *_ in EVENTS} == KINDS.keys()


def test_the_other_name_of_a_publication_is_the_same_event() -> None:
    message = event(
        "FREEPUBLISHJOBFINISH",
        "<PublishEventInfo><publish_id>22</publish_id></PublishEventInfo>",
    )

    assert isinstance(message, inbound.PublishJobFinish)
    assert (message.event, message.publish_id) == ("PUBLISHJOBFINISH", "22")


@pytest.mark.parametrize(
    ("event_key", "scene"),
    [
        ("<EventKey>qrscene_qrscene_x</EventKey>", "qrscene_x"),
        ("<EventKey>qrscene_123</EventKey>", "123"),
        ("<EventKey>qrscene_</EventKey>", None),
        ("<EventKey></EventKey>", None),
        ("<EventKey><![CDATA[]]></EventKey>", None),
        ("<EventKey>last_trade_no_4003</EventKey>", None),
        ("", None),
    ],
)
def test_the_scene_of_a_follow_is_what_stands_behind_the_prefix(
    event_key: str, scene: str | None
) -> None:
    message = event("subscribe", event_key)

    assert isinstance(message, inbound.Subscribe)
    assert message.scene == scene


@pytest.mark.parametrize(
    ("spelled", "canonical"),
    [
        ("user_get_card", "user_get_card"),
        ("CARD_PASS_CHECK", "card_pass_check"),
        ("guide_qrcode_scan_event", "guide_qrcode_scan_event"),
        ("Add_Guide_Buyer_Relation_Event", "add_guide_buyer_relation_event"),
        ("wificonnected", "WifiConnected"),
        ("enter", "ENTER"),
        ("user_scan_product_enter_session", "user_scan_product_enter_session"),
        ("wxa_media_check", "wxa_media_check"),
    ],
)
def test_events_of_no_use_here_are_other_events_by_name(spelled: str, canonical: str) -> None:
    message = event(spelled, "<CardId>c</CardId><UserCardCode>1</UserCardCode>")

    assert isinstance(message, inbound.OtherEvent)
    assert message.event == canonical
    assert (message.card_id, message.user_card_code) == ("c", "1")


@pytest.mark.parametrize("name", ["from_the_future", ""])
def test_an_unknown_event_is_kept_raw(name: str) -> None:
    message = event(name, "<What>w</What>")

    assert isinstance(message, inbound.UnknownEvent)
    assert message.event == name
    assert message.payload["What"] == "w"


def _json(listed: str, event: str = "subscribe_msg_popup_event") -> inbound.Inbound:
    return inbound.parse(
        f'{{"FromUserName":"{OPENID}","CreateTime":"1","MsgType":"event","Event":"{event}",{listed}}}',
        Format.JSON,
    )


ONE = '{"TemplateId":"A","SubscribeStatusString":"accept","PopupScene":2}'
WRAPPERS = ["SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "subscribemsgpopupevent"]


@pytest.mark.parametrize("listed", [f'"List":{ONE}', f'"List":[{ONE}]', f'"list":[{ONE}]'])
@pytest.mark.parametrize("name", ["subscribe_msg_popup_event", "subscribe_msg_change_event"])
def test_one_item_and_a_list_of_one_read_the_same_in_json(listed: str, name: str) -> None:
    message = _json(listed, name)

    assert isinstance(message, inbound.ConsentEvent)
    assert message.items == CONSENT["items"]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_either_wrapper_of_a_change_event_is_read(wrapper: str) -> None:
    message = event("subscribe_msg_change_event", f"<{wrapper}>{CONSENT_XML}</{wrapper}>")

    assert isinstance(message, inbound.SubscribeMsgChange)
    assert message.items == CONSENT["items"]


def test_many_items_keep_their_order() -> None:
    message = _json(f'"List":[{ONE},{ONE.replace("A", "B")},"junk"]')

    assert isinstance(message, inbound.SubscribeMsgPopup)
    assert [item.template_id for item in message.items] == ["A", "B"]


@pytest.mark.parametrize("listed", ['"List":[]', '"List":null', '"List":""', '"Else":1'])
def test_no_items_are_an_empty_tuple(listed: str) -> None:
    message = _json(listed)

    assert isinstance(message, inbound.SubscribeMsgPopup)
    assert message.items == ()


@pytest.mark.parametrize(("name", "named"), [("user_get_card", True), ("poi_check_notify", False)])
def test_of_the_other_events_those_of_users_name_a_person(name: str, named: bool) -> None:
    assert names_a_person(event(name)) == named


@pytest.mark.parametrize("sender", ["", "<FromUserName> </FromUserName>"])
@pytest.mark.parametrize("name", ["minigame_coin_deliver_completed", "subscribe", "user_get_card"])
def test_an_event_without_a_sender_is_of_nobody(name: str, sender: str) -> None:
    text = f"<xml>{sender}<CreateTime>1</CreateTime><Event>{name}</Event><A>a</A></xml>"
    message = inbound.parse(text, Format.XML)

    assert isinstance(message, inbound.UnknownEvent)
    assert (message.event, message.from_user, message.to_user) == (name, "", "")
    assert not names_a_person(message)
    assert message.payload["A"] == "a"


def test_a_privacy_event_without_a_sender_names_its_person_all_the_same() -> None:
    text = (
        "<xml><CreateTime>1</CreateTime><MsgType>event</MsgType>"
        "<Event>user_authorization_revoke</Event><OpenID>oP</OpenID></xml>"
    )
    assert inbound.subject_openid(inbound.parse(text, Format.XML)) == "oP"


@pytest.mark.parametrize(
    ("openids", "named"),
    [(["oA", "oA"], "oA"), (["", "oA"], "oA"), (["oA", "oB"], None), (["o" * 129], None)],
)
def test_a_privacy_event_that_names_two_people_names_nobody(
    openids: list[str], named: str | None
) -> None:
    elements = "".join(f"<OpenID>{openid}</OpenID>" for openid in openids)
    message = event("user_authorization_cancellation", elements)

    assert isinstance(message, inbound.UserAuthorizationCancellation)
    assert message.openid == named


@pytest.mark.parametrize(
    "doubled",
    [
        "<SubscribeMsgPopupEvent>{0}</SubscribeMsgPopupEvent>"
        "<subscribemsgpopupevent>{1}</subscribemsgpopupevent>",
        "<SubscribeMsgPopupEvent>{0}</SubscribeMsgPopupEvent>"
        "<SubscribeMsgPopupEvent>{1}</SubscribeMsgPopupEvent>",
        "<List>{0}</List><LIST>{1}</LIST>",
    ],
)
def test_items_of_a_repeated_wrapper_are_all_read(doubled: str) -> None:
    listed = [f"<TemplateId>{name}</TemplateId>" for name in "AB"]
    if "Popup" in doubled:
        listed = [f"<List>{item}</List>" for item in listed]
    message = event("subscribe_msg_popup_event", doubled.format(*listed))

    assert isinstance(message, inbound.SubscribeMsgPopup)
    assert [item.template_id for item in message.items] == ["A", "B"]


def test_items_of_a_repeated_json_list_are_all_read() -> None:
    message = _json(f'"List":[{ONE}],"List":[{ONE.replace("A", "B")}]')

    assert isinstance(message, inbound.SubscribeMsgPopup)
    assert [item.template_id for item in message.items] == ["A", "B"]


def test_the_subject_of_a_privacy_event_is_the_openid_it_names() -> None:
    assert inbound.subject_openid(event("user_info_modified", "<openid>oP</openid>")) == "oP"
    assert inbound.subject_openid(event("user_info_modified")) == OPENID


def test_the_subject_of_everything_else_is_the_sender() -> None:
    assert inbound.subject_openid(event("subscribe", "<OpenID>oP</OpenID>")) == OPENID
    assert inbound.subject_openid(pushed("<MsgType>text</MsgType>")) == OPENID
