from typing import Any

from wiretape.matching import reduction
from wiretape.matching.built_in import BUILT_IN
from wiretape.matching.reduction import Reduced
from wiretape.matching.rules import Kind, MatchContext, MatchPolicy, MatchRule, Places, Replacement
from wiretape.providers.answers import HttpResponse
from wiretape.recording import RecordedRequest

ENDPOINT = "/v1/chat/completions"
RULES = MatchPolicy(BUILT_IN).rules_for(MatchContext(endpoints=(ENDPOINT,)))
OWN = MatchRule("own", kinds=(Kind.PATHS, Kind.DATES), replace=(Replacement(r"Working directory: (\S+)", name="cwd"),))


def chat(call_id: str, text: str = "Hello", **more: Any) -> RecordedRequest:
    messages = [
        {"role": "user", "content": text},
        {"role": "assistant", "tool_calls": [{"id": call_id, "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": call_id, "content": "x"},
    ]
    return RecordedRequest(f"https://api.openai.com/v1{ENDPOINT}", {"messages": messages, **more}, ENDPOINT)


def reduced(request: RecordedRequest, *more: MatchRule) -> Reduced:
    return reduction.reducer((*RULES, *more)).reduce(request, Places())


def test_what_no_provider_answers_by_makes_no_difference() -> None:
    recorded = reduced(chat("one", prompt_cache_key="a"))
    present = reduced(chat("two", prompt_cache_key="b"))
    assert recorded.digest == present.digest
    assert reduction.needed(recorded, present) == ("prompt-cache-key", "call-ids")
    assert recorded.digest != reduced(chat("one", "Another question")).digest


def test_directories_and_their_names_are_bound() -> None:
    recorded = reduced(chat("one", "Working directory: /home/a/proj\n/home/a/proj/x -home-a-proj 2026-11-27"), OWN)
    present = reduced(chat("one", "Working directory: /work/q\n/work/q/x -work-q 2026-11-28"), OWN)
    assert recorded.digest == present.digest
    answer = HttpResponse(200, (("content-type", "text/plain"),), (b"/home/a/proj/x -home-a-proj 2026-11-27",))
    assert reduction.bindings(recorded, present).rewrite(answer).body == b"/work/q/x -work-q 2026-11-28"


def test_another_directory_is_another_one() -> None:
    recorded = reduced(chat("one", "Working directory: /home/a/proj\n/home/a/project"), OWN)
    present = reduced(chat("one", "Working directory: /home/a/proj\n/home/a/proj"), OWN)
    assert recorded.digest != present.digest


def test_a_directory_of_several_paths_is_one() -> None:
    by = reduction.reducer((OWN,))
    recorded = by.reduce(chat("one", "in /link/proj and /real/proj"), Places(cwd=("/link/proj", "/real/proj")))
    present = by.reduce(chat("one", "in /work/q and /work/q"), Places(cwd=("/work/q",)))
    assert recorded.digest == present.digest
    bound = {each.recorded: each.present for each in reduction.bound(recorded, present)}
    assert bound == {"/link/proj": "/work/q", "/real/proj": "/work/q"}
    assert reduction.distance(recorded, present) == 2


def test_a_recording_tells_the_paths_that_its_texts_name() -> None:
    places = Places(cwd=("/link/proj", "/real/proj"), home=("/home/a",), tmp=("/tmp/x", "/private/tmp/x"))
    stored = reduction.with_places(chat("one", "in /link/proj, /real/proj, /tmp/x"), places)
    assert stored.extra == {"places": {"cwd": ["/link/proj", "/real/proj"], "tmp": "/tmp/x"}}
    assert reduction.places_of(stored) == Places(cwd=("/link/proj", "/real/proj"), tmp=("/tmp/x",))
