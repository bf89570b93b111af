import pytest
from app import ask_in_pieces


@pytest.mark.parametrize("number", range(40))
def test_streams(client, number):
    question = f"Count to {number}."
    assert ask_in_pieces(client, question).endswith(question)
