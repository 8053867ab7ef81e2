"""SQL of the figures of the funnel: from the sums, and from the touches themselves.

Both return the same. The sums are of one time zone and one pair of windows; for any others the
touches are read, which takes longer the more there are.
"""

from typing import Final

from sqlalchemy import text

from app.funnel.derive_sql import COUNTED, ESTIMATED, REACHED

_NUMBERS: Final = (*COUNTED, *ESTIMATED)
_SUMS: Final = ", ".join(f"sum({name}) AS {name}" for name in _NUMBERS)
_PEOPLE: Final = ", ".join(f"sum({name}_people) AS {name}_people" for name in COUNTED)
_IN_DAYS: Final = """
    FROM funnel_days
    WHERE appid = ANY(CAST(:appids AS text[])) AND day BETWEEN :since AND :until
"""

# A plan for any days and doors reads the rows of all months, which takes five times as long.
PLAN_FOR_THESE: Final = text("SET LOCAL plan_cache_mode = force_custom_plan")
DAYS: Final = text(
    f"SELECT day, {_SUMS}, {_PEOPLE} {_IN_DAYS} AND door = :door GROUP BY day ORDER BY day"
)
# The doors with the most touches; a door has ids behind its kind.
DOORS: Final = text(f"""
    SELECT door, count(*) OVER () AS all_doors, {_SUMS} {_IN_DAYS}
      AND door > :kind AND door < :kind_end
    GROUP BY door
    ORDER BY GREATEST(sum(received), sum(sent), sum(opened)) DESC, door LIMIT :most
""")
# Of a step on a day of the range, that of the same person before it is before the range.
PEOPLE: Final = text("""
    SELECT door, step, CAST(sum(people) AS bigint) AS people FROM (
        SELECT door, step, people FROM funnel_month_pairs
        WHERE appid = ANY(CAST(:appids AS text[])) AND door = ANY(CAST(:doors AS text[]))
          AND day BETWEEN :since AND :until
          AND before_month < date_trunc('month', CAST(:since AS date))
        UNION ALL
        SELECT door, step, people FROM funnel_pairs
        WHERE appid = ANY(CAST(:appids AS text[])) AND door = ANY(CAST(:doors AS text[]))
          AND before >= date_trunc('month', CAST(:since AS date)) AND before < :since
          AND day BETWEEN :since AND :until
    ) AS first GROUP BY door, step
""")

_REACHED: Final = f"""
    reached AS (
        SELECT door, t.appid, t.person, CAST(t.at AT TIME ZONE :zone AS date) AS day,
               {", ".join(f"r.{name}" for name in _NUMBERS)}
        FROM funnel_touches t CROSS JOIN LATERAL ({REACHED}) AS r
        CROSS JOIN LATERAL unnest(t.doors) AS door
        WHERE t.appid = ANY(CAST(:appids AS text[])) AND t.at >= :earliest AND t.at < :latest
          AND CAST(t.at AT TIME ZONE :zone AS date) BETWEEN :since AND :until
          AND (r.received OR r.sent OR r.opened)
          AND (door = :door OR (door > :kind AND door < :kind_end))
    )
"""  # noqa: S608 - constants of this package
_TIMES: Final = ", ".join(f"count(*) FILTER (WHERE {name}) AS {name}" for name in _NUMBERS)
_DISTINCT: Final = ", ".join(
    f"count(DISTINCT (appid, person)) FILTER (WHERE {name} AND person <> '') AS {name}_people"
    for name in COUNTED
)
SLOW_DAYS: Final = text(f"""
    WITH {_REACHED}
    SELECT day, {_TIMES}, {_DISTINCT} FROM reached WHERE door = :door GROUP BY day ORDER BY day
""")  # noqa: S608 - constants of this module
SLOW_DOORS: Final = text(f"""
    WITH {_REACHED}, counted AS (
        SELECT door, {_TIMES}, {_DISTINCT} FROM reached GROUP BY door
    )
    SELECT *, count(*) FILTER (WHERE door <> :door) OVER () AS all_doors FROM counted
    ORDER BY door = :door DESC, GREATEST(received, sent, opened) DESC, door LIMIT :most + 1
""")  # noqa: S608 - constants of this module
