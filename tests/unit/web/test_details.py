"""What a recording's page shows."""

import json
from pathlib import Path

import pytest

from harness import wait_until
from looked_at import write
from samples import CHAT
from wiretape.library.timeline import Moment
from wiretape.store.opening import open_store
from wiretape.web import details
from wiretape.web.shelf import Shelf

SAID = [
    {"role": "user", "content": "Is it raining?"},
    {"role": "assistant", "content": "Where?"},
    {"role": "user", "content": "In Tokyo."},
    {"role": "assistant", "content": "Yes."},
]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    write(tmp_path, "default", "00000000000a", messages=SAID[:1])
    write(tmp_path, "default", "00000000000b", messages=SAID[:3], temperature=0.5)
    write(tmp_path, "default", "00000000000b.2", messages=SAID[:3], temperature=0.5)
    write(tmp_path, "default", "00000000000b.10", messages=SAID[:3], temperature=0.5)
    write(tmp_path, "default", "00000000000c", messages=[*SAID, {"role": "user", "content": "Thanks."}])
    write(tmp_path, "default", "0000000000b0", messages=SAID[:1], model="another")
    made = Shelf(open_store(str(tmp_path)))
    wait_until(lambda: made.page("default").unread == 0)
    return made


def shown(shelf: Shelf, name: str) -> dict[str, object]:
    shelved = shelf.shelved("default", name)
    assert shelved
    return details.of(shelf, shelved, is_live=False)


def test_what_is_new_since_the_call_before_is_known(shelf: Shelf) -> None:
    before = shown(shelf, "00000000000b")["before"]
    assert isinstance(before, details.Before)
    assert (before.shelved.name, before.count) == ("00000000000a", 1), "of two the one of the same model"
    assert [each.path for each in before.others] == ["temperature"]
    later = shown(shelf, "00000000000c")["before"]
    assert isinstance(later, details.Before)
    assert later.count == 3
    assert shown(shelf, "00000000000a")["before"] is None


def test_other_takes_stand_beside_it(shelf: Shelf) -> None:
    takes = shown(shelf, "00000000000b.2")["takes"]
    assert isinstance(takes, list)
    assert [take.name for take in takes] == ["00000000000b", "00000000000b.10"]
    assert takes[0].answers
    assert shown(shelf, "00000000000a")["takes"] == []


def test_a_take_that_is_no_recording_is_left_out(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "default" / "responses" / "00000000000a.2.json").write_text("{")
    assert shown(shelf, "00000000000a")["takes"] == []


def test_a_very_long_answer_is_played_as_far_as_a_page_can_hold_it() -> None:
    moments = [Moment(float(number), 1, "x" * 1000) for number in range(2000)]
    assert len(json.dumps(details.playable(moments))) < 600_000
    assert details.playable([Moment(1.0, 1, ""), Moment(2.04, 1, "a", is_thought=True)]) == [[2.0, "a", 1]]


def test_a_file_whose_capture_is_not_its_own_has_no_times(shelf: Shelf) -> None:
    values = shown(shelf, "00000000000a")
    assert values["timeline"] is None
    assert values["form"] == "2025-09"
    assert CHAT.stem not in str(values["name"])
