"""Where something stands in a text, and what is put there: in a whole text, and over its pieces."""

import pytest

from wiretape.rewriting.spans import Places, Span, distribute, merged, replaced


def span(start: int, end: int, replacement: str = "*") -> Span:
    return Span(start, end, "d", replacement)


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ([], []),
        ([span(1, 2)], [span(1, 2)]),
        ([span(4, 5), span(1, 2)], [span(1, 2), span(4, 5)]),
        ([span(1, 3), span(3, 5)], [span(1, 3), span(3, 5)]),
        ([span(1, 3, "a"), span(2, 5, "b")], [span(1, 5, "a")]),
        ([span(1, 9, "a"), span(2, 5, "b")], [span(1, 9, "a")]),
        ([span(1, 3, "a"), span(1, 5, "b")], [span(1, 5, "b")]),
        ([span(1, 3, "a"), span(2, 5, "b"), span(4, 7, "c")], [span(1, 7, "a")]),
    ],
)
def test_of_those_that_overlap_one_for_all(found: list[Span], kept: list[Span]) -> None:
    assert merged(found) == kept


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ([], "0123456789"),
        ([span(0, 1)], "*123456789"),
        ([span(9, 10)], "012345678*"),
        ([span(2, 4, "--"), span(4, 6, "")], "01--6789"),
        ([span(0, 10, "")], ""),
    ],
)
def test_a_text_with_what_replaces_them(found: list[Span], text: str) -> None:
    assert replaced("0123456789", found) == text
    assert "".join(distribute(["0", "12", "", "3456", "789"], found)) == text


@pytest.mark.parametrize(
    ("pieces", "found", "out"),
    [
        (["ab", "cd"], [], ["ab", "cd"]),
        (["ab", "cd"], [span(0, 1)], ["*b", "cd"]),
        (["ab", "cd"], [span(1, 3)], ["a*", "d"]),
        (["ab", "cd"], [span(2, 3)], ["ab", "*d"]),
        (["a", "b", "c", "d"], [span(0, 3)], ["*", "", "", "d"]),
        (["abcd"], [span(0, 1), span(2, 3, "!")], ["*b!d"]),
        (["ab", "cd", "ef"], [span(1, 3), span(3, 5, "!")], ["a*", "!", "f"]),
        ([], [], []),
    ],
)
def test_pieces_keep_their_number(pieces: list[str], found: list[Span], out: list[str]) -> None:
    assert [*distribute(pieces, found)] == out


def test_places_of_bytes_are_places_of_characters() -> None:
    text = "aü€😀z"
    data = text.encode()
    places = Places(data)
    assert places.span(0, 1) == (0, 1)
    assert places.span(1, 3) == (1, 2)
    assert places.span(6, 10) == (3, 4)
    assert places.span(10, 11) == (4, 5)
    assert Places(b"plain").span(2, 4) == (2, 4)
    assert Places("\ud800x".encode("utf-8", "surrogatepass")).span(3, 4) == (1, 2)
