"""What RETENTION_DAYS does to each table that names people, so that no new one is overlooked."""

from pathlib import Path
from typing import Final

import pytest

from tests.test_table_owners import TABLES

ROOT: Final = Path(__file__).parents[2]
PERSONS: Final = {"openid", "unionid", "person", "recipient", "old_unionid", "new_unionid"}
# By table, the test that shows how its contents, or the people in it, go when they are old.
CLEARED: Final = {
    "arrivals": "arrivals/test_erase.py::test_old_pages_are_cleared_and_keep_their_door",
    "callbacks": "privacy/test_retention.py::"
    "test_messages_and_answers_go_after_thirty_days_and_their_rows_stay",
    "campaign_codes": "campaigns/test_router.py::"
    "test_long_after_its_end_a_campaign_knows_nobody_and_can_not_go_on",
    "invitations": "campaigns/test_invitations.py::"
    "test_after_the_end_codes_are_not_renewed_and_name_nobody",
    "invited": "campaigns/test_invitations.py::"
    "test_after_the_end_codes_are_not_renewed_and_name_nobody",
    "notices": "notices/test_erase.py::test_old_contents_go_and_figures_stay",
    "replies": "privacy/test_retention.py::"
    "test_messages_and_answers_go_after_thirty_days_and_their_rows_stay",
    "tag_run_people": "tags/test_erase.py::test_whom_wechat_refused_is_forgotten_when_it_is_old",
}
# They hold ids and times, and nothing that a follower wrote or was sent: the figures of any days,
# zone and window are made of them. The last five are deleted as soon as they are used.
STAYS: Final = {
    *("cohort_members", "consents", "follow_events", "follower_tags", "followers"),
    *("funnel_touches", "identity_events", "notice_consents", "openids", "subscription_events"),
    "follower_remarks",
    *("unionid_changes", "counted_follow_events", "counted_hows", "follower_marks"),
    *("rule_firings", "send_windows"),
}
# What the rows that stay for good say of a person; a new column has to be thought about.
COLUMNS: Final = {
    "funnel_touches": {
        *("id", "source", "appid", "person", "at", "doors", "matched", "followed", "sent"),
        *("opened_after", "converted_after", "opened_exact", "converted_exact", "campaigns_taken"),
    },
    "cohort_members": {
        *("id", "appid", "openid", "scene", "followed_at"),
        *("left_after", "wrote_after", "arrived_after", "converted_after"),
    },
}


def test_it_is_decided_for_each_table_that_names_people_what_goes_when() -> None:
    assert {name for name, columns in TABLES.items() if columns & PERSONS} == CLEARED.keys() | STAYS


@pytest.mark.parametrize("table", sorted(CLEARED))
def test_a_test_shows_it(table: str) -> None:
    path, _, name = CLEARED[table].partition("::")
    assert f"async def {name}(" in (ROOT / "tests" / path).read_text()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_of_personal_data_says_it_of_each(language: str) -> None:
    page = (ROOT / "docs" / language / "personal-data.md").read_text()
    stored = page.split("\n## ")[1]

    assert [table for table in (*CLEARED, *STAYS) if f"`{table}`" not in stored] == []


@pytest.mark.parametrize("table", sorted(COLUMNS))
def test_what_stays_for_the_figures_holds_no_content(table: str) -> None:
    assert TABLES[table] == COLUMNS[table]
