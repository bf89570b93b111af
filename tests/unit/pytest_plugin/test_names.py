from itertools import combinations

import pytest

from wiretape.pytest_plugin import names
from wiretape.sessions.model import check_name

FILES = (
    "test_chat.py",
    "tests/test_chat.py",
    "tests/test-chat.py",
    "tests/Test_Chat.py",
    "tests/unit/test_chat.py",
    "tests/unit.test_chat.py",
    "tests/überlang & co/test_chat.py",
    "../elsewhere/test_chat.py",
    "aux/test_chat.py",
    "con.py",
    "-.py",
    "a" * 300 + ".py",
    "a" * 301 + ".py",
    "docs/guide.md",
)


@pytest.mark.parametrize("file", FILES)
def test_a_file_has_a_session_whose_name_is_valid_everywhere(file: str) -> None:
    name = names.session_of(file)
    assert check_name(name) == name
    assert len(name) <= 64
    assert name.partition(".")[0] not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
    assert not name.endswith((".", " "))


def test_a_plain_path_can_be_read_in_it() -> None:
    assert names.session_of("tests/unit/test_chat.py") == "tests.unit.test_chat"


def test_no_two_files_have_one_session() -> None:
    assert all(names.session_of(one) != names.session_of(two) for one, two in combinations(FILES, 2))


@pytest.mark.parametrize("node_id", ["tests/test_a.py::test_b", "test_a.py::TestC::test_b[gpt-4o-3]"])
def test_a_test_is_called_as_its_node(node_id: str) -> None:
    assert names.id_of(node_id) == node_id


@pytest.mark.parametrize("parameters", ["a text of 5 kB " * 300, "a/b\\c:d", "[]", "é", "x" * 41])
def test_parameters_that_are_long_or_odd_are_told_by_a_digest(parameters: str) -> None:
    named = names.id_of(f"test_a.py::test_b[{parameters}]")
    assert named.startswith("test_a.py::test_b[")
    assert named.endswith("]")
    assert len(named) < 60
    assert named.isascii()
    assert named != names.id_of(f"test_a.py::test_b[{parameters}!]")
