"""The table of jsapi_tickets, which all processes share."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class JsapiTicket(Base):
    """The jsapi_ticket of one account, encrypted by SECRET_KEY; see `ticket_store`."""

    __tablename__ = "jsapi_tickets"

    appid: Mapped[str] = mapped_column(primary_key=True)
    ticket: Mapped[str]
    obtained_at: Mapped[datetime]
    expires_at: Mapped[datetime]
