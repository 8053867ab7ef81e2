"""Tables of the doctor: what its probes found, and in which state its findings are."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class DoctorProbe(Base):
    """The latest result of one probe. appid: empty if it is about no account. result: see `probe`.

    The probe `run` says when the probes last began.
    """

    __tablename__ = "doctor_probes"

    appid: Mapped[str] = mapped_column(primary_key=True)
    probe: Mapped[str] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime]
    result: Mapped[dict[str, Any]]


class DoctorFinding(Base):
    """The state of one check. appid: empty if it is about no account. since: of this state.

    The sentences are not stored: they are made of the facts of the moment.
    """

    __tablename__ = "doctor_findings"

    check: Mapped[str] = mapped_column(primary_key=True)
    appid: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    since: Mapped[datetime]
    checked_at: Mapped[datetime]


class EndedFault(Base):
    """A time in which a check found a fault; kept for charts. appid: as that of the finding was."""

    __tablename__ = "ended_faults"
    __table_args__ = (Index(None, "since"),)

    check: Mapped[str] = mapped_column(primary_key=True)
    appid: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime]
