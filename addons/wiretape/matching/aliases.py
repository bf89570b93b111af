"""Ids that the form 2026 has put for those of an answer, in the next request, which sends them back. Beside the tape.

A client that is played an answer of the form 2026, without its capture, gets ``rec-e99f14805360`` where the provider
said ``resp_68ab``, and goes on from that: as ``previous_response_id``, in a list of items, in a URL. Its request was
recorded with the id that came, so a request is looked up with that one too. Nothing that goes out is changed.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from wiretape.recording import ID_PREFIX, JSON, RecordedRequest

_ID = re.compile(ID_PREFIX + "[0-9a-f]{12}")
_ID_IN_PATH = re.compile(f"(?<=/){_ID.pattern}(?=[/?#]|$)")

_MOST = 16
"""Ids of one request that are looked for."""


def readings(request: RecordedRequest, came: Callable[[str], Sequence[str]]) -> Iterator[RecordedRequest]:
    """Yield a request as its client would have sent it to the provider, the likeliest reading first.

    ``came`` gives the ids that an id of the form 2026 stands for: several, where there are several takes.
    """
    ids = {each: found for each in _ids(request) if (found := came(each))}
    for turn in range(max(map(len, ids.values()), default=0)):
        yield _renamed(request, {each: found[min(turn, len(found) - 1)] for each, found in ids.items()})


def _ids(request: RecordedRequest) -> list[str]:
    found = dict.fromkeys(_ID_IN_PATH.findall(request.url))
    waiting: list[JSON] = [request.body]
    while waiting and len(found) < _MOST:
        match waiting.pop():
            case dict() as value:
                waiting += value.values()
            case list() as value:
                waiting += value
            case str() as value if value.startswith(ID_PREFIX) and _ID.fullmatch(value):
                found[value] = None
    return [*found]


def _renamed(request: RecordedRequest, names: Mapping[str, str]) -> RecordedRequest:
    url = _ID_IN_PATH.sub(lambda match: names.get(match[0], match[0]), request.url)
    return replace(request, url=url, body={key: _value(value, names) for key, value in request.body.items()})


def _value(value: JSON, names: Mapping[str, str]) -> JSON:
    match value:
        case dict():
            return {key: _value(item, names) for key, item in value.items()}
        case list():
            return [_value(item, names) for item in value]
        case str():
            return names.get(value, value)
    return value
