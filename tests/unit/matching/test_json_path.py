import pytest

from wiretape.matching.json_path import compiled, names, numbers


@pytest.mark.parametrize("path", ["metadata", "$.a[", "$.a[?", "$.tools[?@.name=='b'"])
def test_what_is_no_path_is_said(path: str) -> None:
    with pytest.raises(ValueError, match="is no JSONPath"):
        compiled(path)


def test_a_path_is_walked_here_or_by_the_library() -> None:
    assert compiled("$.a[*]['b c'][\"d\"][3].*").steps == ("a", None, "b c", "d", 3, None)
    assert compiled("$").steps == ()
    for path in ("$..a", "$.a[1:]", "$.a[?@.b]", "$.a[?@.b == 1]", "$.a['b','c']", "$.a[-1]"):
        assert compiled(path).steps is None


def test_a_step_leads_to_what_is_there() -> None:
    assert names(None, {"b": 1, "a": 2}) == ["a", "b"]
    assert [*names("a", {"b": 1, "a": 2})] == ["a"]
    assert [*names("c", {"b": 1})] == [*names(0, {"b": 1})] == []
    assert [*numbers(None, ["x", "y"])] == [0, 1]
    assert [*numbers(1, ["x", "y"])] == [1]
    assert [*numbers(2, ["x", "y"])] == [*numbers("a", ["x"])] == []
