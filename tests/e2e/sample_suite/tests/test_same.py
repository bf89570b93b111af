"""The same call in several tests: one recording, unless the test says otherwise."""

import pytest
from app import ask


@pytest.mark.parametrize("number", range(6))
def test_shares_a_recording(client, number):
    assert ask(client, "What is the capital of France?").endswith("France?")


@pytest.mark.wiretape(takes="sequence")
def test_has_a_recording_for_each_time(client):
    assert ask(client, "Roll the dice.") != ask(client, "Roll the dice.")


@pytest.mark.wiretape(isolated=True)
@pytest.mark.parametrize("number", range(2))
def test_has_a_recording_of_its_own(client, number):
    assert ask(client, "Roll the dice.").endswith("dice.")
