"""Background work leaves the settings of the process as it found them."""

import gc
import sys

from app.rules.background import background_work, release_in_slices


def test_garbage_is_looked_for_again_once_the_last_long_work_has_ended() -> None:
    turn = sys.getswitchinterval()
    one, other = background_work(), background_work()

    with one:
        with other:
            assert not gc.isenabled()
            assert sys.getswitchinterval() < turn
        assert not gc.isenabled()

    assert gc.isenabled()
    assert sys.getswitchinterval() == turn


def test_what_somebody_else_switched_off_stays_off() -> None:
    gc.disable()
    try:
        with background_work():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()


def test_letting_go_empties_a_list_of_any_length() -> None:
    for count in (0, 1, 499, 500, 501, 1700):
        objects = [object() for _ in range(count)]

        release_in_slices(objects)

        assert objects == []
