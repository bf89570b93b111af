"""Values of which anybody may have written any."""

from typing import Any

import pytest

from wiretape.library.loosely import list_of, object_of


@pytest.mark.parametrize("value", [None, 1, "text", True, ("a",)])
def test_what_is_of_another_kind_counts_as_empty(value: Any) -> None:
    assert (list_of(value), object_of(value)) == ([], {})


def test_what_is_of_the_kind_is_the_very_same() -> None:
    items = [1]
    members = {"a": 1}
    assert list_of(items) is items
    assert object_of(members) is members
    assert (list_of(members), object_of(items)) == ([], {})
