from wiretape.matching.bindings import Bindings
from wiretape.providers.answers import HttpResponse


def test_without_bindings_an_answer_stays() -> None:
    answer = HttpResponse(200, (), (b"{}",))
    assert Bindings().rewrite(answer) is answer
