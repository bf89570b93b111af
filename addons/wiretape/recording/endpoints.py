"""What the files of the public recorder have of single endpoints. Under ``model``, ``checks`` and ``normal_form``.

A file has the same form whatever endpoint it is of, but for what is here. What an API sends and answers is no matter of
the file: that is known in ``providers``, and a new endpoint needs nothing here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelList:
    """How the answer of an endpoint that lists models is kept. The name of its file has a digest of the models."""

    key: str
    """The member that names a model."""
    is_one_object: bool
    """Whether the list is one element, which has the models in it; else each model is one."""


MODEL_LISTS = {
    "/v1/models": ModelList("id", is_one_object=False),
    "/api/tags": ModelList("model", is_one_object=True),
}
"""The endpoints that list models."""

MODEL = "openai.types.model.Model"
"""The class of a model that is an element."""

WITH_EXTRA_BODY = frozenset({"/v1/completions"})
"""Endpoints of which the form 2025-09 says what else was sent, be it nothing."""

KEEPING_ANSWERS = frozenset({"/v1/responses"})
"""Endpoints whose provider keeps an answer unless it is told not to, so that a client may send its id back."""
