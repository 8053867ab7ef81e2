"""RuleSet and the slow matcher agree on random rule sets, messages, facts and times."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.matching.follower_facts import Facts
from app.rules.matching.rule_set import Rule, compile_rules
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound
from tests.rules.makers import (
    APPID,
    NOON,
    OTHER_APPID,
    click,
    follow,
    happening,
    image,
    place,
    rule,
    scan,
    sticker,
    text,
    text_rule,
    unfollow,
    view,
    voice,
)
from tests.rules.matching.reference import seen, slow_choice

# Few letters, so that keywords overlap, repeat and hit; ß and ﬁ grow when letter case is folded,
# Ａ is A written wide, and ！ and # are punctuation while + is none.
# The last ones cannot be seen; the joiner can, between two emojis.
LETTERS = "aAbßＡ商城ﬁ🎉 ！#+～❤\ufe0f\u200b\u202c\u200d"
WORDS = st.text(LETTERS, min_size=1, max_size=5).filter(lambda word: seen(word).strip())
# Without \b: RE2's knows ASCII words only, and the slow matcher's module knows all.
PIECES = (
    *["a", "B", "商", "城", ".", "[ab]", "[^]a]", "[^商]", "a*", "^", "(a|商)", "(?:城B)?"],
    *["a?", "商{2}", "城{0,1}", "B{0}", "a+", r"\+", "a|", "(?:a商)+", "❤\ufe0f", "❤", "$"],
    *["\u200b", "\ufeff", "❤\u200d🎉"],
)
PATTERNS = st.lists(st.sampled_from(PIECES), min_size=1).map("".join).filter(seen)
SCENES = st.sampled_from(["s", "S", "st", "t"])
ACCOUNTS = st.sampled_from([None, APPID, OTHER_APPID])
IDS = st.integers(1, 99)
PRIORITIES = st.integers(1, 3)
FLAGS = st.booleans()
AGES = st.sampled_from([0, 59, 60, 61, 3600])


def with_flags(trigger: dict[str, Any], negated: bool, raw: bool, heard: bool) -> dict[str, Any]:
    return trigger | {"not": negated, "raw": raw, "voice": heard}


TEXTS = st.builds(
    with_flags,
    st.one_of(
        st.fixed_dictionaries(
            {
                "on": st.just("text"),
                "match": st.sampled_from(["exact", "prefix", "suffix", "contains"]),
                "keyword": WORDS,
            }
        ),
        st.fixed_dictionaries(
            {
                "on": st.just("text"),
                "match": st.sampled_from(["all", "any"]),
                "keywords": st.lists(WORDS, min_size=1, max_size=3),
            }
        ),
        st.fixed_dictionaries(
            {"on": st.just("text"), "match": st.just("regex"), "keyword": PATTERNS}
        ),
    ),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([False, False, True]),
    FLAGS,
)
RESULTS = st.fixed_dictionaries(
    {"on": st.just("subscribe_msg")},
    optional={
        "template": st.sampled_from(["T1", "T2"]),
        "status": st.sampled_from(["accept", "reject", "ban", "sent", "failed"]),
    },
)
EVENTS = st.one_of(
    st.sampled_from(["subscribe", "view", "view_miniprogram", "unsubscribe"]).map(
        lambda on: {"on": on}
    ),
    st.builds(
        lambda on, name, key: {"on": on, name: key},
        st.sampled_from(["subscribe", "scan"]),
        st.sampled_from(["scene", "scene_prefix"]),
        SCENES,
    ),
    st.builds(
        lambda name, key: {"on": "view", name: key}, st.sampled_from(["url", "url_prefix"]), SCENES
    ),
    SCENES.map(lambda key: {"on": "click", "key": key}),
    SCENES.map(lambda key: {"on": "msgmenu", "id": key}),
    st.just({"on": "unsupported"}),
    RESULTS,
    st.builds(
        lambda north, radius: {
            "on": "location",
            "latitude": north,
            "longitude": 121.0,
            "radius_metres": radius,
        },
        st.sampled_from([31.0, 31.5, -31.0]),
        st.sampled_from([10, 60_000, 1_000_000]),
    ),
    st.sampled_from(["new_event", "NEW_Event", "kf_create_session", "msgmenu", "unsupported"]).map(
        lambda name: {"on": "event", "name": name}
    ),
    st.just({"on": "fallback"}),
)
HOURS = st.builds(
    lambda start, end, days: {"start": start, "end": end, **days},
    st.sampled_from(["00:00", "09:00", "22:30"]),
    st.sampled_from(["08:59", "20:00", "23:59", "24:00"]),
    st.sampled_from([{}, {"days": [2]}, {"days": [1, 3, 7], "tz": "America/New_York"}]),
)
MOMENTS = st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours, minutes=hours))
CONDITIONS = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "from": st.just(NOON.isoformat()),
        "until": st.just((NOON + timedelta(hours=1)).isoformat()),
        "hours": HOURS,
        "follower": st.fixed_dictionaries(
            {},
            optional={
                "state": st.sampled_from(["following", "not_following"]),
                "min_age_seconds": st.sampled_from([0, 60]),
                "max_age_seconds": st.sampled_from([60, 3600]),
            },
        ),
        "unionid": st.sampled_from(["known", "unknown"]),
        "cooldown_seconds": st.sampled_from([1, 60]),
        "share": st.fixed_dictionaries(
            {"percent": st.sampled_from([0.01, 12.29, 50, 75.5, 100])},
            optional={"salt": st.sampled_from(["s", "t", "盐"])},
        ),
    },
)


def made(
    trigger: dict[str, Any],
    rule_id: int,
    appid: str | None,
    priority: int,
    conditions: dict[str, Any] | None,
) -> Rule:
    return rule(rule_id, appid=appid, priority=priority, conditions=conditions, **trigger)


RULES = st.lists(
    st.builds(made, TEXTS | EVENTS, IDS, ACCOUNTS, PRIORITIES, CONDITIONS),
    max_size=14,
    unique_by=lambda rule: rule.id,
)
TEXT_RULES = st.lists(
    st.builds(made, TEXTS, IDS, ACCOUNTS, PRIORITIES, st.none()),
    max_size=80,
    unique_by=lambda rule: rule.id,
)
ENDED_RULES = st.lists(
    st.builds(
        lambda rule_id, start, middle, end, negated: text_rule(
            rule_id, "regex", f"{start}{middle}{end}", **{"not": negated}
        ),
        IDS,
        st.sampled_from(["^", "^a", "^!", "a", ""]),
        st.sampled_from([".*", "a", "商", "[^。]+", "(?:a商)?"]),
        st.sampled_from(["$", "a$", "!$", "商"]),
        FLAGS,
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda rule: rule.id,
)
RESULT_RULES = st.lists(
    st.builds(made, RESULTS, IDS, st.none(), PRIORITIES, st.none()),
    min_size=1,
    max_size=8,
    unique_by=lambda rule: rule.id,
)
CONTENTS = st.text(LETTERS + "\n", max_size=12)
TOLD_RESULTS = st.one_of(
    st.lists(
        st.builds(
            lambda template, status: {"TemplateId": template, "SubscribeStatusString": status},
            st.sampled_from(["T1", "T2"]),
            st.sampled_from(["accept", "reject"]),
        ),
        max_size=2,
    ).map(lambda told: happening("subscribe_msg_popup_event", List=told)),
    st.lists(
        st.builds(
            lambda template, code: {"TemplateId": template, "MsgID": "1", "ErrorCode": code},
            st.sampled_from(["T1", "T2"]),
            st.sampled_from(["0", "43101"]),
        ),
        max_size=2,
    ).map(lambda told: happening("subscribe_msg_sent_event", List=told)),
)
MESSAGES: st.SearchStrategy[Inbound] = st.one_of(
    CONTENTS.map(text),
    CONTENTS.map(voice),
    st.builds(lambda content, key: text(content, bizmsgmenuid=key), CONTENTS, SCENES),
    st.just(image()),
    st.just(sticker()),
    st.none().map(lambda _: follow()),
    st.none().map(lambda _: unfollow()),
    SCENES.map(follow),
    SCENES.map(scan),
    SCENES.map(click),
    SCENES.map(view),
    st.sampled_from([31.0, 31.3, -31.1]).map(lambda north: place(north, 121.2)),
    st.sampled_from(["NEW_event", "kf_create_session", "view_miniprogram"]).map(happening),
    TOLD_RESULTS,
)
FACTS = st.none() | st.builds(
    Facts,
    following=st.sampled_from([None, True, False]),
    followed_at=st.none() | AGES.map(lambda age: NOON - timedelta(seconds=age)),
    unionid_known=FLAGS,
    fired=st.dictionaries(IDS, AGES.map(lambda age: NOON - timedelta(seconds=age)), max_size=20),
)


@settings(max_examples=400)
@given(RULES, st.sampled_from([APPID, OTHER_APPID]), MESSAGES, FACTS, MOMENTS, st.integers(1, 4))
def test_the_engine_chooses_what_the_slow_matcher_chooses(
    rules: list[Rule],
    appid: str,
    message: Inbound,
    facts: Facts | None,
    now: datetime,
    most: int,
) -> None:
    chosen = compile_rules(rules, 1, most).choose(AppId(appid), message, facts, now)

    wanted = slow_choice(rules, appid, message, facts, now, most)
    assert [answer.rule.id for answer in chosen] == wanted


@given(TEXT_RULES, CONTENTS.map(text), st.integers(1, 4))
def test_many_text_rules_are_chosen_from_as_by_the_slow_matcher(
    rules: list[Rule], message: Inbound, most: int
) -> None:
    chosen = compile_rules(rules, 1, most).choose(AppId(APPID), message, None, NOON)

    wanted = slow_choice(rules, APPID, message, None, NOON, most)
    assert [answer.rule.id for answer in chosen] == wanted


@given(ENDED_RULES, st.text("aA商 ！。～+", max_size=5).map(text))
def test_patterns_at_the_ends_of_a_text_are_chosen_from_as_by_the_slow_matcher(
    rules: list[Rule], message: Inbound
) -> None:
    chosen = compile_rules(rules, 1, len(rules)).choose(AppId(APPID), message, None, NOON)

    wanted = slow_choice(rules, APPID, message, None, NOON, len(rules))
    assert [answer.rule.id for answer in chosen] == wanted


@given(RESULT_RULES, TOLD_RESULTS)
def test_results_are_chosen_for_as_by_the_slow_matcher(rules: list[Rule], message: Inbound) -> None:
    chosen = compile_rules(rules, 1, len(rules)).choose(AppId(APPID), message, None, NOON)

    wanted = slow_choice(rules, APPID, message, None, NOON, len(rules))
    assert [answer.rule.id for answer in chosen] == wanted


@given(TEXT_RULES, MESSAGES)
def test_the_order_in_which_rules_are_read_changes_nothing(
    rules: list[Rule], message: Inbound
) -> None:
    forwards, backwards = compile_rules(rules, 1), compile_rules(reversed(rules), 1)

    assert forwards.choose(AppId(APPID), message, None, NOON) == backwards.choose(
        AppId(APPID), message, None, NOON
    )
