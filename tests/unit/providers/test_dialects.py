"""What is known of an API that is passed on: nothing that it does not say, and all of its parts where it says them."""

from wiretape.providers import passthrough
from wiretape.providers.dialects import Dialect
from wiretape.providers.stream_ends import End, NamedEvents
from wiretape.providers.usage import Usage, UsageReader
from wiretape.providers.usage_forms import OLLAMA
from wiretape.recording import RecordedRequest

REQUEST = RecordedRequest("https://api.example.com/v1/x", {}, "")


def test_a_dialect_may_say_one_thing_alone() -> None:
    assert (Dialect().watcher, Dialect().usage, Dialect().last_events) == (None, None, ())
    assert Dialect(last_events=("bye",)).last_events == ("bye",)
    reader = UsageReader(OLLAMA)
    assert Dialect(usage=reader).usage is reader
    made = Dialect(watcher=lambda _: NamedEvents("bye")).watcher
    assert made
    assert made(REQUEST).see({"type": "bye"}) is End.OVER


def test_each_stream_has_a_watcher_of_its_own() -> None:
    for dialect in passthrough.DIALECTS:
        if dialect.watcher:
            assert dialect.watcher(REQUEST) is not dialect.watcher(REQUEST)


def test_every_dialect_says_something() -> None:
    said = [(each.watcher, each.usage, each.last_events, each.urls) for each in passthrough.DIALECTS]
    assert all(any(each) for each in said)
    for dialect in passthrough.DIALECTS:
        assert dialect.usage is None or dialect.usage.read([]) == Usage()
