"""The settings of an account: those of its console page, and how pushes are delivered to it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from app.wechat.crypto import Format


class Mode(StrEnum):
    """Message encryption, as the console names it. Source: protocol 1.1."""

    PLAIN = "plain"
    COMPATIBLE = "compatible"
    SECURE = "secure"


class DeliveryPolicy(BaseModel):
    """How often a push is delivered, and when it is repeated. Source: protocol 3."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deliveries: int = Field(default=3, ge=1, le=4, description="Number of deliveries in all")
    timeout_seconds: float = Field(default=5.0, gt=0)
    pause_seconds: float = Field(
        default=1.0, ge=0, description="Pause after a failure that was not a timeout"
    )
    retry_on_status: bool = Field(
        default=False,
        description="Whether a response other than 200 is followed by another delivery",
    )
    renew_nonce: bool = Field(
        default=False, description="Whether each retry has a new timestamp and nonce"
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
    bound: bool = Field(
        default=True, description="Bound to an Open Platform account, so that there are UnionIDs"
    )
    linked_mini_programs: tuple[str, ...] = ()
    mini_program_pages: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="The pages of the released version, by AppID; left out, every page exists",
    )
    is_mini_program: bool = Field(
        default=False, description="Whether it is a mini-program, which alone may make links"
    )
    released: bool = Field(default=True, description="Whether the mini-program is released")
    ip_whitelist: tuple[str, ...] = Field(
        default=(), description="Addresses that may call the API; empty: any"
    )
    callback_enabled: bool = Field(
        default=True, description="Whether the server configuration is switched on"
    )
    callback_addresses: tuple[str, ...] = Field(
        default=("203.0.113.7",), description="What the platform finds for the callback's host"
    )
    menu_open: bool = Field(default=True, description="Whether the custom menu is switched on")
    conditional_menus: bool = Field(
        default=True, description="Whether conditional menus are switched on"
    )
    quota_used: dict[str, int] = Field(
        default_factory=dict, description="Calls that other programs made today, by cgi_path"
    )
    daily_limits: dict[str, int] = Field(
        default_factory=dict, description="Calls a day, by cgi_path; left out, of a new account"
    )
    minute_limits: dict[str, int] = Field(
        default_factory=dict, description="Calls a minute, by cgi_path; left out, any number"
    )
    token_lifetime_seconds: int = Field(default=7200, gt=0)
    delivery: DeliveryPolicy = DeliveryPolicy()

    def callback(self) -> str:
        """Return the URL to which pushes are delivered."""
        return self.callback_url.replace("{appid}", self.appid)
