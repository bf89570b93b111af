import pytest
from app import ask


@pytest.mark.parametrize("number", range(48))
def test_answers(client, number):
    question = f"What is {number} and {number}?"
    assert ask(client, question).endswith(question)


@pytest.mark.parametrize("name", ["Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus"])
def test_greets(client, name):
    assert ask(client, f"Greet {name}.").endswith(f"Greet {name}.")


@pytest.mark.parametrize("text", ["a long text, " * 40, "Grüße an alle", 'a/b\\c:d*e?f"g<h>i|j'])
def test_has_parameters_that_no_file_could_be_called(client, text):
    assert ask(client, text).endswith(text)


def test_asks_twice(client):
    first = ask(client, "Tell a joke.")
    assert ask(client, "Tell another one.") != first


def test_follows_the_rules(client, rules):
    assert rules.endswith("What are the rules?")
    assert ask(client, "Follow them.").endswith("Follow them.")
