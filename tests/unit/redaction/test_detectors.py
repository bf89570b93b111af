"""The table of what a secret looks like: every example is found whole; identifiers, hashes and source code stay."""

import json
import sysconfig
from itertools import pairwise
from pathlib import Path

import pytest

from bench import look_alikes
from drawn import draw, parts
from wiretape.matching import request
from wiretape.providers.routing import Endpoint, Route
from wiretape.recording import RecordedRequest
from wiretape.redaction import REDACTED, RedactionPolicy, Redactor
from wiretape.redaction.detectors import DETECTORS
from wiretape.redaction.forms import FORMS
from wiretape.redaction.pii import DETECTORS as PII

PLAIN = Redactor(environment={})


PERSONAL = Redactor(RedactionPolicy(pii=True), environment={})


def found(text: str, redactor: Redactor = PLAIN) -> list[str]:
    return [text[span.start : span.end] for span in redactor.spans(text)]


EXAMPLES = [(each.name, example) for each in (*DETECTORS, *PII) for example in each.examples]


@pytest.mark.parametrize(("name", "template"), EXAMPLES)
def test_what_is_known_by_its_build_or_by_its_name_is_found_whole(name: str, template: str) -> None:
    redactor = PERSONAL if name.startswith("pii") else PLAIN
    for seed in (1, 2, 3):
        text, secret = parts(template, seed)
        assert found(text, redactor) == [secret]
        assert secret not in redactor.text(json.dumps({"content": text}))
        cleaned = redactor.text(text)
        assert cleaned == text.replace(secret, REDACTED)
        assert redactor.text(cleaned) == cleaned


@pytest.mark.parametrize("template", [text for each in (*DETECTORS, *PII) for text in each.look_alikes])
def test_what_looks_like_a_name_and_a_secret_stays(template: str) -> None:
    for seed in (1, 2, 3):
        assert found(draw(template, seed), PERSONAL) == []


LOOK_ALIKES = [
    "a risk-free task-force with sk-learn and scikit-learn",
    "class SkToggleable: sk-toggleable__label-arrow sk-top-container sk-estimator-doc-link fitted",
    "fw_update_status_register() hf_hub_download_with_progress() gsk_render_node_get_type()",
    "commit {h40} Merge pull request",
    "md5 {h32} sha256 {h64} sha512 {h64}{h64}",
    "550e8400-e29b-41d4-a716-446655440000",
    "data:image/png;base64,iVBORw0KGgo{a400}AKIA{a60}sk{a80}==",
    "arn:aws:iam::123456789012:role/service-role/AWSLambdaBasicExecutionRole-{l8}",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-{a6}",
    "the dapi of deadbeef, dapi0123",
    "AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY are documented",
    "https://example.com/a/b/c?page_token={a40}&id={h24}",
    "chatcmpl-{a29} resp_{h48} call_{a24} toolu_01{a22} msg_01{a22} file-{a24} asst_{a24} req_{h32}",
    "SG.Utils.Something.Else, ya29.txt, hvs.py, dp.pt.md",
    "max_tokens=4096, token_ids=[1, 2, 3], tokenizer='cl100k_base', eos_token='<|endoftext|>'",
    "the secretary's keyboard: keyed, passport: issued, author: Jane2, tokenizer: gpt2",
    "key: value1, monkey=banana2, turkey: 12 kg",
    'cmd.Env = append(env, "PWD="+dir.name{d4}) + "TOKEN="+tokens[{d1}]',
    '{"PWD": "/home/u/project-{d4}", "OLDPWD": "C:\\\\work\\\\p{d4}", "pwd": "~/p {d3}/a_b"}',
    "PWD=/srv/app{d4} OLDPWD=/srv/app{d3}",
]


@pytest.mark.parametrize("template", LOOK_ALIKES)
def test_identifiers_hashes_and_images_stay(template: str) -> None:
    text = draw(template)
    assert found(text) == []
    assert PLAIN.clean({"messages": [{"content": text}]}) == {"messages": [{"content": text}]}


def test_a_password_is_no_directory() -> None:
    for name, value in (("pwd", "hunter2"), ("PWD", "/{a20}/{a18}+"), ("pwd", "Tr0ub/dor"), ("password", "/hunter2/x")):
        assert PLAIN.clean({name: draw(value)}) == {name: REDACTED}


def test_two_questions_about_look_alikes_never_meet() -> None:
    # What is taken out does not count when requests are compared: of different texts none may be taken out.
    texts = [draw(template, seed) for template in LOOK_ALIKES for seed in (1, 2)]
    texts += [draw(text, seed) for form in FORMS for text in form.look_alikes for seed in (1, 2)]
    texts += [draw(text, seed) for each in DETECTORS for text in each.look_alikes for seed in (1, 2)]
    different = sorted(set(texts))
    cleaned = [PLAIN.text(text) for text in different]
    assert all(one != other for one, other in pairwise(sorted(cleaned)))


SENT_BACK = {
    "thinking": {"type": "thinking", "thinking": "so", "signature": "ErUBCkYIBBgCIkD{a600}+/{a80}=="},
    "redacted thinking": {"type": "redacted_thinking", "data": "EmwKAhgBEgy{a400}/+{a40}="},
    "reasoning": {"type": "reasoning", "id": "rs_{h48}", "encrypted_content": "gAAAAAB{s800}=="},
    "thought": {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "CiQB{a300}/{a60}+="},
    "calls": [{"id": "call_{a24}"}, {"id": "toolu_01{a22}"}, {"id": "fc_{h48}", "call_id": "call_{a24}"}],
    "pages": {"next_page_token": "{s60}", "cursor": "{a40}==", "nextSyncToken": "C{s30}=", "etag": 'W/"{a27}"'},
    "files": {"file_id": "file-{a24}", "digest": "sha256:{h64}", "integrity": "sha512-{a86}==", "oid": "{h40}"},
    "names": {"secret": "projects/p1/secrets/db-{l6}/versions/2", "token": "0x{h40}", "key": "uploads/{h32}/a.png"},
}


@pytest.mark.parametrize("kind", SENT_BACK)
def test_what_an_agent_sends_back_stays_and_tells_requests_apart(kind: str) -> None:
    def asked(seed: int) -> RecordedRequest:
        item = json.loads(draw(json.dumps(SENT_BACK[kind]), seed))
        body = {"model": "m", "input": [item, json.dumps(item)], "metadata": {"about": [item]}}
        assert PLAIN.clean(body) is body
        route = Route("x", "https://api.anthropic.com", Endpoint("http", "POST", ""), "/v1/messages")
        return request.recorded(route, json.dumps(body).encode())

    identities = {request.identity(asked(seed)) for seed in range(1, 5)}
    assert len(identities) == 4


PACKAGES = (
    "mitmproxy",
    "openai",
    "anthropic",
    "pygments",
    "pip",
    "hypothesis",
    "cryptography",
    "networkx",
    "rich",
    "mypy",
)


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_in_source_code_and_prose_is_taken_for_a_secret(package: str) -> None:
    # A part of what tests/bench/look_alikes.py looks through.
    folder = Path(sysconfig.get_path("purelib")) / package
    if not folder.is_dir():
        pytest.skip(f"{package} is not installed")
    seen = [*look_alikes.texts(folder)][::4]
    hits = [(file.name, span) for file, text in seen for span in look_alikes.hits(PLAIN, text)]
    assert hits == []
    assert sum(len(text) for _, text in seen) > 50_000
