"""What an answer says of itself. How each API says it, whole and in pieces, is in test_drift."""

from wiretape.library import answer_facts


def test_an_answer_that_comes_twice_over_ends_once() -> None:
    whole = {"object": "response", "status": "completed"}
    assert answer_facts.finish_reasons([{"type": "response.completed", "response": whole}, whole]) == ("completed",)
    stopped = {"choices": [{"finish_reason": None}, {"finish_reason": "stop"}, {"finish_reason": "length"}]}
    assert answer_facts.finish_reasons([stopped, stopped]) == ("length", "stop")
    assert answer_facts.finish_reasons([{"input": {"finish_reason": "asked"}}]) == ()


def test_the_first_vector() -> None:
    assert answer_facts.vector([{"data": [{"embedding": [1, 2]}, {"embedding": [3]}]}]) == (1.0, 2.0)
    assert answer_facts.vector([{"embeddings": [[1, 2], [3]]}]) == (1.0, 2.0)
    assert answer_facts.vector([{"embedding": ["x"]}, {"values": []}]) == ()


def test_the_model_stands_in_the_answer_or_in_its_first_event() -> None:
    assert answer_facts.model([{"type": "message_start", "message": {"model": "a"}}]) == "a"
    assert answer_facts.model([{}, {"response": {"modelVersion": "b"}}]) == "b"
    assert answer_facts.model([{"model": 1}]) == ""
