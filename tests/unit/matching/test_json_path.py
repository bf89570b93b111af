from typing import Any

import pytest

from wiretape.matching.json_path import REMOVED, compiled, edit
from wiretape.matching.marks import JsonText

BODY: Any = {
    "metadata": {"user_id": '{"session_id":"s","device":"d"}', "x": 1},
    "tools": [{"name": "b", "q": 1}, {"name": "a"}],
}


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("$.metadata.user_id.session_id", {"metadata": {"user_id": JsonText({"device": "d"}), "x": 1}}),
        ("$.tools[?@.name=='b'].q", {"tools": [{"name": "b"}, {"name": "a"}]}),
        ("$.tools[?@.name != 'b']", {"tools": [{"name": "b", "q": 1}]}),
        ("$..name", {"tools": [{"q": 1}, {}]}),
        ("$.tools[1:]", {"tools": [{"name": "b", "q": 1}]}),
        ("$.tools[0]", {"tools": [{"name": "a"}]}),
        ("$['metadata']['x']", {"metadata": {"user_id": BODY["metadata"]["user_id"]}}),
        ("$.nothing[*].there", {}),
    ],
)
def test_what_is_at_a_path_goes(path: str, changed: dict[str, Any]) -> None:
    assert edit(compiled(path), BODY, lambda _value, _place: REMOVED) == {**BODY, **changed}


@pytest.mark.parametrize("path", ["metadata", "$.a[", "$.a[?", "$.tools[?@.name=='b'"])
def test_what_is_no_path_is_said(path: str) -> None:
    with pytest.raises(ValueError, match="is no JSONPath"):
        compiled(path)
