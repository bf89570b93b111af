"""What a configuration says of faults, and how it is told what is wrong there."""

import pytest

from wiretape import config
from wiretape.replay.faults import Faults


def rules(text: str) -> Faults:
    return config.loads("team.toml", text).faults({"fireworks", "cerebras"})


REFUSED = {
    'stats = 429\ndelay = "1s"': "unknown key stats: did you mean status? There are session, provider",
    'session = ""\nstall = 1': "session: is a name with * in it, not ''",
    "model = 5\nstall = 1": "model: is a name",
    'provider = "firework"\nstall = 1': "no provider is named 'firework'; there are cerebras, fireworks",
    "share = 0\nstall = 1": "share: is a part of the requests, more than 0 and at most 1, not 0",
    "share = 1.5\nstall = 1": "share: is",
    "share = nan\nstall = 1": "share: is",
    "share = true\nstall = 1": "share: is",
    "share = 0.5\nseed = 1.5\nstall = 1": "seed: is a whole number",
    "seed = 1\nstall = 1": "seed needs share",
    "nth = 0\nstall = 1": "nth: is a number from 1 on, or a list of such, not 0",
    "nth = []\nstall = 1": "nth: is",
    'nth = ["1"]\nstall = 1': "nth: is",
    "nth = 1\nshare = 0.5\nstall = 1": "has share and nth: make it two faults",
    "status = 200": "status: is a number from 400 to 599, not 200",
    "status = '429'": "status: is",
    "status = 429\nbody = 1": "body: is a text or a table, not 1",
    "status = 429\nbody = { at = 2026-01-01 }": "body is no JSON",
    "status = 429\nbody = { at = nan }": "body is no JSON",
    'stall = 1\nbody = "x"': "body needs status",
    "stall = 1\nretry_after = 1": "retry_after needs status",
    'status = 429\nretry_after = "1\\r\\nx: y"': "retry_after: is seconds, or a date as HTTP writes it",
    "status = 429\nretry_after = -1": "retry_after: is",
    "status = 429\nstall = 1": "has status and stall",
    "status = 429\ncut = 1": "has status and cut",
    "status = 429\ngarble = 1": "has status and garble",
    'status = 429\nslow = "1s"': "has status and slow",
    "delay = 300": "delay: is a time such as 300ms or 1.5s, not 300",
    'delay = "0s"': "delay: is",
    'slow = "fast"': "slow: is a time",
    "stall = -1": "stall: is the number of the chunk after which it happens, 0 or more, not -1",
    "cut = true": "cut: is",
    "cut = 1\nstall = 1": "has cut and stall",
    'cut = 1\nhow = "rst"': "how: is one of reset, end, not 'rst'",
    'stall = 1\nhow = "end"': "how needs cut",
    "garble = 0": "garble: is the number of a chunk, 1 or more, not 0",
    "garble = 3\ncut = 2": "garble is at most 2",
    'model = "x"': "nothing goes wrong: it needs one of status, delay, stall, cut, garble, slow",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_fault_names_the_file_the_entry_and_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match=r"^team\.toml:[3-9]: \[\[fault\]\] 2: ") as raised:
        rules(f"[[fault]]\nstall = 1\n[[fault]]\n{text}")
    assert REFUSED[text] in str(raised.value)


@pytest.mark.parametrize("text", ["[fault]\nstall = 1", "fault = 1"])
def test_one_bracket(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^team\.toml:1: \[fault\]: is no table of its own: each fault is a \[\[fault\]\]$"
    ):
        rules(text)


def test_an_entry_that_is_no_table() -> None:
    with pytest.raises(ValueError, match=r"^team\.toml:1: \[\[fault\]\] 1: is a table, not 5$"):
        rules("fault = [5]")


def test_what_is_not_toml() -> None:
    with pytest.raises(ValueError, match=r"^team\.toml: not TOML"):
        rules("[[fault]")


def test_a_time_is_within_a_day() -> None:
    assert rules('[[fault]]\ndelay = "86400s"\n')
    for time in ("86401s", "0.0s", "0ms", "9" * 400 + "s"):
        with pytest.raises(ValueError, match=r"^team\.toml:2: \[\[fault\]\] 1: delay: is a time of more than 0"):
            rules(f'[[fault]]\ndelay = "{time}"\n')
