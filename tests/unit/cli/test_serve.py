import pytest

from wiretape.cli.serve_plan import ServePlan, ServeRefusedError, for_workers, possible
from wiretape.cluster.balancer import Balance, has_reuseport
from wiretape.network.address import parse


def plan(listen: str, *settings: str, workers: int = 2) -> ServePlan:
    return ServePlan(workers, parse(listen), None, Balance.REUSEPORT, settings)


def test_a_worker_gets_the_users_options_and_not_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    environ = {
        "WIRETAPE_MODE": "replay",
        "WIRETAPE_SESSION": "checkout",
        "WIRETAPE_WORKERS": "4",
        "WIRETAPE_LISTEN": "0.0.0.0:8080",
        "WIRETAPE_METRICS": "9464",
        "WIRETAPE_URL": "http://127.0.0.1:9464",
        "WIRETAPE_PSEUDONYM_KEY": "drawn-at-random-0123",
        "HOME": "/home/user",
    }
    assignments = ["wiretape_session=main", "confdir=/tmp/x", "mode=regular", "mode=upstream:http://a:1"]
    assert for_workers(environ, assignments, {"wiretape_takes": "cycle", "wiretape_pace": None}) == [
        "wiretape_mode=replay",
        "wiretape_session=main",
        "confdir=/tmp/x",
        "mode=regular",
        "mode=upstream:http://a:1",
        "wiretape_takes=cycle",
    ]
    assert capsys.readouterr().err == ""
    with pytest.raises(
        ServeRefusedError, match=r"unknown variable WIRETAPE_MDOE: did you mean WIRETAPE_MODE\? There are"
    ):
        for_workers({"WIRETAPE_MDOE": "replay"}, [], {})


@pytest.mark.parametrize("name", ["wiretape_mood", "wiretape_coordinator", "wiretape_metrics"])
def test_an_option_that_is_none_of_the_users_is_refused(name: str) -> None:
    with pytest.raises(ServeRefusedError, match=f"unknown option {name}"):
        for_workers({}, [f"{name}=x"], {})


@pytest.mark.skipif(not has_reuseport(), reason="the kernel cannot balance")
def test_who_is_open_to_other_machines_needs_tokens() -> None:
    for listen in ("0.0.0.0:8080", "[::]:8080", "tape.internal:8080", "10.0.0.1:8080"):
        for settings in ((), ("wiretape_tokens=",)):
            with pytest.raises(ServeRefusedError, match="wiretape token create --session NAME --role write"):
                possible(plan(listen, *settings))
        assert possible(plan(listen, "wiretape_tokens=tokens.toml"))
    assert possible(plan("127.0.0.1:8080"))


def test_there_is_one_worker_at_least() -> None:
    with pytest.raises(ServeRefusedError, match="one at least"):
        possible(plan("127.0.0.1:8080", workers=0))
