"""Places the mini-program of a link in an article, and finds the account of a draft. Pure."""

from collections.abc import Mapping

from app.articles.markup import ArticleForm, Placement, forms_of, markup
from app.articles.schemas import (
    MAX_CARD_TITLE,
    MAX_CONTENT,
    MAX_LINK_TEXT,
    ArticleDraftIn,
    ArticleMarkupOut,
    ArticlePlacement,
)
from app.articles.target import article_target
from app.links.models import Link
from app.settings import Account
from app.wechat.ids import AppId


class BadArticle(ValueError):
    """WeChat would refuse the article. field: which member is wrong. The text says what to do."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field


def place(link: Link, wanted: ArticlePlacement) -> Placement:
    """Return the placement with what is left out taken from the link. Raises BadTarget."""
    return Placement(
        article_target(link, wanted.mark),
        wanted.title or link.name[:MAX_CARD_TITLE],
        wanted.text or link.name[:MAX_LINK_TEXT],
        wanted.image_url,
    )


def markup_out(placement: Placement) -> ArticleMarkupOut:
    """Return the HTML of each possible form."""
    html = {form: markup(form, placement) for form in forms_of(placement)}
    return ArticleMarkupOut(
        ref=placement.target.ref,
        path=placement.target.path,
        card=html.get(ArticleForm.CARD),
        image=html.get(ArticleForm.IMAGE),
        text=html[ArticleForm.TEXT],
    )


def contents_of(article: ArticleDraftIn, placement: Placement) -> dict[ArticleForm, str]:
    """Return the content in each possible form, the best one first. Raises BadArticle."""
    contents = {form: article.content_with(markup(form, placement)) for form in forms_of(placement)}
    longest = max(map(len, contents.values()))
    if longest > MAX_CONTENT:
        raise BadArticle(
            "content",
            f"has {longest:,} characters with the mini-program: shorten it to {MAX_CONTENT:,}",
        )
    return contents


def drafting_account(appid: str | None, accounts: Mapping[str, Account]) -> AppId:
    """Return the Official Account that gets the draft. Raises BadArticle."""
    able = [
        AppId(account.appid)
        for account in accounts.values()
        if account.kind == "oa" and account.appsecret is not None
    ]
    if appid is None and len(able) == 1:
        return able[0]
    if appid in able:
        return AppId(appid)
    choice = f"choose one of {', '.join(able)}" if able else "set the AppSecret of one"
    raise BadArticle("appid", f"must name an Official Account with an AppSecret: {choice}")
