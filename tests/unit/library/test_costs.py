"""What the answer of a recording costs: by where it was asked, what was asked for, and whose price it is."""

from decimal import Decimal
from pathlib import Path

import pytest

from wiretape.exceptions import ConfigurationError
from wiretape.library.costs import costs
from wiretape.providers.usage import Usage
from wiretape.recording import RecordedRequest

AT = 1_775_000_000.0
USAGE = Usage(1_000_000, output=0)
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.0-flash:generateContent"

ANSWERS = {
    "an SDK's": (RecordedRequest("https://api.openai.com/v1/v1/chat/completions", {"model": "gpt-4.1"}, "x"), "2"),
    "one whose URL names the model": (RecordedRequest(GEMINI, {}, ""), "0.1"),
    "this machine's": (RecordedRequest("http://localhost:11434/api/chat", {"model": "llama3"}, "/api/chat"), "0"),
    "the team's own": (RecordedRequest("https://llm.corp.example/v1/chat/completions", {"model": "m"}, ""), "7"),
    "nobody's": (RecordedRequest("https://elsewhere.example/v1/chat/completions", {"model": "m"}, ""), None),
}


@pytest.mark.parametrize(("request_", "cost"), ANSWERS.values(), ids=ANSWERS)
def test_whose_price_it_is(request_: RecordedRequest, cost: str | None, tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    file.write_text(
        '[[provider]]\nname = "corp"\nhosts = ["llm.corp.example"]\nbase = "/v1"\nendpoints = ["openai"]\n'
        '[[price]]\nprovider = "corp"\ninput = 7\n'
    )
    assert costs(file).of(request_, USAGE, AT) == (None if cost is None else Decimal(cost))


def test_a_configuration_that_is_wrong_is_told(tmp_path: Path) -> None:
    (tmp_path / "team.toml").write_text("[[price]]\ninputs = 7\n")
    with pytest.raises(ConfigurationError, match="did you mean input"):
        costs(tmp_path / "team.toml")
