"""What GitHub Actions is told, whatever others have written."""

import re

from told_calls import HOSTILE, call, miss
from wiretape.call_log.call import Outcome
from wiretape.cli.reports import github
from wiretape.cli.reports.cases import gathered


def unescaped(text: str) -> str:
    """As the runner reads a message: actions/runner, ``ActionCommand.UnescapeData``."""
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_a_miss_is_an_annotation_at_its_test() -> None:
    run = gathered([miss(test_id="tests/test_a.py::test_b"), miss(test_id="tests/test_a.py::test_b"), call()])
    (line,) = github.annotations(run, {"tests/test_a.py::test_b": ("tests/test_a.py", 7)}.get)
    properties, _, message = line.removeprefix("::error ").partition("::")
    assert properties == "file=tests/test_a.py,line=7,title=wiretape%3A No recording of a call"
    assert unescaped(message) == (
        "/v1/chat/completions gpt-5 in tests/test_a.py::test_b (2 times): messages[0].content: a here, b\n"
        "All of it.\nIn lines."
    )


def test_without_a_place_it_has_a_title() -> None:
    run = gathered([call(Outcome.LOST, why=("RECORDING LOST",)), call(Outcome.REFUSED, why=("offline",))])
    lost, refused = github.annotations(run, lambda _: None)
    assert lost.startswith("::error title=wiretape%3A A recording was lost::/v1/chat/completions gpt-5: RECORDING LOST")
    assert refused.startswith("::error title=wiretape%3A A call was refused::")


def test_what_is_no_failure_is_no_annotation() -> None:
    outcomes = {*Outcome} - {Outcome.MISS, Outcome.LOST, Outcome.REFUSED}
    assert github.annotations(gathered(map(call, outcomes)), lambda _: None) == []


def test_nothing_that_others_have_written_begins_a_line_or_a_property() -> None:
    run = gathered([miss(HOSTILE, request=HOSTILE, test_id=HOSTILE)])
    (line,) = github.annotations(run, lambda test_id: (test_id, 0))
    assert not set("\r\n\x1b\x00") & set(line)
    properties = line.removeprefix("::error ").partition("::")[0]
    assert [each.partition("=")[0] for each in properties.split(",")] == ["file", "title"]
    assert "%250A" in line


def test_a_step_shows_ten() -> None:
    run = gathered(miss(request=f"call {number}") for number in range(25))
    lines = github.annotations(run, lambda _: None)
    assert len(lines) == github.ANNOTATIONS
    assert lines[-1] == "::error title=wiretape::and 16 failures more: the summary of the job has them"
    assert len(github.annotations(gathered(run.cases[n].call for n in range(10)), lambda _: None)) == 10


def test_the_summary_counts_and_explains() -> None:
    text = github.summary(gathered([miss(), miss(), call()]), mode="replay", session="my-tests")
    assert text.startswith("### wiretape: replay, session my\\-tests\n\n3 calls: 2 miss, 1 hit.\n\n")
    assert r"| default | \/v1\/chat\/completions gpt\-5 | 2 | messages\[0\]\.content\: a here\, b |" in text
    assert "<details><summary>/v1/chat/completions gpt-5</summary>\n\n<pre>All of it.\nIn lines.</pre>" in text
    assert github.summary(gathered([call()]), mode="replay", session="a").count("\n") == 4
    assert "No call was made." in github.summary(gathered([]), mode="replay", session="a")


def test_the_summary_shows_what_others_have_written_as_it_is() -> None:
    text = github.summary(gathered([miss(HOSTILE, request=HOSTILE)]), mode="replay", session="a")
    (row,) = [line for line in text.splitlines() if line.startswith("| default")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5, "a cell stays a cell"
    assert not re.search(r"(?<!\\)[<`*\[]", row)
    pre = text.partition("<pre>")[2].partition("</pre>")
    assert "&lt;/pre&gt;" in pre[0]
    assert "<" not in pre[0]
    assert not set("\x1b\x00\ud800") & set(text)
    text.encode()


def test_a_summary_stays_below_a_megabyte() -> None:
    run = gathered(miss("&" * 100_000, request=f"{number} {'|' * 10_000}") for number in range(3000))
    text = github.summary(run, mode="replay", session="a")
    assert len(text.encode()) < 1 << 20
    assert "and 2,950 failures more." in text
