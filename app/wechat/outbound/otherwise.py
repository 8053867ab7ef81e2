"""What is said in place of a queued reply that is known to be unsendable."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from app.wechat.outbound.base import Line, Part, SeenLine, absent, is_stored, misfit

MAX_TEXT_BYTES = 2047
"""WeChat refuses a text of 2,048 bytes, which is the least that it does not take."""


def _within_text_limit(text: str, info: ValidationInfo) -> str:
    size = len(text.encode())
    if size > MAX_TEXT_BYTES and not is_stored(info):
        raise ValueError(f"has {size:,} bytes, and WeChat takes {MAX_TEXT_BYTES:,}: shorten it")
    return text


Content = Annotated[SeenLine, AfterValidator(_within_text_limit)]
"""The content of a text."""


class Queueable(Part):
    """A message that custom/send can send."""

    otherwise: Content | None = Field(default=None, exclude_if=absent)
    """A text, with placeholders and mini-program links, that the response to the push says instead
    if it is known then that this reply can't be sent by custom/send. A person for whom there is no
    code any more gets it, too, if the text or the page has `{code}`.
    """
    otherwise_rule: Line | None = Field(default=None, exclude_if=absent)
    """The name of a rule whose passive reply the response gives instead then."""

    @model_validator(mode="after")
    def _one_thing_instead(self) -> Self:
        if self.otherwise is not None and self.otherwise_rule is not None:
            raise misfit("otherwise_rule", "can't stand beside otherwise: remove one of them")
        for member in ("otherwise", "otherwise_rule"):
            if getattr(self, member) is not None and getattr(self, "via", None) == "passive":
                raise misfit(
                    member,
                    "belongs to a reply via customer_service; a passive one is never known to be "
                    "unsendable: remove it",
                )
        return self
