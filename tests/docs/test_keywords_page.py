"""The page about keywords prints every pair that is tried, as it is tried."""

import httpx
import pytest

from tests.docs.pages import LANGUAGES, page
from tests.rules.makers import APPID, as_posted
from tools.print_text_pairs import table_of, text_pairs

GROUPS = dict.fromkeys(pair.group for pair in text_pairs())


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_table_of_the_page_is_the_one_that_the_tests_read(language: str) -> None:
    text = page(language, "keywords.md")

    for group in GROUPS:
        assert f"\n\n{table_of(language, group)}\n" in text, group
    assert text.count("\n|---") == len(GROUPS)


async def test_each_pair_fits_when_it_is_imported_and_explained_over_http(
    client: httpx.AsyncClient,
) -> None:
    reply = {"msgtype": "text", "via": "passive", "content": "a"}
    for pair in text_pairs():
        rule = as_posted(name="Only", trigger=pair.trigger, replies=[reply])
        answer = await client.post("/api/rules/import", json={"rules": [rule]})
        assert answer.status_code == 200, answer.text

        question = {"appid": APPID, "text": pair.text}
        explained = (await client.post("/api/rules/explain", json=question)).json()

        assert bool(explained["winners"]) == pair.fits, pair
