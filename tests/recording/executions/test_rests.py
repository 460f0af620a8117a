"""Which call is taken for the last before a rest, and which calls need not be looked at until then."""

from __future__ import annotations

from jupyter_jitmagic.recording.executions.rests import Begun, Rests


class Output:
    pass


def rests_that_found(*numbers: int, output: Output) -> Rests:
    """After these calls found their line at rest, all those up to the last one having been looked at."""
    rests = Rests()
    for number in range(1, numbers[-1] + 1):
        if number in numbers:
            rests.found(number, (float(number), number + 0.5), 1)
        rests.note(output, number, 1, float(number))
    return rests


def test_calls_are_let_by_where_all_rests_are_equally_far_apart() -> None:
    output = Output()
    rests = rests_that_found(1, 11, 21, 31, 41, output=output)
    assert rests.lets_by() == 6
    rests.note(output, 48, 1, float(48))
    assert rests.lets_by() == 0
    assert [rests.choose(number) for number in (48, 49)] == [None, None]
    assert rests.choose(50) == Begun(41.0, 10, 41.5)
    assert rests.lets_by() == 0  # the next call tells whether it was the last


def test_none_is_let_by_where_rests_come_at_odd_times() -> None:
    assert rests_that_found(1, 11, 21, 31, output=Output()).lets_by() == 0  # too few to tell
    assert rests_that_found(1, 11, 21, 31, 44, output=Output()).lets_by() == 0
    assert Rests().lets_by() == 0


def test_a_loop_whose_first_call_nobody_looked_at_is_as_long_as_those_before() -> None:
    output = Output()
    rests = rests_that_found(1, 11, 21, 30, 40, output=output)
    assert rests.lets_by() == 5  # of nine or ten calls: the last four of nine are looked at
    for number in range(46, 50):
        assert rests.choose(number - 1) is None
        rests.note(output, number, 1, float(number))
    assert rests.choose(49) == Begun(40.0, 10, 40.5)


def test_one_stretch_that_is_far_longer_does_not_hide_the_last_calls_of_those_behind_it() -> None:
    """As where a loop ends and another begins: four epochs of that had no time."""
    output = Output()
    rests = rests_that_found(1, 11, 21, 40, output=output)
    for number in range(41, 49):
        assert rests.choose(number) is None
        rests.note(output, number, 1, float(number))
    assert rests.choose(49) == Begun(40.0, 10, 40.5)


def test_calls_between_which_there_may_have_been_rests_belong_to_no_stretch_of_work() -> None:
    output = Output()
    rests = rests_that_found(1, 11, 21, 31, 41, output=output)
    rests.note(output, 60, 1, float(60))
    assert rests.choose(61) is None
    odd = rests_that_found(1, 11, 20, output=output)
    odd.note(output, 28, 1, float(28))
    assert odd.choose(29) is None


def test_calls_that_were_let_by_count_to_the_row_of_their_entry() -> None:
    """Nine steps and an evaluation: the last step has its turn though steps were let by."""
    output, rests = Output(), Rests()
    for number in range(1, 42):
        if number % 10 == 1:
            rests.found(number, (float(number), number + 0.5), 1)
        rests.note(output, number, 2 if number % 10 == 0 else 1, float(number))
    rests.note(output, 47, 1, float(47))
    rests.note(output, 49, 1, float(49))
    assert rests.choose(49) == Begun(41.0, 9, 41.5, of_one=True)


def test_the_end_of_nothing_but_steps_is_not_sought_from_a_rest_that_is_not_certain() -> None:
    output, rests = Output(), Rests()
    for number in range(1, 20):
        if number in (1, 11):
            rests.found(number, (float(number), number + 0.5), 1, certain=False)
        rests.note(output, number, 2 if number == 10 else 1, float(number))
    assert rests.choose(19) is None  # else its mean would rest on when the line began
    rests.note(output, 20, 2, float(20))
    assert rests.choose(20) == Begun(11.0, 10)


def test_an_output_that_nobody_holds_any_more_is_told_from_one_that_was_not_noted() -> None:
    output, rests = Output(), Rests()
    assert not rests.is_gone(1)
    rests.note(output, 1, 1, float(1))
    assert not rests.is_gone(2) and rests.before(2) is output
    del output
    assert rests.is_gone(2) and not rests.is_gone(3)


def test_pauses_grow_with_the_loop_and_begin_anew_with_another() -> None:
    rests = Rests()
    laps = [rests.laps(anew=False) for _ in range(200)]
    assert laps[:10] == [1] * 10 and laps == sorted(laps) and laps[-1] == 4
    assert rests.laps(anew=True) == 1


def test_a_loop_whose_second_call_finds_its_line_at_rest_too_is_no_other_one() -> None:
    """Its caller was held up after the first: the work begins with the second, and the loop has as many calls as before."""
    output, rests = Output(), Rests()
    for number in range(1, 100):
        if number % 20 == 1 or number == 82:
            rests.found(number, (float(number), number + 0.5), 1)
        rests.note(output, number, 1, float(number))
    assert rests.since == 82.0
    assert rests.choose(99) is None
    assert rests.choose(100) == Begun(82.0, 19, 82.5)


def test_until_the_last_calls_of_a_loop_came_of_late_none_need_be_looked_at() -> None:
    """They are let by until shortly before the time that it took: by how quick one call may be, most would be looked at."""
    output = Output()
    rests = rests_that_found(1, 11, 21, 31, 41, 51, 61, 71, 81, output=output)
    assert rests.quiet_until(each_s=3.0) == 81.0 + 0.75 * 6
    assert rests.quiet_until(each_s=3.1) == float("-inf")
    rests.note(output, 87, 1, 87.0)
    assert rests.quiet_until(each_s=1.0) == float("-inf")


def test_a_loop_that_is_quicker_than_those_before_has_the_next_looked_at_sooner() -> None:
    output = Output()
    rests = rests_that_found(1, 11, 21, 31, 41, 51, 61, 71, 81, output=output)
    rests.note(output, 89, 1, 84.5)  # the first of those to look at was made before
    rests.found(91, (91.0, 91.5), 1)
    rests.note(output, 91, 1, 91.0)
    assert rests.quiet_until(each_s=1.0) == 91.0 + 0.9 * 0.75 * 6


def test_behind_a_pause_the_first_call_of_a_loop_is_known_by_how_many_there_were() -> None:
    output = Output()
    rests = rests_that_found(*range(1, 92, 10), output=output)
    assert not rests.begins(101, each_s=1.0)  # the call before was noted, and tells
    rests.laps(anew=False)
    assert [number for number in range(92, 130) if rests.begins(number, each_s=1.0)] == [101, 111, 121]
    assert not rests.begins(101, each_s=4.0)  # of a short loop the next rest is seen soon
    odd = rests_that_found(*range(1, 82, 10), 90, 100, output=output)
    odd.laps(anew=False)
    assert not any(odd.begins(number, each_s=1.0) for number in range(101, 140))


def test_how_long_a_loop_of_more_calls_took_tells_nothing_of_one_of_fewer() -> None:
    output = Output()
    rests = rests_that_found(*range(1, 202, 20), *range(211, 252, 10), output=output)
    assert rests.lets_by() and rests.quiet_until(each_s=1.0) == float("-inf")
