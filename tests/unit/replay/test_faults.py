"""What goes wrong on purpose: which requests meet it, and what it does to an answer."""

import json

import pytest

from places import CONFIG
from wiretape import config
from wiretape.metrics.counters import Counters
from wiretape.replay.faults import Ending, Fault, FaultQuery, Faults, applied, garbled

NAMES = {"fireworks", "cerebras"}
CHAT = "/v1/chat/completions"


def rules(text: str) -> Faults:
    return config.loads("team.toml", text).faults(NAMES)


def fault(text: str) -> Fault:
    drawn = rules(f"[[fault]]\n{text}").draw(asked())
    assert drawn
    return drawn


def asked(
    identity: str = "1",
    *,
    session: str = "default",
    provider: str = "fireworks",
    endpoints: tuple[str, ...] = (CHAT, "/chat/completions"),
    model: str = "accounts/fireworks/models/llama-v3",
) -> FaultQuery:
    return FaultQuery(session, provider, endpoints, model, identity)


def met(faults: Faults, *identities: str) -> list[bool]:
    return [faults.draw(asked(identity)) is not None for identity in identities]


# -- which requests ----------------------------------------------------------------------------------------------------


def test_without_a_match_every_request() -> None:
    assert met(rules('[[fault]]\ndelay = "1s"'), "1", "1", "2") == [True] * 3


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ('session = "default"', True),
        ('session = "def*"', True),
        ('session = "other"', False),
        ('provider = "fireworks"', True),
        ('provider = "*"', True),
        ('provider = "cerebras"', False),
        (f'endpoint = "{CHAT}"', True),
        ('endpoint = "/chat/completions"', True),
        ('endpoint = "*/embeddings"', False),
        ('model = "*llama*"', True),
        ('model = "llama*"', False),
        ('model = "accounts.fireworks*"', False),
        ('model = "*llama*"\nprovider = "cerebras"', False),
        ('model = "*llama*"\nprovider = "fire*"', True),
    ],
)
def test_a_match(match: str, expected: bool) -> None:
    assert met(rules(f'[[fault]]\n{match}\ndelay = "1s"'), "1") == [expected]


def test_the_nth_of_the_requests_that_match() -> None:
    faults = rules('[[fault]]\nmodel = "*llama*"\nnth = 2\ndelay = "1s"')
    faults.draw(asked(model="other"))
    assert met(faults, "1", "2", "3") == [False, True, False]


def test_a_list_of_them() -> None:
    assert met(rules("[[fault]]\nnth = [1, 3]\nstall = 1"), *"11111") == [True, False, True, False, False]


def test_the_first_of_several_faults_wins_and_each_counts_all_that_match_it() -> None:
    faults = rules("[[fault]]\nnth = 1\nstatus = 429\n[[fault]]\nnth = [1, 2]\nstatus = 500")
    drawn = [faults.draw(asked()) for _ in range(3)]
    assert [each and str(each) for each in drawn] == ["status 429", "status 500", None]


SHARE = "[[fault]]\nshare = 0.3\nseed = {}\nstall = 1"
MANY = [str(number) for number in range(1000)]


def test_a_share_is_about_that_many_and_the_same_for_the_same_seed() -> None:
    first = met(rules(SHARE.format(7)), *MANY)
    assert 250 < sum(first) < 350
    assert met(rules(SHARE.format(7)), *MANY) == first
    assert met(rules(SHARE.format(8)), *MANY) != first


def test_a_share_does_not_depend_on_what_else_is_asked() -> None:
    first = dict(zip(MANY, met(rules(SHARE.format(7)), *MANY), strict=True))
    assert dict(zip(MANY[::-1], met(rules(SHARE.format(7)), *MANY[::-1]), strict=True)) == first


def test_equal_requests_are_drawn_one_by_one() -> None:
    faults = rules(SHARE.format(7))
    first = met(faults, *["1"] * 1000)
    assert 250 < sum(first) < 350
    faults.rewind()
    assert met(faults, *["1"] * 1000) == first


def test_two_faults_of_one_seed_do_not_choose_the_same_requests() -> None:
    faults = rules("[[fault]]\nshare = 0.3\nstatus = 429\n[[fault]]\nshare = 0.3\nstatus = 500")
    drawn = [str(faults.draw(asked(each))) for each in MANY]
    assert drawn.count("status 429") > 250
    assert drawn.count("status 500") > 150


def test_the_choice_is_the_same_on_every_machine() -> None:
    drawn = met(rules(SHARE.format(7)), *MANY[:40])
    assert [number for number, each in enumerate(drawn) if each] == [9, 11, 18, 19, 21, 25, 32, 34]


def test_a_whole_share_is_all() -> None:
    assert met(rules("[[fault]]\nshare = 1\nstall = 1"), *MANY) == [True] * 1000


def test_none() -> None:
    assert not rules("")
    assert not Faults()
    assert rules("[session.main]").draw(asked()) is None
    assert rules("[[fault]]\nstall = 1")


def test_the_table_of_providers_leaves_faults_alone() -> None:
    assert "fireworks" in config.loads("team.toml", "[[fault]]\nstatus = 429\n").providers().names


def test_the_example_in_config_is_right() -> None:
    lines = (CONFIG / "wiretape.toml").read_text().splitlines()
    code = [line[1:] for line in lines if line.startswith("#") and line[1:2] not in ("", " ", ":")]
    faults = rules("\n".join(code))
    drawn = [faults.draw(asked()) for _ in range(6)]
    assert {str(each) for each in drawn} >= {"delay of 0.3 s, cut after chunk 5 (reset)", "stall after chunk 5"}


def test_they_are_counted() -> None:
    assert "2 faults injected" in Counters(faults=2).summary()
    assert "fault" not in Counters().summary()


# -- what it does ------------------------------------------------------------------------------------------------------

CHUNKS = (b'data: {"a":1}\n\n', b'data: {"a":[2]}\n\n', b"data: [DONE]\n\n")
LEAVING = (0.0, 0.5, 1.0)


def test_a_status() -> None:
    status = fault("status = 429\nbody = { error = { message = 'slow' } }\nretry_after = 2").status
    assert status
    assert status.code == 429
    assert status.headers == (("content-type", "application/json"), ("retry-after", "2"))
    assert json.loads(status.body) == {"error": {"message": "slow"}}


def test_a_status_with_text_and_a_date() -> None:
    status = fault("status = 503\nbody = 'no'\nretry_after = 'Wed, 21 Oct 2026 07:28:00 GMT'").status
    assert status
    assert status.headers[1] == ("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")
    assert status.body == b"no"


def test_a_status_alone_says_that_it_is_on_purpose() -> None:
    status = fault("status = 500").status
    assert status
    assert json.loads(status.body)["error"]["type"] == "injected_fault"


@pytest.mark.parametrize(
    ("text", "chunks", "leaving", "ending"),
    [
        ('delay = "300ms"', CHUNKS, (0.3, 0.8, 1.3), None),
        ('slow = "200ms"', CHUNKS, (0.2, 0.9, 1.6), None),
        ('slow = "0.2s"\ndelay = "1s"', CHUNKS, (1.2, 1.9, 2.6), None),
        ("cut = 2", CHUNKS[:2], LEAVING[:2], Ending.RESET),
        ('cut = 2\nhow = "reset"', CHUNKS[:2], LEAVING[:2], Ending.RESET),
        ('cut = 2\nhow = "end"', CHUNKS[:2], LEAVING[:2], Ending.END),
        ("cut = 0", (), (), Ending.RESET),
        ("cut = 3", CHUNKS, LEAVING, Ending.RESET),
        ("cut = 4", CHUNKS, LEAVING, None),
        ("stall = 1", CHUNKS[:1], LEAVING[:1], Ending.STALL),
        ("garble = 2", (CHUNKS[0], b"data: ('a':(2))\n\n", CHUNKS[2]), LEAVING, None),
        ("garble = 1\ncut = 1", (b"data: ('a':1)\n\n",), LEAVING[:1], Ending.RESET),
    ],
)
def test_on_the_chunks_of_an_answer(
    text: str, chunks: tuple[bytes, ...], leaving: tuple[float, ...], ending: Ending | None
) -> None:
    sent, times, stopped = applied(fault(text), CHUNKS, LEAVING)
    assert (sent, stopped) == (chunks, ending)
    assert times == pytest.approx(leaving)


@pytest.mark.parametrize(
    "data",
    [*CHUNKS, b": ping\n\n", b'{"a": {}}', b"12", "⚡".encode(), bytes(range(256)), b"\x1f\x8b\x08\x00"],
)
def test_garbled_bytes_are_as_many_and_no_json(data: bytes) -> None:
    damaged = garbled(data)
    assert len(damaged) == len(data)
    assert damaged != data
    assert garbled(data) == damaged
    with pytest.raises(ValueError, match=r".*"):
        json.loads(damaged.removeprefix(b"data: "))


def test_damage_keeps_the_lines() -> None:
    assert garbled(b"12\r\n\r\n").endswith(b"\r\n\r\n")


def test_a_fault_that_an_answer_is_too_short_for() -> None:
    assert [fault("cut = 3").missed(count) for count in (2, 3, 4)] == [True, False, False]
    assert [fault("garble = 3").missed(count) for count in (2, 3)] == [True, False]
    assert not fault('slow = "1s"').missed(0)


def test_in_words() -> None:
    assert str(fault("cut = 5")) == "cut after chunk 5 (reset)"
    assert str(fault('cut = 5\nhow = "end"\ngarble = 2')) == "garble chunk 2, cut after chunk 5 (end)"
    assert str(fault('delay = "300ms"\nstall = 1')) == "delay of 0.3 s, stall after chunk 1"
    assert str(fault('status = 429\ndelay = "2s"')) == "status 429, delay of 2 s"
    assert str(fault('slow = "20ms"')) == "slow, 0.02 s before each chunk"
