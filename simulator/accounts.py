"""An account as its console page shows it, and how WeChat pushes to it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from app.wechat.crypto import Format


class Mode(StrEnum):
    """Message encryption, as the console names it. Source: protocol 1.1."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SECURE = "secure"


class DeliveryPolicy(BaseModel):
    """How often and when a push is delivered again. Source: protocol 3."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deliveries: int = Field(default=3, ge=1, le=4, description="deliveries in all")
    timeout_seconds: float = Field(default=5.0, gt=0)
    pause_seconds: float = Field(default=1.0, ge=0, description="after a failure that came fast")
    retry_on_status: bool = Field(default=False, description="a non-200 answer is tried again")
    renew_nonce: bool = Field(
        default=False, description="a retry carries a new timestamp and nonce"
    )


class Account(BaseModel):
    """One Official Account or mini-program known to the simulator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    appid: str
    secret: str
    original_id: str
    token: str
    encoding_aes_key: str
    callback_url: str = Field(description="`{appid}` in it is replaced by the AppID")
    mode: Mode = Mode.SECURE
    format: Format = Format.XML
    bound: bool = Field(default=True, description="bound to an Open Platform account: UnionIDs")
    linked_mini_programs: tuple[str, ...] = ()
    mini_program_pages: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="AppID to the pages of its released version; absent: every page exists",
    )
    ip_whitelist: tuple[str, ...] = Field(default=(), description="empty: not checked")
    token_lifetime_seconds: int = Field(default=7200, gt=0)
    delivery: DeliveryPolicy = DeliveryPolicy()

    def callback(self) -> str:
        """Return the address that pushes go to."""
        return self.callback_url.replace("{appid}", self.appid)
