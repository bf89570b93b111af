"""What followers are told, and when."""

from wiretape.flight import Flight


def test_each_change_calls_those_who_wait_once() -> None:
    flight, calls = Flight(), []

    def wait(name: str) -> None:
        flight.call_when_changed(lambda: calls.append(name))

    wait("head")
    flight.begin(200, (("content-type", "text/event-stream"),))
    wait("piece")
    wait("piece too")
    flight.add(b"one")
    flight.add(b"two")
    assert calls == ["head", "piece", "piece too"]
    assert flight.pieces == [b"one", b"two"]
    wait("end")
    flight.end("the provider broke off")
    flight.end()
    assert calls[3:] == ["end"]
    assert (flight.ended, flight.failure) == (True, "the provider broke off")
