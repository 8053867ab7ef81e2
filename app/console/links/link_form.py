"""The form of a link, for a new one and for one that is changed."""

from collections.abc import Mapping
from typing import Final, Self

from pydantic import BaseModel, Field, ValidationError

from app.console.messages import N_
from app.links.check_target import check_target
from app.links.models import EnvVersion, Link
from app.links.schemas import LinkIn
from app.settings import Settings

MAX_TYPED: Final = 2000
# Words of the API's own checks are English alone, so each field has one sentence of its own here.
PROBLEMS: Final = {
    "slug": N_("4 to 32 letters, digits, _ and -, or nothing."),
    "name": N_("A name has 1 to 100 characters."),
    "appid": N_("Add the mini-program with its AppSecret to ACCOUNTS_FILE first."),
    "path": N_("Write the page without a slash in front and without its query."),
    "query": N_(
        "At most 1,024 characters with the UTM source, percent-encoded; the placeholders are "
        "{link} and {ref}, and parameters with {ref} may have 256 characters."
    ),
    "utm": N_("At most 100 characters."),
    "fallback_url": N_("Write an address that begins with https:// and has no blanks."),
}
SLUG_IS_TAKEN: Final = N_("Another link has this ending: choose another one.")


class LinkForm(BaseModel):
    """A link as typed."""

    name: str = Field(default="", max_length=MAX_TYPED)
    slug: str = Field(default="", max_length=MAX_TYPED)
    appid: str = Field(default="", max_length=MAX_TYPED)
    path: str = Field(default="", max_length=MAX_TYPED)
    query: str = Field(default="", max_length=MAX_TYPED)
    utm_source: str = Field(default="", max_length=MAX_TYPED)
    fallback_url: str = Field(default="", max_length=MAX_TYPED)

    @classmethod
    def of(cls, link: Link) -> Self:
        """Return the form of a stored link."""
        return cls(
            name=link.name,
            slug=link.slug,
            appid=link.appid,
            path=link.path,
            query=link.query,
            utm_source=(link.utm or {}).get("source", ""),
            fallback_url=link.fallback_url or "",
        )

    def read(
        self, settings: Settings, link: Link | None = None
    ) -> tuple[LinkIn | None, Mapping[str, str]]:
        """Return the link, or None and what is wrong by field, to be translated.

        link: the one that is changed; what the form does not have is kept.
        """
        try:
            link_in = self._as_link(link)
        except ValidationError as error:
            wrong = {str(problem["loc"][0]) for problem in error.errors(include_input=False)}
            return None, {name: PROBLEMS[name] for name in wrong}
        problem = check_target(link_in, link_in.slug or "x" * 8, settings.accounts)
        if problem is not None:
            return None, {problem[0]: PROBLEMS[problem[0]]}
        return link_in, {}

    def _as_link(self, link: Link | None) -> LinkIn:
        utm = dict((link.utm if link is not None else None) or {})
        utm["source"] = self.utm_source.strip()
        utm = {name: value for name, value in utm.items() if value}
        return LinkIn.model_validate(
            {
                "name": self.name.strip(),
                "slug": self.slug.strip() or (link.slug if link is not None else None),
                "appid": self.appid,
                "path": self.path.strip(),
                "query": self.query.strip(),
                "utm": utm or None,
                "env_version": EnvVersion.RELEASE if link is None else link.env_version,
                "fallback_url": self.fallback_url.strip() or None,
            }
        )


def mini_programs(settings: Settings) -> list[tuple[str, str]]:
    """Return the mini-programs that a link can open, as options of a choice."""
    return [
        (appid, appid)
        for appid, account in settings.accounts.items()
        if account.kind == "mini_program" and account.appsecret is not None
    ]
