"""SQL that stores touches and brings the sums in line with them, in one statement.

A change of a touch may change who is counted on later days, so the touches of each person concerned
are summed as they were and as they are, and the difference is applied. All parts of a statement
read the state before it: `funnel_touches` are the touches as they were.

People of a range of days are those whose step on a day of it is the first one within the range:
the day on which they reached the step before, if any, is before the range. The pairs of days count
them, so that the people of any range are a sum. See `stats.funnel_store`.

While the sums are made, which takes long, changes of touches are kept apart and added afterwards.
See `funnel.make_sums`.
"""

from typing import Final

from app.funnel.derive_sql import COUNTED, ESTIMATED, REACHED

COLUMNS: Final = (
    "id, source, appid, person, at, doors, matched, followed, sent, opened_after, "
    "converted_after, opened_exact, converted_exact"
)
_STEPS: Final = ", ".join(f"('{name}', p.{name}, p.last_{name})" for name in COUNTED)
# The day on which a person reached the step before. Days are in order, so the last is the greatest.
_LAST: Final = ", ".join(
    f"max(day) FILTER (WHERE {name} > 0) OVER before AS last_{name}" for name in COUNTED
)
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

_PAIR: Final = "appid, door, before, day, step, people"
_MONTH_PAIR: Final = "appid, door, day, before_month, step, people"
# What each table of sums adds up, the table of changes beside it, and how a row of it is added.
_ADD_TO_DAYS: Final = f"ON CONFLICT (appid, door, day) DO UPDATE SET {_ADDED}"
_ADD_TO_PAIRS: Final = (
    "ON CONFLICT (appid, door, before, day, step) DO UPDATE SET people = d.people + EXCLUDED.people"
)
_ADD_TO_MONTH_PAIRS: Final = (
    "ON CONFLICT (appid, door, day, before_month, step) "
    "DO UPDATE SET people = d.people + EXCLUDED.people"
)

# `life` has the touches with a sign: -1 as they were, 1 as they are.
_DELTAS: Final = f"""
    reached AS (
        SELECT t.sign, t.appid, t.person, door, CAST(t.at AT TIME ZONE :zone AS date) AS day,
               {", ".join(f"count(*) FILTER (WHERE r.{name}) AS {name}" for name in _NUMBERS)}
        FROM life t CROSS JOIN LATERAL ({REACHED}) AS r CROSS JOIN LATERAL unnest(t.doors) AS door
        {{of_doors}}
        GROUP BY 1, 2, 3, 4, 5
    ), day_delta AS MATERIALIZED (
        SELECT * FROM (
            SELECT appid, door, day, {_TIMES}, {_PEOPLE} FROM reached GROUP BY 1, 2, 3
        ) AS delta WHERE {_CHANGED}
    ), pair AS (
        SELECT p.sign, p.appid, p.door, p.day, s.step, s.last
        FROM (
            SELECT *, {_LAST} FROM reached WHERE person <> ''
            WINDOW before AS (
                PARTITION BY sign, appid, person, door ORDER BY day
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        ) AS p CROSS JOIN LATERAL (VALUES {_STEPS}) AS s(step, times, last)
        WHERE s.times > 0
    ), pair_delta AS MATERIALIZED (
        SELECT appid, door, CASE WHEN last >= day - 366 THEN last ELSE '-infinity' END AS before,
               day, step, sum(sign) AS people
        FROM pair GROUP BY 1, 2, 3, 4, 5 HAVING sum(sign) <> 0
    ), month_pair_delta AS MATERIALIZED (
        SELECT appid, door, day, CAST(date_trunc('month', before) AS date) AS before_month, step,
               sum(people) AS people
        FROM pair_delta GROUP BY 1, 2, 3, 4, 5 HAVING sum(people) <> 0
    )
"""  # noqa: S608 - constants of this module


_SUMS: Final = f"""
    {_DELTAS.format(of_doors="")}, day_sum AS (
        INSERT INTO funnel_days AS d (appid, door, day, {_OF_DAY})
        SELECT appid, door, day, {_OF_DAY} FROM day_delta WHERE CAST(:made AS boolean)
        {_ADD_TO_DAYS}
    ), day_change AS (
        INSERT INTO funnel_day_changes (appid, door, day, {_OF_DAY})
        SELECT appid, door, day, {_OF_DAY} FROM day_delta WHERE NOT CAST(:made AS boolean)
    ), pair_sum AS (
        INSERT INTO funnel_pairs AS d ({_PAIR}) SELECT {_PAIR} FROM pair_delta
        WHERE before > '-infinity' AND CAST(:made AS boolean)
        {_ADD_TO_PAIRS}
    ), pair_change AS (
        INSERT INTO funnel_pair_changes ({_PAIR}) SELECT {_PAIR} FROM pair_delta
        WHERE before > '-infinity' AND NOT CAST(:made AS boolean)
    ), month_pair_sum AS (
        INSERT INTO funnel_month_pairs AS d ({_MONTH_PAIR})
        SELECT {_MONTH_PAIR} FROM month_pair_delta WHERE CAST(:made AS boolean)
        {_ADD_TO_MONTH_PAIRS}
    ), month_pair_change AS (
        INSERT INTO funnel_month_pair_changes ({_MONTH_PAIR})
        SELECT {_MONTH_PAIR} FROM month_pair_delta WHERE NOT CAST(:made AS boolean)
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


# The sums of all touches by some of the doors; the tables have no sums of these doors before.
SUM_DOORS: Final = f"""
    WITH life AS (SELECT 1 AS sign, {COLUMNS} FROM funnel_touches),
    {_DELTAS.format(of_doors="WHERE mod(abs(CAST(hashtext(door) AS bigint)), :parts) = :part")},
    day_sum AS (
        INSERT INTO funnel_days (appid, door, day, {_OF_DAY})
        SELECT appid, door, day, {_OF_DAY} FROM day_delta
    ), pair_sum AS (
        INSERT INTO funnel_pairs ({_PAIR}) SELECT {_PAIR} FROM pair_delta
        WHERE before > '-infinity'
    )
    INSERT INTO funnel_month_pairs ({_MONTH_PAIR}) SELECT {_MONTH_PAIR} FROM month_pair_delta
"""  # noqa: S608 - constants of this module

# What changed while the sums were made.
_SUMMED: Final = ", ".join(f"sum({name})" for name in _OF_DAY.split(", "))
_ADD_DAYS: Final = f"""
    INSERT INTO funnel_days AS d (appid, door, day, {_OF_DAY})
    SELECT appid, door, day, {_SUMMED} FROM funnel_day_changes GROUP BY 1, 2, 3 {_ADD_TO_DAYS}
"""  # noqa: S608 - constants of this module
_ADD_PAIRS: Final = f"""
    INSERT INTO funnel_pairs AS d ({_PAIR})
    SELECT appid, door, before, day, step, sum(people) FROM funnel_pair_changes
    GROUP BY 1, 2, 3, 4, 5 {_ADD_TO_PAIRS}
"""  # noqa: S608 - constants of this module
_ADD_MONTH_PAIRS: Final = f"""
    INSERT INTO funnel_month_pairs AS d ({_MONTH_PAIR})
    SELECT appid, door, day, before_month, step, sum(people) FROM funnel_month_pair_changes
    GROUP BY 1, 2, 3, 4, 5 {_ADD_TO_MONTH_PAIRS}
"""  # noqa: S608 - constants of this module
ADD_CHANGES: Final = (_ADD_DAYS, _ADD_PAIRS, _ADD_MONTH_PAIRS)
