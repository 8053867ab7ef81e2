"""The engine against a slow, obvious matcher, over random rule sets and messages."""

import re

from hypothesis import given
from hypothesis import strategies as st

from app.rules.engine import Rule, compile_rules
from app.rules.triggers import TextTrigger
from app.wechat import inbound
from app.wechat.ids import AppId
from app.wechat.inbound import Inbound
from tests.rules.makers import APPID, OTHER_APPID, click, follow, image, rule, scan, text, text_rule

STRENGTH = ["exact", "prefix", "contains", "regex"]

# Few letters, so that keywords overlap, repeat and hit; ß and ﬁ grow when letter case is folded.
WORDS = st.text("aAbß商城ﬁ🎉 ", min_size=1, max_size=5).filter(lambda word: word.strip())
PATTERNS = st.lists(
    st.sampled_from(["a", "B", "商", "城", ".", "[ab]", "a*", "^"]), min_size=1
).map("".join)
SCENES = st.sampled_from(["s", "S", "t"])
ACCOUNTS = st.sampled_from([None, APPID, OTHER_APPID])
IDS = st.integers(1, 99)
PRIORITIES = st.integers(1, 3)


def events() -> st.SearchStrategy[Rule]:
    kinds = st.one_of(
        st.just({"on": "subscribe"}),
        SCENES.map(lambda scene: {"on": "subscribe", "scene": scene}),
        SCENES.map(lambda scene: {"on": "scan", "scene": scene}),
        SCENES.map(lambda key: {"on": "click", "key": key}),
        st.just({"on": "fallback"}),
    )
    return st.builds(
        lambda kind, rule_id, appid, priority: rule(
            rule_id, appid=appid, priority=priority, **kind
        ),
        kinds,
        IDS,
        ACCOUNTS,
        PRIORITIES,
    )


def texts() -> st.SearchStrategy[Rule]:
    plain = st.builds(
        text_rule, IDS, st.sampled_from(STRENGTH[:3]), WORDS, appid=ACCOUNTS, priority=PRIORITIES
    )
    patterns = st.builds(
        text_rule, IDS, st.just("regex"), PATTERNS, appid=ACCOUNTS, priority=PRIORITIES
    )
    return plain | patterns


RULES = st.lists(texts() | events(), max_size=12, unique_by=lambda rule: rule.id)
MESSAGES: st.SearchStrategy[Inbound] = st.one_of(
    st.text("aAbß商城ﬁ🎉 \n", max_size=12).map(text),
    st.just(image()),
    st.none().map(lambda _: follow()),
    SCENES.map(follow),
    SCENES.map(scan),
    SCENES.map(click),
)


def fits_text(trigger: TextTrigger, content: str) -> bool:
    typed, keyword = content.strip().casefold(), trigger.keyword.strip().casefold()
    return {
        "exact": typed == keyword,
        "prefix": typed.startswith(keyword),
        "contains": keyword in typed,
        "regex": trigger.match == "regex"
        and re.search(trigger.keyword, content.strip(), re.IGNORECASE) is not None,
    }[trigger.match]


def fits(candidate: Rule, message: Inbound) -> bool:
    trigger = candidate.trigger
    match trigger.on, message:
        case "text", inbound.Text(content=content):
            assert isinstance(trigger, TextTrigger)
            return fits_text(trigger, content)
        case "fallback", inbound.Text() | inbound.Image():
            return True
        case "subscribe", inbound.Subscribe(scene=scene):
            return getattr(trigger, "scene", None) in {None, scene}
        case "scan", inbound.Subscribe(scene=scene) | inbound.Scan(scene=scene):
            return bool(getattr(trigger, "scene", None) == scene)
        case "click", inbound.Click(event_key=key):
            return bool(getattr(trigger, "key", None) == key)
    return False


def slow_choice(rules: list[Rule], appid: str, message: Inbound) -> Rule | None:
    best = None
    for candidate in rules:
        if candidate.appid not in {None, appid} or not fits(candidate, message):
            continue
        if best is None or strength(candidate) < strength(best):
            best = candidate
    return best


def strength(candidate: Rule) -> tuple[object, ...]:
    trigger = candidate.trigger
    if isinstance(trigger, TextTrigger):
        specificity = STRENGTH.index(trigger.match)
    else:
        specificity = int(trigger.on == "subscribe" and getattr(trigger, "scene", None) is None)
    return trigger.on == "fallback", -candidate.priority, specificity, candidate.id


@given(RULES, st.sampled_from([APPID, OTHER_APPID]), MESSAGES)
def test_the_engine_chooses_what_the_slow_matcher_chooses(
    rules: list[Rule], appid: str, message: Inbound
) -> None:
    compiled = compile_rules(rules, version=1)

    assert compiled.choose(AppId(appid), message) == slow_choice(rules, appid, message)


@given(st.lists(texts(), max_size=200, unique_by=lambda rule: rule.id), MESSAGES)
def test_the_order_in_which_rules_are_read_changes_nothing(
    rules: list[Rule], message: Inbound
) -> None:
    forwards, backwards = compile_rules(rules, 1), compile_rules(reversed(rules), 1)

    assert forwards.choose(AppId(APPID), message) == backwards.choose(AppId(APPID), message)
