"""The operating page lists what the code logs, counts, refuses and looks at."""

import re

import pytest

from app.callback.router import DEADLINE_SECONDS
from app.ops.readiness import QUEUE_AGE_LIMIT_SECONDS, Parts
from tests.docs.code import log_events, metrics, refusals
from tests.docs.pages import LANGUAGES, ROOT, named, page, rows, section

LOGS = {"en": "## Logs", "zh": "## 日志"}
METRICS = {"en": "## Metrics", "zh": "## 指标"}
HEALTH = {"en": "## Health and readiness", "zh": "## 存活与就绪"}
REFUSALS = {"en": "### Callbacks are refused", "zh": "### 回调被拒绝"}
# Decided anew within the request, and so never told.
NEVER_TOLD = {"beaten"}

HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ANCHOR = re.compile(r"\]\((?:(\w+)\.md)?#([^)]+)\)")
FENCE = re.compile(r"```.*?```", re.DOTALL)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_log_event_is_listed_with_its_level_and_fields(language: str) -> None:
    listed = {
        named(cells[0])[0]: (cells[1], frozenset(named(cells[2])))
        for cells in rows(page(language, "operating.md"), beside=LOGS[language])
        if named(cells[0])
    }

    assert listed == log_events()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_metric_is_listed_with_its_type_and_labels(language: str) -> None:
    listed = {
        named(cells[0])[0]: (cells[1], tuple(named(cells[2])))
        for cells in rows(page(language, "operating.md"), beside=METRICS[language])
        if named(cells[0])
    }

    assert listed == metrics()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_metric_that_the_text_names_is_one(language: str) -> None:
    mentioned = set(re.findall(r"oa_bridge_\w+[a-z]", page(language, "operating.md")))

    assert mentioned - {"oa_bridge_restored", "oa_bridge_app"} == metrics().keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_a_refusal_is_listed(language: str) -> None:
    table = rows(page(language, "operating.md"), beside=REFUSALS[language])
    listed = [reason for cells in table for reason in named(cells[0])]

    assert sorted(listed) == sorted(refusals() - NEVER_TOLD)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_of_readiness_is_listed(language: str) -> None:
    table = rows(page(language, "operating.md"), beside=HEALTH[language])
    listed = [named(cells[0])[0] for cells in table if named(cells[0])]

    assert listed == list(Parts.model_fields)


@pytest.mark.parametrize("language", LANGUAGES)
def test_limits_in_the_text_are_those_of_the_code(language: str) -> None:
    text = page(language, "operating.md")
    within = {"en": f"not stored within {DEADLINE_SECONDS:g} seconds", "zh": "4 秒内未能保存"}

    assert within[language] in text
    assert str(QUEUE_AGE_LIMIT_SECONDS) in section(text, HEALTH[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pauses_between_attempts_to_send_are_those_of_the_code(language: str) -> None:
    source = "".join(path.read_text() for path in sorted((ROOT / "app/replies").glob("*.py")))
    (pauses,) = re.findall(r"^BACKOFF_SECONDS = \(([\d., ]+)\)$", source, re.MULTILINE)
    *first, last = (f"{float(pause):g}" for pause in pauses.split(","))
    told = {
        "en": f"after {', '.join(first)} and then every {last} seconds",
        "zh": f"在 {'、'.join(first)} 秒后，此后每 {last} 秒重试",
    }

    assert told[language] in page(language, "operating.md")


@pytest.mark.parametrize("name", ["operating", "settings", "performance"])
def test_both_languages_have_the_same_sections_rows_and_commands(name: str) -> None:
    english, chinese = page("en", f"{name}.md"), page("zh", f"{name}.md")

    assert shape(english) == shape(chinese)
    for one, other in zip(rows(english), rows(chinese), strict=True):
        assert len(one) == len(other), one
    for one, other in zip(FENCE.findall(english), FENCE.findall(chinese), strict=True):
        assert without_comments(one) == without_comments(other)


def shape(text: str) -> list[str]:
    """Return the levels of the headings, in order."""
    return [line.split(" ")[0] for line in FENCE.sub("", text).splitlines() if line[:1] == "#"]


def without_comments(commands: str) -> str:
    return re.sub(r" +#.*", "", commands)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["operating", "settings", "performance"])
def test_links_to_a_heading_lead_to_one(language: str, name: str) -> None:
    for other, anchor in ANCHOR.findall(page(language, f"{name}.md")):
        headings = HEADING.findall(FENCE.sub("", page(language, f"{other or name}.md")))
        assert anchor in {slug(heading) for heading in headings}, anchor


def slug(heading: str) -> str:
    """Return the anchor that a heading gets: lower case, blanks as hyphens, no punctuation."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
