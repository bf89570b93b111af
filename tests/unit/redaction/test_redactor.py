"""What never reaches a disk."""

from typing import Any

import pytest

from wiretape.redaction import DEFAULT, REDACTED, redactor
from wiretape.redaction.redactor import Redactor

SECRETS = [
    "sk-" + "a1B2" * 12,
    "sk-proj-" + "a1_-" * 20,
    "sk-ant-api03-" + "x9" * 40,
    "sk-or-v1-" + "0f" * 32,
    "fw_" + "3Z" * 12,
    "gsk_" + "a1" * 26,
    "csk-" + "a1" * 24,
    "hf_" + "aB" * 17,
    "nvapi-" + "a-_1" * 16,
    "AIza" + "Sy_-1" * 7,
    "AKIA" + "ABCD1234" * 2,
    "dapi" + "0123456789abcdef" * 2,
    "wt_" + "a1B2-_x" * 6 + "z",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "my key is {}, keep it", '{{"k":"{}"}}', "Bearer {}"])
def test_a_key_is_taken_out_wherever_it_stands(secret: str, around: str) -> None:
    text = around.format(secret)
    cleaned = DEFAULT.clean({"messages": [{"content": text}]})
    assert cleaned == {"messages": [{"content": around.format(REDACTED)}]}
    assert [found.path for found in DEFAULT.find({"messages": [{"content": text}]})] == ["messages[0].content"]
    assert [found.path for found in DEFAULT.find(cleaned)] == []


def test_a_member_that_is_named_a_secret_is_one() -> None:
    tool = {"type": "mcp", "authorization": "opensesame", "headers": {"X-Api-Key": "1", "accept": "*"}}
    assert DEFAULT.clean([tool]) == [
        {
            "type": "mcp",
            "authorization": REDACTED,
            "headers": {"X-Api-Key": REDACTED, "accept": "*"},
        }
    ]
    assert [found.path for found in DEFAULT.find([tool])] == ["[0].authorization", "[0].headers.X-Api-Key"]


@pytest.mark.parametrize(
    "value",
    [
        {"properties": {"api_key": {"type": "string"}}},
        "a risk-free task-force with sk-learn",
        "disk-" + "a" * 40,
        "mask-" + "a" * 40,
        {"api_key": ""},
        {"temperature": 0.7, "n": None, "stream": True},
        "data:image/png;base64," + "AAAA" * 1000,
    ],
)
def test_what_is_no_secret_stays_the_very_same_object(value: Any) -> None:
    assert DEFAULT.clean(value) is value
    assert [found.path for found in DEFAULT.find(value)] == []


def test_what_an_agent_sends_again_is_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def spans(text: str, *_: Any) -> list[Any]:
        looked.append(text)
        return []

    monkeypatch.setattr("wiretape.redaction.encodings.spans", spans)
    prompts = [f"{number} " + "what a tool does " * 20 for number in range(500)]
    own = Redactor(environment={})
    own.clean(prompts)
    assert looked == prompts
    own.clean([*prompts, "what is new " * 20])
    assert looked[len(prompts) :] == ["what is new " * 20]


def test_what_is_remembered_of_texts_is_bounded() -> None:
    own = Redactor(environment={})
    for number in range(200):
        own.clean(f"{number:060000}")
    kept = own._parts.harmless_long
    assert sum(map(len, kept._texts)) <= redactor._LONG_REMEMBERED
