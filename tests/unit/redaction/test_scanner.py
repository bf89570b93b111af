"""One pass over a text for all hooks of the table."""

from drawn import draw
from wiretape.redaction.detectors import Detector
from wiretape.redaction.forms import FORMS
from wiretape.redaction.scanner import Scanner, SecretMatch

OPENAI = draw("sk-proj-{a40}")
GITHUB = draw("ghp_{a36}")


def found(text: str, scanner: Scanner | None = None) -> list[tuple[str, str]]:
    data = text.encode()
    return [(each.detector, data[each.start : each.end].decode()) for each in (scanner or Scanner()).scan(data)]


def test_all_of_a_text_are_found_in_order_with_their_places_in_bytes() -> None:
    text = f"ü {GITHUB}, {OPENAI}"
    assert [name for name, _ in found(text)] == ["github", "openai"]
    assert [secret for _, secret in found(text)] == [GITHUB, OPENAI]
    assert Scanner().scan(text.encode())[0] == SecretMatch(3, 3 + len(GITHUB), "github")
    assert found("") == []


def test_the_longest_beginning_counts() -> None:
    names = {draw("sk-ant-api03-{s93}AA"): "anthropic", draw("sk-or-v1-{h64}"): "openrouter", draw("sk-{a48}"): "sk"}
    assert [found(key)[0][0] for key in names] == [*names.values()]


def test_what_is_off_is_not_found() -> None:
    assert found(f"{GITHUB} {OPENAI}", Scanner(["github"])) == [("openai", OPENAI)]
    everything = [form.name for form in FORMS]
    assert found(GITHUB, Scanner(everything)) == []


def test_more_detectors_may_be_given() -> None:
    house = Detector("house", "HOUSE-", lambda data, start, end: (start, end + 4), ())
    assert found("a HOUSE-1234 b", Scanner(more=[house])) == [("house", "HOUSE-1234")]
    assert found("a HOUSE-1234 b") == []


def test_what_goes_on_a_name_or_a_word_is_none() -> None:
    for around in ("my-{}", "my_{}", "x{}"):
        assert found(around.format(draw("sk-{a48}"))) == [], around
    assert found(f"my-{OPENAI}") == [("openai", OPENAI)], "that beginning tells wherever it stands"


def test_what_stands_before_a_key_in_an_encoding_is_no_part_of_it() -> None:
    for before in ("%22", "\\n", "\\u0022", "\\x22", "\x1b[31m", "__", "是"):
        assert [secret for _, secret in found(before + GITHUB)] == [GITHUB], before


def test_a_sentences_end_is_no_part_of_a_key() -> None:
    key = draw("sk-proj-{a40}")
    assert found(f"Use {key}.") == [("openai", key)]


def test_a_very_long_key_is_found_whole() -> None:
    key = draw("sk-proj-{a2000}")
    assert found(f"{key} x") == [("openai", key)]
