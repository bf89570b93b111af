"""How each version of the public recorder names a request, beside what its own code says."""

import json
from typing import Any

import pytest

from wiretape.recording import RecordedRequest, digest, hashing, in_form, request_name
from wiretape.recording.hashing import NEWEST, OLDEST, RULES

TEST = "tests/integration/test_a.py::test_b"
UUID = "53cc83a4-3e38-412d-90c3-d9e4b6cb8b62"
FOUND = (
    f"[1] document_id: {UUID}, score: 0.0033899223880745244, attributes: {{'page': 1.0}} cite as <|{UUID}|>\n"
    "score: -1e-5 , attributes:\n{} attributes: {never closed"
)
OPENAI = "https://api.openai.com/v1/v1"


def chat(base: str, **body: Any) -> RecordedRequest:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], **body}
    return RecordedRequest(f"{base}/chat/completions", asked, "/v1/chat/completions", test_id=TEST)


def models(url: str, **body: Any) -> RecordedRequest:
    return RecordedRequest(url, body, "/v1/models", test_id=TEST)


REQUESTS = [
    chat(OPENAI),
    chat(OPENAI, temperature=0.123456789, user="0.123456789 -12.34567 1.2"),
    chat("https://bedrock-mantle.test/v1/v1", stream_options={"include_usage": True}),
    chat(OPENAI, extra_body={"project_id": "p", "top_k": 1}, extra_query={"project_id": "p", "v": "1"}),
    chat(OPENAI, tools=[{"extra_body": {"project_id": "p"}}], metadata={"extra_body": {"project_id": "p"}}),
    chat(OPENAI, messages=[{"role": "tool", "content": [{"type": "text", "text": FOUND}]}]),
    models(f"{OPENAI}/models"),
    models("http://localhost:8000/v1/v1/models"),
    models("http://LOCALHOST:8000/v1/models"),
    models("http://127.0.0.1/v1/openai/v1/models"),
    models("http://0.0.0.0:11434/api/tags"),
    models("https://us-south.ml.cloud.ibm.com/ml/v1/v1/models", extra_query={"project_id": "p"}),
    RecordedRequest(
        "https://api.anthropic.com/v1/messages", {"model": "m", "extra_body": {"project_id": FOUND}}, "", test_id=TEST
    ),
]

KNOWN = {
    "llama-stack 0.2": "7a75f7 16eb0d 409bcc c30a10 8a710c bf6e10 bd032f bd032f 3a641f 5561e2 4a3a44 b461b2 ------",
    "October 2025": "199caa aa0e06 eb5db3 e8fe37 53e93f 2a2228 a04a3e a04a3e 3a641f a912bf 4a3a44 7e2fa9 ------",
    "llama-stack 0.3": "199caa e5543e eb5db3 e8fe37 53e93f 245d1c a04a3e a04a3e 3a641f a912bf 4a3a44 7e2fa9 ------",
    "llama-stack 0.5.4": "199caa e5543e 199caa e8fe37 53e93f 245d1c a04a3e a04a3e 3a641f 5561e2 4a3a44 7e2fa9 ------",
    "llama-stack 0.7.3": "199caa e5543e 199caa 801bd6 cee5be 245d1c a04a3e a04a3e 3a641f 5561e2 4a3a44 477080 885d32",
    "ogx 0.8.0": "199caa e5543e 199caa 801bd6 cee5be edf3df a04a3e a04a3e 3a641f 5561e2 4a3a44 477080 885d32",
    "ogx 1.0.4": "199caa e5543e 199caa 801bd6 cee5be edf3df a04a3e a04a3e 3a641f 5561e2 4a3a44 477080 885d32",
    "ogx 1.2.5": "199caa e5543e 199caa 801bd6 cee5be edf3df 64a227 a04a3e 0f7ee7 ccf0de 348d3b 83953d 885d32",
    "ogx 1.5.0": "199caa e5543e 199caa 801bd6 cee5be edf3df 64a227 a04a3e 0f7ee7 a912bf a57cff 83953d 885d32",
}
"""What the code of each version says of the requests, the first six digits; a dash where it has no such request."""

RULE_OF = {rule.since: rule for rule in RULES} | {"ogx 1.0.4": next(r for r in RULES if r.since == "ogx 0.8.0")}


@pytest.mark.parametrize("version", KNOWN)
def test_a_request_is_hashed_as_by_the_code_of_a_version(version: str) -> None:
    for asked, known in zip(REQUESTS, KNOWN[version].split(), strict=True):
        if "-" not in known:
            assert digest(asked, RULE_OF[version])[:6] == known, asked


def test_the_table_has_every_rule_that_a_release_has() -> None:
    assert set(KNOWN) == RULE_OF.keys() - {"April 2026"}
    assert (RULES[0], RULES[-1]) == (NEWEST, OLDEST)


def test_the_rule_that_was_never_released_leaves_out_scores_and_attributes_alone() -> None:
    """As some thirty public recordings of April 2026 are named."""
    rule = RULE_OF["April 2026"]
    plain = chat(OPENAI, messages=[{"role": "tool", "content": "a attributes: {} b score: 1"}])
    other = chat(OPENAI, messages=[{"role": "tool", "content": "a, attributes: {'x': 1} b score: 2.5"}])
    assert digest(plain, rule) == digest(other, rule)
    cited = chat(OPENAI, messages=[{"role": "tool", "content": f"<|{UUID}|>"}])
    assert digest(cited, rule) != digest(cited, NEWEST)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a, attributes: {'x': 1} b", "a b"),
        ("a ,  \n attributes:{}b", "a b"),
        ("a,attributes: {}, attributes: {}", "a"),
        ("a,, attributes: {}", "a,"),
        ("attributes: {a attributes: {b} c}", " c}"),
        ("attributes: {", "attributes: {"),
        ("attributes: x, attributes: {}", "attributes: x"),
        ("{} attributes:", "{} attributes:"),
        ("\u2028\x1c attributes:\xa0{\n}", ""),
    ],
)
def test_the_attributes_that_a_search_gave(text: str, left: str) -> None:
    assert hashing.without_attributes(text) == left


def test_a_form_says_in_its_own_way_that_nothing_else_was_sent() -> None:
    bare = RecordedRequest(f"{OPENAI}/completions", {"model": "m", "prompt": "p"}, "/v1/completions")
    said = RecordedRequest(bare.url, {**bare.body, "extra_body": {}}, bare.endpoint)
    assert in_form(bare, "2025-09") == in_form(said, "2025-09") == said
    assert in_form(bare, "2026") == in_form(said, "2026") == bare
    for form in ("2025-09", "2026"):
        assert request_name(bare, form) == request_name(said, form)
    more = RecordedRequest(bare.url, {**bare.body, "extra_body": {"top_k": 1}}, bare.endpoint)
    assert in_form(more, "2025-09") is in_form(more, "2026") is more
    assert json.loads(json.dumps(chat(OPENAI).body)) == in_form(chat(OPENAI), "2025-09").body
