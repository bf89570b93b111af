import gc

import pytest

from wiretape.tape.collecting import without_collector


def test_no_garbage_is_looked_for_meanwhile_and_then_as_before() -> None:
    assert gc.isenabled()
    with without_collector():
        with without_collector():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_so_it_is_where_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), without_collector():
        raise ZeroDivisionError
    assert gc.isenabled()
