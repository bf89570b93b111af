from typing import Any

import pytest

from wiretape.pytest_plugin import marks
from wiretape.pytest_plugin.marks import Marked
from wiretape.pytest_plugin.modes import RunMode


@pytest.fixture
def item(request: pytest.FixtureRequest) -> pytest.Item:
    """The test itself, with the markers that it is given."""
    node: pytest.Item = request.node
    return node


def marked(item: pytest.Item, said: dict[str, Any]) -> Marked:
    """What a marker says."""
    item.add_marker(pytest.mark.wiretape(**said))
    return marks.marked(item)


def test_without_a_marker_nothing_is_said(item: pytest.Item) -> None:
    assert marks.marked(item) == Marked()


def test_all_of_it_is_read(item: pytest.Item) -> None:
    said = {
        "session": "shared",
        "mode": "replay",
        "pace": "2x",
        "match": ["exact"],
        "takes": "sequence",
        "isolated": True,
    }
    assert marked(item, said) == Marked("shared", RunMode.REPLAY, "2x", ("exact",), "sequence", True)


def test_the_nearest_marker_counts_for_what_it_says(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.wiretape(session="of-the-module", pace="2x"))
    item.add_marker(pytest.mark.wiretape(session="of-the-test"), append=False)
    assert marks.marked(item) == Marked("of-the-test", pace="2x")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"sesion": "a"}, "unknown argument sesion: did you mean session"),
        ({"session": "No/Name"}, "no session name"),
        ({"mode": "once"}, "no mode: the modes are replay"),
        ({"pace": "fast"}, "no pace"),
        ({"takes": "some"}, "no choice of takes"),
        ({"isolated": "yes"}, "True or False"),
    ],
)
def test_what_is_wrong_is_told_with_the_test(item: pytest.Item, said: dict[str, Any], problem: str) -> None:
    with pytest.raises(pytest.UsageError, match=rf"test_what_is_wrong.*wiretape: .*{problem}"):
        marked(item, said)


def test_it_takes_no_value_without_a_name(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.wiretape("checkout"))
    with pytest.raises(pytest.UsageError, match="without a name: 'checkout'"):
        marks.marked(item)
