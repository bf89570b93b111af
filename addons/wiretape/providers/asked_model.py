"""Which model a request asks for: most APIs say it in the body, some in the URL. Data."""

import re

from wiretape.recording import RecordedRequest

_IN_URLS = re.compile(r"/(?:models?|tunedModels|deployments)/([^/:?]+(?:%3A[^/:?]+|:\d+(?=/))?)", re.IGNORECASE)
"""Where a URL names the model: Gemini's, Bedrock's, Azure's. Those of Bedrock have a colon in them."""


def model_of(request: RecordedRequest) -> str:
    """Return which model a request asks for: by its body, else by its URL; empty where neither says it."""
    if request.model:
        return request.model
    match = _IN_URLS.search(request.url)
    return match[1].replace("%3A", ":").replace("%3a", ":") if match else ""
