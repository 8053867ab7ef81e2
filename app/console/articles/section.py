"""The section of the console about articles: one page with a form, its HTML, and drafts."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form, Request, Response

from app.access import audit
from app.access.actions import Action
from app.access.audit import AuditFilter
from app.articles.draft import ArticleDrafter
from app.articles.markup import ArticleForm as MarkupForm
from app.articles.place import BadArticle, markup_out, place
from app.articles.schemas import ArticleDraftOut, ArticleMarkupOut
from app.articles.target import BadTarget
from app.console.articles.article_form import PROBLEMS, ArticleForm, WrongArticle
from app.console.language import language_of
from app.console.messages import N_, Messages
from app.console.refusal import Refusal
from app.console.render import render
from app.console.section import Section
from app.console.signed_in import Editor, Viewer
from app.console.visitor import actor_of
from app.db.engine import Database
from app.links import store
from app.links.make import LinkMaker
from app.links.models import Link
from app.settings import Settings
from app.wechat.errors import ApiError, TransportError

LINKS_SHOWN: Final = 500
DRAFTS_SHOWN: Final = 20
FORMS: Final = {
    MarkupForm.CARD: N_("a card"),
    MarkupForm.IMAGE: N_("a picture that is a link, since WeChat refuses the card (45166)"),
    MarkupForm.TEXT: N_("a text that is a link"),
}
MAYBE_DRAFTED: Final = N_(
    "WeChat did not answer in time, so the draft may exist: look at the drafts in WeChat's console "
    "before you try again."
)
BAD_LINK: Final = N_("An article can't open this link: it needs a page and room for {ref}.")

router = APIRouter()
SECTION: Final = Section("/articles", N_("Articles"), "i", router)


@router.get("")
async def show(request: Request, _visitor: Viewer) -> Response:
    """Show the form and the newest drafts."""
    return await _show(request, ArticleForm())


@router.post("/markup")
async def show_markup(
    request: Request, _visitor: Editor, form: Annotated[ArticleForm, Form()]
) -> Response:
    """Show the HTML with which an article opens a link. WeChat is not called."""
    try:
        placement = form.placement()
        link = await _link(request, form)
        return await _show(request, form, markup=markup_out(place(link, placement)))
    except WrongArticle as wrong:
        return await _show(request, form, problems=wrong.problems)
    except BadTarget:
        return await _show(request, form, problems={"link": BAD_LINK})


@router.post("/draft")
async def make_draft(
    request: Request, visitor: Editor, form: Annotated[ArticleForm, Form()]
) -> Response:
    """Add the draft at WeChat, in the first form that it takes. No session is open meanwhile."""
    state = request.app.state
    maker: LinkMaker = state.link_maker
    drafter = ArticleDrafter(
        state.database.sessions, maker.api, maker.tokens, state.settings.accounts, maker.clock
    )
    try:
        article = form.draft()
        link = await _link(request, form)
        draft = await drafter.draft(actor_of(request, visitor), link, article)
    except WrongArticle as wrong:
        return await _show(request, form, problems=wrong.problems)
    except BadArticle as error:
        return await _show(request, form, problems={error.field: PROBLEMS[error.field]})
    except BadTarget:
        return await _show(request, form, problems={"link": BAD_LINK})
    except ApiError as error:
        return await _show(request, form, refusal=_refusal(request, error))
    return await _show(request, ArticleForm(link=form.link), draft=draft)


async def _link(request: Request, form: ArticleForm) -> Link:
    database: Database = request.app.state.database
    async with database.sessions() as session:
        link = await store.by_slug(session, form.link)
    if link is None:
        raise WrongArticle({"link": PROBLEMS["link"]})
    return link


def _refusal(request: Request, error: ApiError) -> Refusal:
    if isinstance(error, TransportError) and error.outcome_unknown:
        return Refusal(Messages(language_of(request)).text(MAYBE_DRAFTED))
    return Refusal.of(request, error)


async def _show(
    request: Request,
    form: ArticleForm,
    *,
    markup: ArticleMarkupOut | None = None,
    draft: ArticleDraftOut | None = None,
    problems: dict[str, str] | None = None,
    refusal: Refusal | None = None,
) -> Response:
    settings: Settings = request.app.state.settings
    database: Database = request.app.state.database
    async with database.sessions() as session:
        links = await store.page(session, before=None, limit=LINKS_SHOWN)
        drafts = await audit.read(
            session, AuditFilter(action=Action.ARTICLE_DRAFTED), limit=DRAFTS_SHOWN
        )
    values: dict[str, Any] = {
        "markups": _markups(markup),
        "draft": draft,
        "draft_form": None if draft is None else FORMS[draft.form],
        "problems": problems or {},
        "refusal": refusal,
    }
    return render(
        request,
        "articles/index.html",
        status=422 if problems or refusal is not None else 200,
        form=form,
        links=[(link.slug, f"{link.name} ({link.slug})") for link in links],
        names={str(link.id): link.name for link in links},
        drafts=drafts.rows,
        accounts=[
            (appid, appid)
            for appid, account in settings.accounts.items()
            if account.kind == "oa" and account.appsecret is not None
        ],
        **values,
    )


def _markups(markup: ArticleMarkupOut | None) -> list[tuple[str, str, str]]:
    """Return name, label and HTML of each form."""
    if markup is None:
        return []
    named = (
        ("card", N_("Card"), markup.card),
        ("image", N_("Picture that is a link"), markup.image),
        ("text", N_("Text that is a link"), markup.text),
    )
    return [(name, label, html) for name, label, html in named if html is not None]
