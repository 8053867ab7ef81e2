"""SQL for the days on which rows happened, cheaper than a conversion of the time zone for each row.

`DAY_STARTS` has the parameters zone, since and until. It is an array of the moments at which the
days from since to the one after until begin, so that `width_bucket(moment, DAY_STARTS)` is 1 on the
first day, and 0 or a larger number outside.
"""

from typing import Final

# A midnight that comes twice, since an hour is repeated, is taken for the second one by Postgres.
DAY_STARTS: Final = """(
    SELECT array_agg(start ORDER BY start) FROM (
        SELECT CASE WHEN CAST((midnight - interval '1 hour') AT TIME ZONE :zone AS date) = day
                    THEN midnight - interval '1 hour' ELSE midnight END AS start
        FROM (
            SELECT CAST(each AS date) AS day, CAST(each AS timestamp) AT TIME ZONE :zone AS midnight
            FROM generate_series(CAST(CAST(:since AS date) AS timestamp),
                                 CAST(CAST(:until AS date) + 1 AS timestamp),
                                 interval '1 day') AS each
        ) AS midnights
    ) AS starts
)"""
# Of a row whose number of the day is `number`; `NUMBERED` is true on the days from since to until.
DAY: Final = "CAST(:since AS date) + number - 1"
NUMBERED: Final = "number BETWEEN 1 AND CAST(:until AS date) - CAST(:since AS date) + 1"
