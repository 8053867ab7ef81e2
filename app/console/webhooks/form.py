"""The form of a webhook: what is typed, and what is wrong with it."""

from typing import Final, Self

from pydantic import BaseModel, Field, ValidationError

from app.console.messages import N_
from app.console.rules.phrases import in_language
from app.db.stored_enum import member_of
from app.http_client.url_policy import BadUrl
from app.phrases import Translate
from app.settings import Settings
from app.webhooks.endpoint_url import check_endpoint_url
from app.webhooks.event_types import Pattern
from app.webhooks.models import Webhook
from app.webhooks.schemas import WebhookIn

_PROBLEMS: Final = {
    "url": N_("Write it as https://host/path, with at most 2,048 characters and no blanks."),
    "description": N_("At most 200 characters."),
    "types": N_("Choose at least one."),
}


class WebhookForm(BaseModel):
    """A webhook as typed. enabled: "on" or nothing, as a browser sends a box."""

    url: str = Field(default="", max_length=10_000)
    description: str = Field(default="", max_length=10_000)
    types: list[Pattern] = Field(default=[], max_length=len(Pattern))
    enabled: str = Field(default="", max_length=10)

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """Return the form of a stored webhook."""
        return cls(
            url=webhook.url,
            description=webhook.description,
            types=[member_of(Pattern, one) for one in webhook.types],
            enabled="on" if webhook.enabled else "",
        )

    def read(
        self, settings: Settings, translate: Translate
    ) -> tuple[WebhookIn | None, dict[str, str]]:
        """Return the webhook, or a sentence for each field that is wrong."""
        try:
            webhook = WebhookIn(
                url=self.url.strip(),
                description=self.description.strip(),
                types=self.types,
                enabled=bool(self.enabled),
            )
        except ValidationError as error:
            wrong = {str(one["loc"][0]) for one in error.errors()}
            return None, {name: translate(_PROBLEMS[name]) for name in wrong}
        try:
            check_endpoint_url(webhook.url, settings)
        except BadUrl as error:
            return None, {"url": in_language(str(error), translate)}
        return webhook, {}


def webhook_in_of(webhook: Webhook, *, enabled: bool) -> WebhookIn:
    """Return a stored webhook as it is, but for its switch."""
    return WebhookIn.model_construct(
        url=webhook.url,
        description=webhook.description,
        types=[member_of(Pattern, one) for one in webhook.types],
        enabled=enabled,
    )
