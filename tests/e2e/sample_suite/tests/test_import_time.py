import app
import pytest


@pytest.mark.parametrize("number", range(39))
def test_a_client_made_at_import_answers(number):
    question = f"How many are {number}?"
    assert app.ask(app.shared, question).endswith(question)


def test_follows_the_rules(rules):
    assert rules.endswith("What are the rules?")
