"""The HTML that opens a mini-program in an article. Pure. Source: linkage 12.2."""

from dataclasses import dataclass
from enum import StrEnum
from html import escape

from app.articles.target import ArticleTarget


class ArticleForm(StrEnum):
    """How a mini-program stands in an article, in the order in which WeChat is asked.

    Which ones WeChat takes is not documented: it may refuse a card where it takes a link.
    """

    CARD = "card"
    IMAGE = "image"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Placement:
    """A mini-program in an article.

    title: of the card. text: of the text link. image_url: of the card and of the image link, on
    WeChat's platform; None: there is a text link alone.
    """

    target: ArticleTarget
    title: str
    text: str
    image_url: str | None


def forms_of(placement: Placement) -> tuple[ArticleForm, ...]:
    """Return the possible forms, the best one first."""
    return (ArticleForm.TEXT,) if placement.image_url is None else tuple(ArticleForm)


def markup(form: ArticleForm, placement: Placement) -> str:
    """Return the HTML of one of the forms that `forms_of` returns."""
    image = placement.image_url or ""
    if form is ArticleForm.CARD:
        return _card(placement.target, placement.title, image)
    if form is ArticleForm.IMAGE:
        return _link(placement.target, f'<img src="{escape(image)}">')
    return _link(placement.target, escape(placement.text))


def _card(target: ArticleTarget, title: str, image_url: str) -> str:
    return (
        f"<mp-common-miniprogram {_page(target)}"
        f' data-miniprogram-title="{escape(title)}"'
        f' data-miniprogram-imageurl="{escape(image_url)}"'
        ' data-miniprogram-type="card"></mp-common-miniprogram>'
    )


def _link(target: ArticleTarget, content: str) -> str:
    return f'<a {_page(target)} href="">{content}</a>'


def _page(target: ArticleTarget) -> str:
    return (
        f'data-miniprogram-appid="{escape(target.appid)}"'
        f' data-miniprogram-path="{escape(target.path)}"'
    )
