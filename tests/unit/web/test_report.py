"""Recordings as one file that opens anywhere."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest

from samples import SAMPLES
from wiretape import recording
from wiretape.web.report import LARGEST, Entry, entry, report
from wiretape.web.shelf import Shelved

HOSTILE = "</script></style><img src=x onerror=alert(1)>"


def shelved(text: str = "Hello, world!") -> Shelved:
    content = json.loads(SAMPLES["fireworks chat"].read_bytes())
    content["request"]["body"]["messages"] = [{"role": "user", "content": text}]
    data = json.dumps(content).encode()
    return Shelved("default", "e99f14805360", recording.loads(data), data, None, None, is_as_captured=False)


def test_a_report_needs_nothing_but_itself() -> None:
    text = report("checkout", [entry(shelved(), "hit")]).decode()
    assert "Hello, world!" in text
    assert "It&#39;s nice to meet you." in text
    assert "hit" in text
    for attribute in ("src=", "href=", "@import", "url("):
        assert attribute not in text


def test_its_policy_lets_its_own_style_and_script_be_and_no_other() -> None:
    text = report("checkout", [entry(shelved(HOSTILE))]).decode()
    style, script = re.findall(r"<(?:style|script type=\"module\")>(.*?)</(?:style|script)>", text, re.DOTALL)
    for ours in (style, script):
        assert base64.b64encode(hashlib.sha256(ours.encode()).digest()).decode() in text.partition("<title>")[0]
    assert "'unsafe" not in text
    assert "<img" not in text


@pytest.mark.parametrize("length", [3_000, 100_000])
def test_five_hundred_stay_small(length: int) -> None:
    one = entry(shelved("word " * (length // 5)))
    entries: list[Entry] = [replace(one, session=f"s{each}") for each in range(500)]
    data = report("checkout", entries)
    assert len(data) <= LARGEST
    assert "more characters" in data.decode()
