"""The figures from the rows that the stores read, without a database."""

from datetime import date, timedelta

from app.stats.compute import MAX_SCENES, follower_figures, subscription_figures
from app.stats.date_range import DateRange
from app.stats.follower_store import DAY, QR_SCENE, SCENE, Change, PresentCount, iso
from app.stats.schemas import FollowerFigures, SubscriptionFigures
from app.stats.subscription_store import SubscriptionCounts, SubscriptionRows

FIRST = date(2026, 11, 26)
DAYS = [FIRST + timedelta(number) for number in range(3)]
RANGE = DateRange(FIRST, DAYS[-1], "Asia/Shanghai")
Figure = tuple[int, int, int, int, float | None]


def figure(of: FollowerFigures) -> Figure:
    return of.start, of.new, of.lost, of.net, of.churn_rate


def test_every_day_begins_with_the_followers_that_the_one_before_left() -> None:
    changes = [
        Change(DAY, iso(DAYS[0]), new=10, lost=5, net=5),
        Change(DAY, iso(DAYS[2]), new=0, lost=30, net=-30),
        # Of a scene and of a day outside: neither belongs to these days.
        Change(SCENE, iso(DAYS[1]), new=90, lost=90, net=7),
    ]
    found = follower_figures(changes, [PresentCount(None, None, 75)], RANGE)

    assert [(day.day, *figure(day)) for day in found.days] == [
        (DAYS[0], 100, 10, 5, 5, 0.05),
        (DAYS[1], 105, 0, 0, 0, 0.0),
        (DAYS[2], 105, 0, 30, -30, 30 / 105),
    ]
    assert figure(found.total) == (100, 10, 35, -25, 0.35)
    assert (found.since, found.until, found.time_zone) == (FIRST, DAYS[-1], "Asia/Shanghai")


def test_what_came_after_the_days_counts_in_the_number_at_their_start() -> None:
    after = Change(DAY, "2026-12-01", new=0, lost=0, net=20)
    found = follower_figures([after], [PresentCount(None, None, 20)], RANGE)

    assert figure(found.total) == (0, 0, 0, 0, None)


def test_followers_by_scene_count_for_no_day() -> None:
    present = [PresentCount(None, None, 1), PresentCount(SCENE, "a", 50)]

    assert figure(follower_figures([], present, RANGE).total) == (1, 0, 0, 0, 0.0)


def test_scenes_stand_by_their_changes_then_their_followers_then_their_names() -> None:
    changes = [
        Change(SCENE, "lost", new=0, lost=4, net=-4),
        Change(SCENE, "new", new=5, lost=0, net=5),
        Change(SCENE, "both", new=3, lost=3, net=0),
        Change(QR_SCENE, "of a code", new=9, lost=0, net=9),
    ]
    present = [
        PresentCount(SCENE, "new", 5),
        PresentCount(SCENE, "many", 40),
        PresentCount(SCENE, "b", 2),
        PresentCount(SCENE, "A", 2),
        PresentCount(SCENE, None, 2),
        PresentCount(QR_SCENE, "of a code", 9),
        PresentCount(None, None, 99),
    ]
    found = follower_figures(changes, present, RANGE)

    assert [(one.scene, *figure(one)) for one in found.scenes] == [
        ("both", 0, 3, 3, 0, None),
        ("new", 0, 5, 0, 5, None),
        ("lost", 4, 0, 4, -4, 1.0),
        ("many", 40, 0, 0, 0, 0.0),
        (None, 2, 0, 0, 0, 0.0),
        ("A", 2, 0, 0, 0, 0.0),
        ("b", 2, 0, 0, 0, 0.0),
    ]
    assert [(one.scene, *figure(one)) for one in found.qr_scenes] == [
        ("of a code", 0, 9, 0, 9, None)
    ]
    assert found.qr_scenes_left_out == 0


def test_a_scene_that_had_and_got_nobody_is_left_out() -> None:
    changes = [
        Change(SCENE, "came later", new=0, lost=0, net=3),
        Change(SCENE, "left later", new=0, lost=0, net=-1),
        Change(SCENE, "only new", new=1, lost=0, net=1),
        Change(SCENE, "only lost", new=0, lost=1, net=0),
    ]
    present = [PresentCount(SCENE, "came later", 3), PresentCount(SCENE, "only new", 1)]
    found = follower_figures(changes, present, RANGE)

    assert {one.scene for one in found.scenes} == {"left later", "only new", "only lost"}


def test_the_codes_with_the_most_changes_are_listed_and_the_others_counted() -> None:
    changes = [Change(QR_SCENE, f"{n:04}", new=n + 1, lost=0, net=n + 1) for n in range(1002)]
    present = [PresentCount(QR_SCENE, one.label, one.new) for one in changes]
    found = follower_figures(changes, present, RANGE)

    assert len(found.qr_scenes) == MAX_SCENES
    assert found.qr_scenes_left_out == 2
    assert (found.qr_scenes[0].scene, found.qr_scenes[-1].scene) == ("1001", "0002")


def test_the_answers_of_every_day_and_template_are_counted() -> None:
    counted = [
        SubscriptionCounts(DAYS[1], None, {"accepted": 3, "rejected": 1, "banned": 2}),
        SubscriptionCounts(None, "B", {"accepted": 1}),
        SubscriptionCounts(None, "A", {"rejected": 4}),
    ]
    found = subscription_figures(SubscriptionRows(counted, 2), RANGE)

    assert [(day.day, day.accepted, day.acceptance_rate) for day in found.days] == [
        (DAYS[0], 0, None),
        (DAYS[1], 3, 0.5),
        (DAYS[2], 0, None),
    ]
    templates = [(one.template_id, one.rejected, one.acceptance_rate) for one in found.templates]
    assert templates == [("A", 4, 0.0), ("B", 0, 1.0)]
    assert (found.since, found.until, found.time_zone) == (FIRST, DAYS[-1], "Asia/Shanghai")


def test_every_count_of_a_day_has_its_own_figure() -> None:
    names = sorted(SubscriptionFigures.model_fields.keys() - {"acceptance_rate"})
    counts = {name: number for number, name in enumerate(names, 1)}
    [day, *_] = subscription_figures(
        SubscriptionRows([SubscriptionCounts(FIRST, None, counts)], 0), RANGE
    ).days

    assert {name: getattr(day, name) for name in names} == counts
