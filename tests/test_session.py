"""Names of sessions: each becomes part of a path."""

import pytest

from wiretape.session import check_name


@pytest.mark.parametrize("name", ["default", "a", "7", "team-a", "pr_123", "v1.2", "a..b", "0" * 64, "a" + "-" * 63])
def test_a_name(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc",
            "a\\b",
            ".hidden",
            "-x",
            "_x",
            "Team",
            "é",
            "a b",
            "a\n",
            "a\x00b",
            "\n",
        ),
        *("a:b", "~", "*", "a%2fb", "0" * 65, "\uff41", "٣"),
    ],
)
def test_any_other_text_is_an_error_that_names_it_and_says_what_is_one(name: str) -> None:
    with pytest.raises(ValueError, match="no session name: 1 to 64 of a-z, 0-9") as raised:
        check_name(name)
    assert repr(name) in str(raised.value)
