"""What the files of recordings are called."""

import pytest

from builders import chat
from wiretape.recording import RecordedRequest
from wiretape.tape.names import disambiguated_name, second_name, take_name, take_of

MODELS = RecordedRequest("https://api.openai.com/v1/v1/models", {}, "/v1/models")
IDENTITY = "abcdefghij"


def test_the_first_take_has_the_name_itself() -> None:
    assert [take_name("0123", number) for number in (1, 2, 10)] == ["0123", "0123.2", "0123.10"]


@pytest.mark.parametrize(
    ("name", "take"),
    [("0123", ("0123", 1)), ("0123.2", ("0123", 2)), ("0123.10", ("0123", 10)), ("0123.x", ("0123.x", 1))],
)
def test_a_name_tells_which_take_it_is(name: str, take: tuple[str, int]) -> None:
    assert take_of(name) == take


def test_another_requests_name_is_told_apart_by_the_identity() -> None:
    assert disambiguated_name("0123", IDENTITY) == "0123-abcdefgh"


@pytest.mark.parametrize("name", ["0123", "0123-abcdefgh"])
def test_the_second_name_follows_from_either(name: str) -> None:
    assert second_name(name, chat("Hello"), IDENTITY, None) == "0123-abcdefgh"
    assert second_name(name, chat("Hello"), IDENTITY, "test_a") == "0123-abcdefgh"  # Its first name tells the test.


def test_the_second_name_of_a_list_of_models_tells_the_test() -> None:
    of_none = second_name("models-0123-4567", MODELS, IDENTITY, None)
    assert of_none == "models-0123-4567-abcdefgh"
    names = {second_name("models-0123-4567", MODELS, IDENTITY, test) for test in ("a", "b")}
    assert len(names) == 2
    assert of_none not in names
    for test in ("a", "b"):
        second = second_name("models-0123-4567", MODELS, IDENTITY, test)
        assert second_name(second, MODELS, IDENTITY, test) == second
