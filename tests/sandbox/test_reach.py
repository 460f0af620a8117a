"""What code can touch is told before it runs: what nothing changes is no obstacle."""

from jupyter_jitmagic.sandbox.reach import Reach

Number = int | float
Rows = list[int] | None


def test_a_union_of_types_is_nothing_that_changes():
    def told(x: Number) -> bool:
        return isinstance(x, Number) and Rows is not None

    assert Reach(told).obstacle == ""
