"""The form for an article, and what a person can do wrong there. Pure."""

from typing import Any, Final

from pydantic import BaseModel, Field, ValidationError

from app.articles.schemas import ArticleDraftIn, ArticlePlacement
from app.console.messages import N_

MAX_TYPED: Final = 30_000
PROBLEMS: Final = {
    "link": N_("Choose a link."),
    "mark": N_("1 to 32 letters, digits, _ and -, or nothing."),
    "card_title": N_("At most 35 characters."),
    "text": N_("At most 100 characters."),
    "image_url": N_("An address that begins with https://, or nothing."),
    "appid": N_("Choose an Official Account whose AppSecret is in the settings."),
    "title": N_("A title has 1 to 32 characters."),
    "author": N_("At most 16 characters."),
    "digest": N_("At most 120 characters."),
    "content": N_("1 to 19,999 characters with the mini-program, and {mini_program} at most once."),
    "content_source_url": N_("An address that begins with https://, or nothing."),
    "thumb_media_id": N_("Name permanent image material for the cover."),
}
# Where a member of the API has another name than its field.
FIELDS: Final = {"mini_program.title": "card_title"}


class WrongArticle(ValueError):
    """What was typed can't be used. problems: a sentence by the name of the field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(problems)
        self.problems = problems


class ArticleForm(BaseModel):
    """As typed. link: the slug."""

    link: str = Field(default="", max_length=MAX_TYPED)
    mark: str = Field(default="", max_length=MAX_TYPED)
    card_title: str = Field(default="", max_length=MAX_TYPED)
    text: str = Field(default="", max_length=MAX_TYPED)
    image_url: str = Field(default="", max_length=MAX_TYPED)
    appid: str = Field(default="", max_length=MAX_TYPED)
    title: str = Field(default="", max_length=MAX_TYPED)
    author: str = Field(default="", max_length=MAX_TYPED)
    digest: str = Field(default="", max_length=MAX_TYPED)
    content: str = Field(default="", max_length=MAX_TYPED)
    content_source_url: str = Field(default="", max_length=MAX_TYPED)
    thumb_media_id: str = Field(default="", max_length=MAX_TYPED)

    def placement(self) -> ArticlePlacement:
        """Return how the mini-program stands in the article. Raises WrongArticle."""
        try:
            return ArticlePlacement.model_validate(self._placement())
        except ValidationError as error:
            raise _wrong(error, prefix="mini_program.") from None

    def draft(self) -> ArticleDraftIn:
        """Return the article. Raises WrongArticle."""
        members = {
            "title": self.title.strip(),
            "author": self.author.strip(),
            "digest": self.digest.strip(),
            "content": self.content,
            "content_source_url": self.content_source_url.strip() or None,
            "thumb_media_id": self.thumb_media_id.strip(),
            "appid": self.appid or None,
            "mini_program": self._placement(),
        }
        try:
            return ArticleDraftIn.model_validate(members)
        except ValidationError as error:
            raise _wrong(error) from None

    def _placement(self) -> dict[str, Any]:
        return {
            "mark": self.mark.strip() or None,
            "title": self.card_title.strip() or None,
            "text": self.text.strip() or None,
            "image_url": self.image_url.strip() or None,
        }


def _wrong(error: ValidationError, prefix: str = "") -> WrongArticle:
    problems = {}
    for one in error.errors(include_input=False):
        path = prefix + ".".join(map(str, one["loc"]))
        name = FIELDS.get(path, path.removeprefix("mini_program."))
        problems[name] = PROBLEMS.get(name, PROBLEMS["content"])
    return WrongArticle(problems)
