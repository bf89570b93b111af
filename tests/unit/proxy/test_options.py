"""The addon's options: what a user sets, to which values, and what holds where nothing is set."""

from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import exceptions
from mitmproxy.addonmanager import Loader
from mitmproxy.options import Options

from wiretape.proxy import options
from wiretape.proxy.options import OPTIONS, PREFIX, Option

# name, what holds by default, what may be chosen where that is a list
TABLE: list[tuple[str, Any, tuple[str, ...]]] = [
    ("ask", False, ()),
    ("cache", "128MB", ()),
    ("call_log", "", ()),
    ("config", "", ()),
    ("control", "", ()),
    ("coordinator", "", ()),
    ("disk", "0", ()),
    ("format", "2025-09", ("2025-09", "2026")),
    ("hosts", "", ()),
    ("journal", "1GB", ()),
    ("keep_misses", True, ()),
    ("lane", "auto", ("auto", "fast", "flows")),
    ("large_requests", "refuse", ("refuse", "pass")),
    ("local", "", ()),
    ("match", "auto", ()),
    ("max_recording", "256MB", ()),
    ("max_request", "64MB", ()),
    ("metrics", "", ()),
    ("mode", None, ("record", "replay", "record-if-missing", "live")),
    ("modes", "", ()),
    ("offline", False, ()),
    ("pace", "instant", ()),
    ("page", "", ()),
    ("places", "", ()),
    ("record_errors", False, ()),
    ("recordings", "recordings", ()),
    ("run", "", ()),
    ("session", "default", ()),
    ("single_flight", True, ()),
    ("spool", "512MB", ()),
    ("strict_rules", False, ()),
    ("takes", "last", ("first", "last", "sequence", "cycle")),
    ("tokens", "", ()),
    ("wire", True, ()),
]
NAMES = [name for name, _, _ in TABLE]


@pytest.fixture(name="declared")
def _declared() -> Options:
    found = Options()
    options.declare(Loader(SimpleNamespace(options=found)))  # Of a master it needs no more.
    return found


def test_these_are_all() -> None:
    assert sorted(each.name for each in OPTIONS) == [f"{PREFIX}{name}" for name in NAMES]


@pytest.mark.parametrize(("name", "default", "choices"), TABLE, ids=NAMES)
def test_what_holds_and_what_may_be_chosen(
    name: str, default: Any, choices: tuple[str, ...], declared: Options
) -> None:
    assert getattr(declared, PREFIX + name) == default
    found = next(each for each in OPTIONS if each.name == PREFIX + name)
    assert sorted(found.choices) == sorted(choices)


@pytest.mark.parametrize("option", OPTIONS, ids=[each.name for each in OPTIONS])
def test_each_says_what_it_is_for_in_a_sentence(option: Option) -> None:
    assert option.help.endswith((".", '".', ")."))
    assert option.help[0].isupper()


# what is set -> what it is then
SET = [
    ("wiretape_mode=replay", "wiretape_mode", "replay"),
    ("wiretape_mode", "wiretape_mode", None),
    ("wiretape_offline=true", "wiretape_offline", True),
    ("wiretape_wire=false", "wiretape_wire", False),
    ("wiretape_pace=2x", "wiretape_pace", "2x"),
]


@pytest.mark.parametrize(("spec", "name", "value"), SET)
def test_each_is_set_as_mitmproxys_own(spec: str, name: str, value: Any, declared: Options) -> None:
    declared.set(spec)
    assert getattr(declared, name) == value


def test_a_switch_is_on_or_off(declared: Options) -> None:
    with pytest.raises(exceptions.OptionsError):
        declared.set("wiretape_offline=perhaps")
