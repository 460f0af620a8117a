"""What some work made and left behind is found without a look at all that is alive."""

import gc

from jupyter_jitmagic.sandbox.made import made_since


class Made:
    pass


def of_kind(found):
    return [each for each in found if type(each) is Made]


def test_what_was_made_and_is_held_is_listed_and_nothing_else():
    """Neither what was there before, nor what nobody holds any more, rings of objects included."""
    before = Made()
    with made_since() as made:
        held = [Made() for _ in range(3)]
        ring, other = Made(), Made()
        ring.other, other.other = other, ring
        del ring, other
        Made()
        assert {id(each) for each in of_kind(made())} == {id(each) for each in held}
        late = Made()
        assert any(each is late for each in of_kind(made()))
    assert before is not None


def test_the_collector_goes_on_afterwards_as_it_did():
    for collects in (True, False):
        (gc.enable if collects else gc.disable)()
        try:
            with made_since():
                assert not gc.isenabled()
            assert gc.isenabled() == collects
        finally:
            gc.enable()
