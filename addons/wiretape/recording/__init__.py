"""One exchange as a file: what a recording is, its JSON text, its names, and the capture of the wire beside it.

``model``        a recording as values, and the hashes that name it
``endpoints``    what files have of single endpoints
``who_asked``    whether an error is about who asks, whatever its status says
``normal_form``  a new recording, without what differs from call to call
``format``       a recording <-> the bytes of its file; ``checks``: what must be true of its JSON
``hashing``      how the versions of the public recorder hash a request
``capture``      an answer's own bytes and times <-> JSON text
"""

from wiretape.recording.endpoints import MODEL_LISTS
from wiretape.recording.format import dumps, dumps_parts, encoded, loads, loads_request, read_request
from wiretape.recording.model import (
    ENDED_EARLY,
    JSON,
    RecordedRequest,
    RecordedResponse,
    Recording,
    digest,
    in_form,
    request_hash,
    request_name,
)
from wiretape.recording.normal_form import ID_MAPPING, ID_PREFIX, as_it_came, is_model, make

__all__ = [
    "ENDED_EARLY",
    "ID_MAPPING",
    "ID_PREFIX",
    "JSON",
    "MODEL_LISTS",
    "RecordedRequest",
    "RecordedResponse",
    "Recording",
    "as_it_came",
    "digest",
    "dumps",
    "dumps_parts",
    "encoded",
    "in_form",
    "is_model",
    "loads",
    "loads_request",
    "make",
    "read_request",
    "request_hash",
    "request_name",
]
