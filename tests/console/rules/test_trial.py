"""The test box, the comparison with stored messages, and pictures."""

import re
from io import BytesIO

import pytest
from PIL import Image

from app.access.roles import Role
from app.console.rules import try_page
from tests.console.operator import FROM_A_PAGE, Operator, signed_in
from tests.console.rules.makers import Form
from tests.service import JPEG, Service, event, message, text_reply


async def test_the_box_names_the_winner_and_why_others_lost(
    service: Service, owner: Operator
) -> None:
    await service.add_rule(text_reply("here it is"), name="Winner", priority=300)
    await service.add_rule(text_reply(), name="Loser", priority=200)

    part = (await owner.get_part("/rules/try", text="shop")).text

    assert "Winner" in part
    assert "here it is" in part
    assert "has the higher priority: 300, not 200" in part


async def test_the_box_speaks_the_operators_language(service: Service) -> None:
    await service.add_rule(text_reply(), name="A", priority=300)
    await service.add_rule(text_reply(), name="B", priority=200)
    async with signed_in(service, Role.VIEWER, language="zh") as viewer:
        part = (await viewer.get_part("/rules/try", text="shop")).text

    assert "优先级更高：300，而不是 200" in part


@pytest.mark.parametrize(
    ("trigger", "asked"),
    [
        ({"on": "subscribe", "scene": "s1"}, {"ask": "subscribe", "text": "s1"}),
        ({"on": "scan", "scene": "s1"}, {"ask": "scan", "text": "s1"}),
        ({"on": "click", "key": "K"}, {"ask": "click", "text": "K"}),
        ({"on": "view", "url": "https://a.b"}, {"ask": "view", "text": "https://a.b"}),
        ({"on": "unsupported"}, {"ask": "unsupported"}),
        ({"on": "fallback"}, {"ask": "image"}),
        (
            {"on": "event", "name": "kf_create_session"},
            {"ask": "event", "text": "kf_create_session"},
        ),
        (
            {"on": "location", "latitude": 31, "longitude": 121, "radius_metres": 100},
            {"ask": "location", "text": "31, 121"},
        ),
    ],
)
async def test_the_box_asks_as_a_follower_would(
    service: Service, owner: Operator, trigger: dict[str, object], asked: dict[str, str]
) -> None:
    await service.add_rule(text_reply(), name="The-one", trigger=trigger)

    part = (await owner.get_part("/rules/try", **asked)).text

    assert "The-one" in part
    assert "answers" in part


async def test_the_box_judges_the_rule_as_edited(service: Service, owner: Operator) -> None:
    rule_id = await service.add_rule(text_reply("old"), name="Mine")
    form = Form((await owner.get(f"/rules/{rule_id}")).text).values
    form |= {"trigger.keyword": "hello", "replies.0.content": "new words"}

    edited = (await owner.post("/rules/try", form | {"try.text": "hello"})).text
    unedited = (await owner.get("/rules/try", text="hello")).text
    broken = (await owner.post("/rules/try", form | {"try.text": "shop", "priority": "x"})).text

    assert "This rule answers" in edited
    assert "new words" in edited
    assert "No rule answers" in unedited
    assert "Faults: 1" in broken


async def test_only_what_is_typed_asks_the_box(owner: Operator) -> None:
    page = (await owner.get("/rules/new")).text

    # When the button of the replay takes the focus, the field that loses it tells of a change: its
    # question would take the place of the result.
    assert 'hx-trigger="input delay:200ms from:#rule-form"' in page


async def test_what_the_edited_rule_would_have_answered(service: Service, owner: Operator) -> None:
    rule_id = await service.add_rule(text_reply(), name="Mine")
    for text in ("shop", "hello", "hello", "other"):
        await service.push(message(service.clock, text))
    await service.push(event(service.clock, "CLICK", EventKey="K"))
    form = Form((await owner.get(f"/rules/{rule_id}")).text).values | {"trigger.keyword": "hello"}

    changed = (await owner.post("/rules/replay", form)).text
    async with signed_in(service, Role.VIEWER, name="V") as viewer:
        masked = (await viewer.post("/rules/replay", form)).text

    assert "3 answers of the last 5 messages and events change." in changed
    assert "This rule would have answered 2." in changed
    assert "hello" in changed.split("<tbody>")[1]
    assert "hello" not in masked.split("<tbody>")[1]
    assert re.search(r'hx-post="/console/messages/[0-9a-f-]{36}/text"', masked)


async def test_near_misses_are_looked_for_among_the_best_rules_and_the_edited_one(
    service: Service, owner: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(try_page, "MAX_COMPARED", 1)
    for name, priority in (("Best", 300), ("Next", 200), ("Last", 100)):
        trigger = {"on": "text", "match": "exact", "keyword": "shop"}
        last = await service.add_rule(text_reply(), name=name, priority=priority, trigger=trigger)
    served = (await owner.get_part("/rules/try", text="the shop")).text
    form = Form((await owner.get(f"/rules/{last}")).text).values
    edited = (await owner.post("/rules/try", form | {"try.text": "the shop"})).text

    assert "Best" in served
    assert "Next" not in served
    assert "among the best 1." in served
    assert "This rule: the text says more than its keyword" in re.sub("<[^>]*>", "", edited)


async def test_a_picture_is_taken_in_under_a_safe_name_and_shown(
    service: Service, owner: Operator
) -> None:
    form = Form((await owner.get("/rules/new", reply="miniprogrampage")).text).values
    sent = await owner.http.post(
        "/console/rules/edit",
        data=form | {"action": "upload:replies.0.thumb"},
        files={"upload.replies.0.thumb": ("../../Étagère 店.JPG.php", JPEG, "text/html")},
        headers=FROM_A_PAGE,
    )
    name = Form(sent.text).values["replies.0.thumb.file"]
    shown = await owner.get(f"/rules/pictures/{name}")

    assert name.endswith(".jpg")
    assert name.isascii()
    assert "/" not in name
    assert (service.settings.media_path / name).read_bytes() == JPEG
    assert (shown.headers["content-type"], shown.content) == ("image/jpeg", JPEG)


async def test_a_picture_is_kept_as_wechat_takes_it(service: Service, owner: Operator) -> None:
    picture = BytesIO()
    Image.effect_noise((1200, 900), 100).save(picture, "WEBP")
    form = Form((await owner.get("/rules/new", reply="miniprogrampage")).text).values
    sent = await owner.http.post(
        "/console/rules/edit",
        data=form | {"action": "upload:replies.0.thumb"},
        files={"upload.replies.0.thumb": ("shop.webp", picture.getvalue(), "image/webp")},
        headers=FROM_A_PAGE,
    )
    name = Form(sent.text).values["replies.0.thumb.file"]

    assert name.endswith(".jpg")
    with Image.open(service.settings.media_path / name) as kept:
        assert (kept.format, kept.size) == ("JPEG", (1200, 900))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg onload=alert(1)>", "is not a JPEG, PNG, GIF, WebP or BMP file"),
        (JPEG[:20], "is cut off"),
        (JPEG + b"x" * (10 * 1024 * 1024), "make it smaller"),
    ],
)
async def test_what_is_no_picture_is_refused(
    service: Service, owner: Operator, content: bytes, words: str
) -> None:
    form = Form((await owner.get("/rules/new", reply="miniprogrampage")).text).values
    before = sorted(service.settings.media_path.iterdir())
    sent = await owner.http.post(
        "/console/rules/edit",
        data=form | {"action": "upload:replies.0.thumb"},
        files={"upload.replies.0.thumb": ("a.jpg", content, "image/jpeg")},
        headers=FROM_A_PAGE,
    )

    assert words in sent.text
    assert sorted(service.settings.media_path.iterdir()) == before


async def test_only_pictures_of_the_media_folder_are_shown(
    service: Service, owner: Operator
) -> None:
    folder = service.settings.media_path
    (folder / "page.jpg").write_bytes(b"<script>")
    (folder / "link.jpg").symlink_to("/etc/hostname")

    for name in ("page.jpg", "link.jpg", "none.jpg", "..%2Fx.jpg", "%00"):
        assert (await owner.get(f"/rules/pictures/{name}")).status_code == 404
