from wiretape.matching.bindings import Binding, Bindings
from wiretape.providers.answers import HttpResponse
from wiretape.tape.hit import RULES_HEADER, Hit


def test_a_hit_by_rules_tells_which_and_keeps_its_times() -> None:
    hit = Hit("name", HttpResponse(200, (("a", "b"),), (b"Hi", b"Ho")), (0.5,), 1, 1)
    by_rules = hit.by_rules(("today", "cwd \u00e9"), Bindings([Binding("cwd", "/nowhere", "/here", is_path=True)]))
    assert by_rules.answer.headers == (("a", "b"), (RULES_HEADER, "today, cwd \\xe9"))
    assert by_rules.rules == ("today", "cwd \u00e9")
    assert by_rules.leaving == (0.5,)
    assert by_rules.size == len(by_rules.answer.body)
    assert hit.rules == ()
