"""Rules as lines of ``wiretape.toml``: what is written is read as the same rule."""

from wiretape import config
from wiretape.library.rule_lines import lines, named
from wiretape.matching.rules import Kind, MatchRule, Selector, Unordered

RULE = MatchRule(
    "x",
    'It "varies".',
    Selector(clients=("codex*/*",), endpoints=("/v1/chat/completions",)),
    ignore=("$.metadata",),
    ids=(r"$.tools[*].id",),
    kinds=(Kind.PATHS,),
    unordered=(next(iter(Unordered)),),
    numbers=True,
)


def test_lines_are_read_as_the_rule_that_they_tell() -> None:
    text = "\n".join(("[[match]]", *lines(RULE)))
    (read,) = config.loads("team.toml", text).matching(())
    assert [*lines(read)] == [*lines(RULE)]


def test_a_rule_is_named_as_no_other() -> None:
    taken = {"codex-varies"}
    assert named(RULE, taken).name == "codex-varies-2"
    assert named(RULE, taken).name == "codex-varies-3"
    assert named(MatchRule("x"), taken).name == "any-client-varies"
