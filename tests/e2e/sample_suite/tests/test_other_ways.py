import shutil

import app
import pytest


@pytest.mark.skipif(not shutil.which("node"), reason="node is not on the path")
def test_a_program_in_node_answers():
    assert app.ask_in_node("Which language is this?").endswith("Which language is this?")


@pytest.mark.parametrize("guest", ["whoever comes", "the host", *range(8)])
def test_swallows_an_error(guest):
    assert app.greet(f"Greet {guest}.")
