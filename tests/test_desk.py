"""Which requests can share a live answer."""

from dataclasses import replace
from pathlib import Path

from wiretape.counters import Counters
from wiretape.proxy.desk import key_of
from wiretape.recording import RecordedRequest
from wiretape.store.directory import DirectoryStore
from wiretape.tape import Mode, Tape

ASKED = RecordedRequest("https://api.openai.com/v1/v1/embeddings", {"model": "m", "input": "x"}, "/v1/embeddings")


def test_equal_ones_of_one_session_in_one_form_for_one_test(tmp_path: Path) -> None:
    one, two = (Tape(DirectoryStore(tmp_path), name, Mode.RECORD_IF_MISSING, Counters()) for name in ("one", "two"))
    assert key_of(one, ASKED) == key_of(one, replace(ASKED))
    others = [replace(ASKED, base64_wanted=True), replace(ASKED, test_id="t"), replace(ASKED, body={"model": "n"})]
    assert len({key_of(one, ASKED), key_of(two, ASKED), *(key_of(one, each) for each in others)}) == 5
