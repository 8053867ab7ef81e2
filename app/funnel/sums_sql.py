"""SQL that stores touches and brings the sums in line with them, in one statement.

A change of a touch may change who is counted on later days, so the touches of each person concerned
are summed as they were and as they are, and the difference is applied. All parts of a statement
read the state before it: `funnel_touches` are the touches as they were.

People of a range of days are those whose step on a day of it is the first one within the range:
the day on which they reached the step before, if any, is before the range. The pairs of days count
them, so that the people of any range are a sum. See `stats.funnel_store`.
"""

from typing import Final

from app.funnel.derive_sql import COUNTED, ESTIMATED, REACHED

COLUMNS: Final = (
    "id, source, appid, person, at, doors, matched, followed, sent, opened_after, "
    "converted_after, opened_exact, converted_exact"
)
_STEPS: Final = ", ".join(f"('{name}', p.{name})" for name in COUNTED)
_NUMBERS: Final = (*COUNTED, *ESTIMATED)
_TIMES: Final = ", ".join(f"CAST(sum(sign * {name}) AS bigint) AS {name}" for name in _NUMBERS)
_PEOPLE: Final = ", ".join(
    f"COALESCE(sum(sign) FILTER (WHERE {name} > 0 AND person <> ''), 0) AS {name}_people"
    for name in COUNTED
)
_OF_DAY: Final = ", ".join((*_NUMBERS, *(f"{name}_people" for name in COUNTED)))
_ADDED: Final = ", ".join(
    f"{name} = d.{name} + EXCLUDED.{name}"
    for name in (*_NUMBERS, *(f"{name}_people" for name in COUNTED))
)
_CHANGED: Final = " OR ".join(
    f"{name} <> 0" for name in (*_NUMBERS, *(f"{name}_people" for name in COUNTED))
)
_REPLACED: Final = ", ".join(
    f"{name} = EXCLUDED.{name}" for name in COLUMNS.split(", ") if name != "id"
)

# `life` has the touches with a sign: -1 as they were, 1 as they are.
_SUMS: Final = f"""
    reached AS (
        SELECT t.sign, t.appid, t.person, door, CAST(t.at AT TIME ZONE :zone AS date) AS day,
               {", ".join(f"count(*) FILTER (WHERE r.{name}) AS {name}" for name in _NUMBERS)}
        FROM life t CROSS JOIN LATERAL ({REACHED}) AS r CROSS JOIN LATERAL unnest(t.doors) AS door
        GROUP BY 1, 2, 3, 4, 5
    ), day_sum AS (
        INSERT INTO funnel_days AS d (appid, door, day, {_OF_DAY})
        SELECT * FROM (
            SELECT appid, door, day, {_TIMES}, {_PEOPLE} FROM reached GROUP BY 1, 2, 3
        ) AS delta WHERE {_CHANGED}
        ON CONFLICT (appid, door, day) DO UPDATE SET {_ADDED}
    ), pair AS (
        SELECT p.sign, p.appid, p.door, p.day, s.step,
               lag(p.day) OVER (
                   PARTITION BY p.sign, p.appid, p.person, p.door, s.step ORDER BY p.day
               ) AS last
        FROM reached p CROSS JOIN LATERAL (VALUES {_STEPS}) AS s(step, times)
        WHERE s.times > 0 AND p.person <> ''
    ), pair_delta AS MATERIALIZED (
        SELECT appid, door, day, step,
               CASE WHEN last >= day - 366 THEN last ELSE '-infinity' END AS before,
               sum(sign) AS people
        FROM pair GROUP BY 1, 2, 3, 4, 5 HAVING sum(sign) <> 0
    ), pair_sum AS (
        INSERT INTO funnel_pairs AS d (appid, door, before, day, step, people)
        SELECT appid, door, before, day, step, people FROM pair_delta
        WHERE before > '-infinity'
        ON CONFLICT (appid, door, before, day, step) DO UPDATE SET
            people = d.people + EXCLUDED.people
    ), month_sum AS (
        INSERT INTO funnel_month_pairs AS d (appid, door, day, before_month, step, people)
        SELECT appid, door, day, CAST(date_trunc('month', before) AS date), step, sum(people)
        FROM pair_delta GROUP BY 1, 2, 3, 4, 5 HAVING sum(people) <> 0
        ON CONFLICT (appid, door, day, before_month, step) DO UPDATE SET
            people = d.people + EXCLUDED.people
    )
"""  # noqa: S608 - constants of this module


def store(changed: str) -> str:
    """Return the statement that stores touches. It returns how many.

    changed: a query for touches as they are from now on, with the columns COLUMNS in their order,
    each id once.
    """
    return f"""
    WITH changed ({COLUMNS}) AS MATERIALIZED ({changed}), person AS MATERIALIZED (
        SELECT appid, person FROM changed WHERE person <> ''
        UNION
        SELECT t.appid, t.person FROM changed JOIN funnel_touches t USING (id)
        WHERE t.person <> ''
    ), present AS MATERIALIZED (
        SELECT t.* FROM person JOIN funnel_touches t USING (appid, person)
        UNION ALL
        SELECT t.* FROM changed JOIN funnel_touches t USING (id) WHERE t.person = ''
    ), life AS (
        SELECT -1 AS sign, {COLUMNS} FROM present
        UNION ALL
        SELECT 1, {COLUMNS} FROM present WHERE id NOT IN (SELECT id FROM changed)
        UNION ALL
        SELECT 1, {COLUMNS} FROM changed
    ), stored AS (
        INSERT INTO funnel_touches ({COLUMNS}) SELECT {COLUMNS} FROM changed
        ON CONFLICT (id) DO UPDATE SET {_REPLACED}
    ), {_SUMS}
    SELECT count(*) FROM changed
    """  # noqa: S608 - constants of this package


# The sums of all touches; the tables of sums are empty before.
SUM_ALL: Final = f"""
    WITH life AS (SELECT 1 AS sign, {COLUMNS} FROM funnel_touches), {_SUMS} SELECT
"""  # noqa: S608 - constants of this module
