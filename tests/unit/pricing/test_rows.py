"""A team's own prices: which calls they are for, and how it is told what is wrong with them."""

from collections.abc import Collection

import pytest

from wiretape import config
from wiretape.exceptions import ConfigurationError
from wiretape.pricing.rows import PriceRow

PROVIDERS = ("fireworks", "openai")


def rows(text: str) -> tuple[PriceRow, ...]:
    return config.loads("team.toml", text).prices(PROVIDERS)


REFUSED = {
    "input = -1": "input: is a number of US dollars, 0 or more, not -1",
    "input = nan": "input: is a number",
    "input = inf": "input: is a number",
    "input = true": "input: is a number",
    'input = "1"': "input: is a number",
    "inputs = 1": "unknown key inputs: did you mean input?",
    'model = "x"': "has no price: it needs one of input, cached",
    "output = 1\ncached = 0.5": "cached is a part of the input, which has no price",
    "input = 1\noutput_audio = 0.5": "output_audio is a part of the output, which has no price",
    "input = 1\nreasoning = 0.5": "reasoning is a part of the output",
    'input = 1\nprovider = "firework"': "no provider is named 'firework'; there are fireworks, openai",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_price_names_the_file_the_row_and_what_would_be_right(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^team\.toml:[3-9]: \[\[price\]\] 2: ") as raised:
        rows(f"[[price]]\ninput = 1\n[[price]]\n{text}")
    assert REFUSED[text] in str(raised.value)


MATCHES = [
    ('model = "gpt-*"', "openai", ["gpt-5"], True),
    ('model = "gpt-*"', "openai", ["mine", "gpt-5"], True),
    ('model = "gpt-*"', "openai", ["o3"], False),
    ('model = "gpt-*"', "openai", [], False),
    ('provider = "open*"', "openai", ["o3"], True),
    ('provider = "open*"', "fireworks", ["o3"], False),
]


@pytest.mark.parametrize(("text", "provider", "models", "matches"), MATCHES)
def test_which_calls_a_row_is_for(text: str, provider: str, models: Collection[str], matches: bool) -> None:
    (row,) = rows(f"[[price]]\ninput = 0.1\n{text}")
    assert row.matches(provider, models) is matches
