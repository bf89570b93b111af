"""Who may import whom: no arrow upwards, no circle, and libraries of others where they belong."""

import pytest

from imports import ORDER, OUTSIDE, RULES, between_rooms, imported, modules, room

RANK = {name: number for number, names in enumerate(ORDER) for name in names}


def test_every_room_has_its_place() -> None:
    rooms = {room(name) for name, _ in modules()} - {"", "__main__"}
    assert rooms <= RANK.keys()


def test_no_import_runs_upwards() -> None:
    upwards = {
        f"{source} -> {target}": why
        for (source, target), why in between_rooms().items()
        if source != "__main__" and RANK[target] >= RANK[source]
    }
    assert upwards == {}


@pytest.mark.parametrize("name", RULES)
def test_a_room_imports_what_it_may(name: str) -> None:
    targets = {target: why for (source, target), why in between_rooms().items() if source == name}
    assert {target: why for target, why in targets.items() if target not in RULES[name]} == {}


@pytest.mark.parametrize("library", OUTSIDE)
def test_a_library_of_others_is_known_where_it_belongs(library: str) -> None:
    for name, path in modules():
        if any(each.partition(".")[0] == library for each in imported(path)):
            assert room(name) in OUTSIDE[library], f"{name} imports {library}"
