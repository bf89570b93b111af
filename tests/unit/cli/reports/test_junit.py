"""JUnit's XML, read again; and as a schema has it that is written from what Jenkins and GitLab read."""

from xml.etree import ElementTree

import pytest

from told_calls import HOSTILE, call, miss
from wiretape.call_log.call import Call, Outcome
from wiretape.cli.reports import junit
from wiretape.cli.reports.cases import RunCalls, gathered

ATTRIBUTES = {
    "testsuites": {"name"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": set[str](),
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "error", "skipped"},
}
"""Of ``junit-10.xsd`` of Jenkins' xUnit plugin, what is written here."""


def read(run: RunCalls) -> ElementTree.Element:
    """The document, when it is right by the schema and its counts are."""
    document = junit.document(run)
    root = ElementTree.fromstring(document.decode("utf-8", "strict"))
    assert root.tag == "testsuites"
    for element in root.iter():
        assert {*element.keys()} <= ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN.get(element.tag, set())
        if element.tag != "testsuite":
            continue
        for counted, found in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
            assert int(element.attrib[counted]) == len(element.findall(found))
        assert int(element.attrib["skipped"]) == len(element.findall("testcase/skipped"))
        assert float(element.attrib["time"]) == pytest.approx(
            sum(float(case.attrib["time"]) for case in element), abs=0.01
        )
    return root


def cases(*calls: Call) -> list[ElementTree.Element]:
    return read(gathered(calls)).findall("testsuite/testcase")


def test_each_session_is_a_suite_and_each_distinct_call_a_case() -> None:
    root = read(gathered([call(recording="aa"), miss(), call(recording="aa"), miss(session="b")]))
    assert [suite.attrib["name"] for suite in root] == ["wiretape: default", "wiretape: b"]
    hit, missed = root[0]
    assert hit.attrib == {
        "name": "/v1/chat/completions gpt-5 (aa)",
        "classname": "wiretape.default",
        "time": "0.500",
    }
    assert len(hit) == 0
    (failure,) = missed
    assert failure.tag == "failure"
    assert failure.attrib == {"type": "miss", "message": "messages[0].content: a here, b"}
    assert failure.text == "All of it.\nIn lines."
    assert root[0].attrib["timestamp"] == "2023-11-14T22:13:20"


def test_a_case_of_a_test_has_its_id() -> None:
    (case,) = cases(miss(test_id="tests/test_a.py::test_b"))
    assert case.attrib["classname"] == "tests/test_a.py::test_b"


def test_names_are_told_apart_as_gitlab_knows_a_case_by_its_name() -> None:
    names = [case.attrib["name"] for case in cases(call(recording="a"), call(recording="b"), call(Outcome.FAULT))]
    assert len({*names}) == 3


def test_what_is_refused_is_an_error_and_what_is_lost_a_failure() -> None:
    lost, refused, fault = cases(call(Outcome.LOST), call(Outcome.REFUSED), call(Outcome.FAULT))
    assert [child.tag for child in (*lost, *refused, *fault)] == ["failure", "error"]


def test_any_text_is_well_formed() -> None:
    every = "".join(map(chr, range(0x300))) + "\ud800\udfff\ufffe\uffff\U0010ffff" + HOSTILE
    (case,) = cases(miss(every, request=every, session=every, test_id=every))
    assert "]]>" in (case[0].text or "")
    assert "日本" in case.attrib["name"]


def test_a_run_without_a_call_has_a_case() -> None:
    (case,) = cases()
    assert case.attrib["name"] == "no call was made"
    assert [child.tag for child in case] == ["skipped"]


def test_what_is_left_out_is_said() -> None:
    run = gathered([call()])
    run.left_out = 1234
    assert read(run)[1][0].attrib["name"] == "1,234 more calls are not told of: there are too many"
