"""What the files of single endpoints have: spelled out, as files of others depend on it."""

from wiretape.recording import endpoints
from wiretape.recording.endpoints import ModelList


def test_lists_of_models() -> None:
    assert {
        "/v1/models": ModelList("id", is_one_object=False),
        "/api/tags": ModelList("model", is_one_object=True),
    } == endpoints.MODEL_LISTS
    assert endpoints.MODEL == "openai.types.model.Model"


def test_endpoints_with_members_of_their_own() -> None:
    assert {"/v1/completions"} == endpoints.WITH_EXTRA_BODY
    assert {"/v1/responses"} == endpoints.KEEPING_ANSWERS
