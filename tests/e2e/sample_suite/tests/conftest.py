import openai
import pytest
from app import ask


@pytest.fixture
def client():
    with openai.OpenAI(max_retries=0) as client:
        yield client


@pytest.fixture(scope="session")
def rules():
    """What several files share: whichever test needs it first, the call is not that test's."""
    with openai.OpenAI(max_retries=0) as client:
        return ask(client, "What are the rules?")
