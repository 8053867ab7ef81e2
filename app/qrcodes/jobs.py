"""The job `qrcodes.renew`, which asks WeChat for one QR code, as it is enqueued."""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.db.queue import NewJob

RENEW: Final = "qrcodes.renew"


def renew_job(qrcode_id: UUID, delay: timedelta | None = None) -> NewJob:
    """Return the job of one code. It names the code alone; whether it is due stands in the row."""
    return NewJob(RENEW, {"qrcode_id": str(qrcode_id)}, delay=delay)


def missing_job(qrcode_id: UUID) -> NewJob:
    """Return the same job for the sweep, which adds none while it has one in the queue."""
    return replace(renew_job(qrcode_id), key=f"{RENEW}:{qrcode_id}")
