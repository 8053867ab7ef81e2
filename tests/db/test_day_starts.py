"""A moment is on the day of its time zone, whatever the clocks of that zone do."""

from datetime import date

import pytest
from sqlalchemy import text

from app.db.day_starts import DAY, DAY_STARTS, NUMBERED
from app.db.engine import Database

# Of every quarter of an hour in two years and a day on both sides: those with another day.
WRONG = text(f"""
SELECT count(*) AS looked_at, count(*) FILTER (WHERE wanted IS DISTINCT FROM found) AS wrong
FROM (
    SELECT CASE WHEN day BETWEEN CAST(:since AS date) AND CAST(:until AS date) THEN day END
               AS wanted,
           CASE WHEN {NUMBERED} THEN {DAY} END AS found
    FROM (
        SELECT CAST(at AT TIME ZONE :zone AS date) AS day,
               width_bucket(at, {DAY_STARTS}) AS number
        FROM generate_series(CAST(CAST(:since AS date) - 2 AS timestamptz),
                             CAST(CAST(:until AS date) + 2 AS timestamptz),
                             interval '15 minutes') AS at
    ) AS numbered
) AS compared
""")  # noqa: S608 - constants of the module


# The clocks of Havana repeat the first hour of a day; those of Sao Paulo left it out.
@pytest.mark.parametrize(
    "zone",
    ["Asia/Shanghai", "America/Havana", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC"],
)
async def test_every_moment_has_its_day(database: Database, zone: str) -> None:
    values = {"zone": zone, "since": date(2017, 1, 1), "until": date(2018, 12, 31)}

    async with database.sessions() as session:
        found = (await session.execute(WRONG, values)).one()

    assert found.looked_at > 70_000
    assert found.wrong == 0
