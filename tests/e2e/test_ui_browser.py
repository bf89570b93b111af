"""The page in a browser, as a person uses it: a real proxy, a real SDK, the system's Chromium.

Every page that a test opens is held to two things: nothing is written to the console as an error, and nothing is done
that the policy of the page forbids.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from looked_at import HOSTILE, LookedAt, looking, recordings_of_each_kind
from samples import CHAT, SAMPLES
from wiretape.sessions.model import Role
from wiretape.sessions.tokens import Tokens
from wiretape.store.opening import open_store
from wiretape.web.report import entry, report
from wiretape.web.shelf import Shelf

sync_api = pytest.importorskip("playwright.sync_api", reason="a browser is driven by playwright")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium, without the proxies of this machine."""
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-proxy-server"], env=env)
        yield launched
        launched.close()


@contextmanager
def opened(browser: Any, **more: Any) -> Iterator[Any]:
    """A tab; in the end nothing has gone wrong in it."""
    problems: list[str] = []
    context = browser.new_context(**more)
    tab = context.new_page()
    tab.set_default_timeout(20_000)
    tab.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.on("dialog", lambda dialog: problems.append(f"a dialog: {dialog.message}"))
    yield tab
    context.close()
    assert not problems


# -- looks -------------------------------------------------------------------------------------------------------------

NARROW: dict[str, Any] = {"viewport": {"width": 360, "height": 700}, "color_scheme": "dark"}
WIDE: dict[str, Any] = {"viewport": {"width": 1300, "height": 900}, "color_scheme": "light"}

OPENS = "each => { each.open = true; }"

HERE = f"default/{CHAT.stem}"
LOOKS = {
    "sessions": "/",
    "recordings": "/sessions/default",
    "a stream": "/sessions/default/e22f98c05933",
    "tools and images": "/sessions/default/00000000000a",
    "a call that missed": "/calls/2",
    "two recordings": f"/compare?here={HERE}&there=default/00000000000a",
    "a page that is not there": "/sessions/nobody",
    "login": "/login",
}


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The page about recordings of each kind, and a report about the same."""
    folder = tmp_path_factory.mktemp("looks")
    recordings_of_each_kind(folder)
    shelf = Shelf(open_store(str(folder), spool=0), reads_ahead=False)
    names = [(session, row.name) for session in ("default", "hostile", "long") for row in shelf.page(session).rows]
    entries = [entry(each) for session, name in names if (each := shelf.shelved(session, name))]
    file = folder / "report.html"
    file.write_bytes(report("all", entries))
    with looking(LookedAt(folder)) as url:
        yield url, file


def problems_of(tab: Any) -> list[str]:
    """What is wrong with how a page is to be read, by axe-core, beside what is of little weight."""
    axe = pytest.importorskip("axe_core_python.sync_playwright").Axe()
    found = axe.run(tab)["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] != "minor"]


def fits(tab: Any) -> bool:
    """Whether the page itself does not scroll to the side."""
    is_so: bool = tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return is_so


@pytest.mark.parametrize("path", [*LOOKS.values(), "report"], ids=[*LOOKS, "a report"])
def test_each_view_can_be_read_by_everybody(browser: Any, looks: tuple[str, Path], path: str) -> None:
    url, file = looks
    settings = NARROW if len(path) % 2 else WIDE
    context = browser.new_context(**settings)
    tab = context.new_page()
    tab.goto(file.as_uri() if path == "report" else url + path)
    tab.evaluate(f"[...document.querySelectorAll('details')].slice(0, 8).forEach({OPENS})")
    for width in (2560, settings["viewport"]["width"], 360):
        tab.set_viewport_size({"width": width, "height": 900})
        assert fits(tab), width
    assert problems_of(tab) == []
    context.close()


def test_no_text_is_more_than_a_text(browser: Any, looks: tuple[str, Path]) -> None:
    url, file = looks
    paths = ["/sessions/hostile", "/sessions/long", "/sessions/long/000000000006", "/calls/2"]
    paths += [f"/sessions/hostile/{number:012x}" for number in range(len(HOSTILE) - 1)]
    paths += [
        "/compare?here=hostile/000000000000&there=hostile/000000000003",
        f"/compare?here={HERE}&there=long/000000000006",
    ]
    with opened(browser, **NARROW) as tab:
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        for address in (*(url + path for path in paths), file.as_uri()):
            tab.goto(address)
            # What a script, a picture or a style of a text does, it does when it is seen.
            tab.evaluate(f"document.querySelectorAll('details').forEach({OPENS})")
            assert fits(tab), address
            assert tab.locator("main").is_visible()
            assert tab.locator("main script:not([type='application/json']), main iframe, main style").count() == 0
            assert tab.evaluate("document.body.scrollHeight") < 100_000, address
        strangers = [each for each in asked if not each.startswith((url, "file:", "data:"))]
        assert strangers == []


def test_the_keyboard_is_enough(browser: Any, looks: tuple[str, Path]) -> None:
    url, _ = looks
    with opened(browser, **WIDE) as tab:
        tab.goto(f"{url}/sessions/default/00000000000a")
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
        tab.keyboard.press("Enter")
        for _ in range(20):
            tab.keyboard.press("Tab")
            if tab.evaluate("document.activeElement.textContent").startswith("tool call"):
                break
        tab.keyboard.press("Enter")
        assert tab.locator("details[open] pre", has_text="Tokyo").is_visible()


# -- what is changed ---------------------------------------------------------------------------------------------------


def test_a_reviewer_takes_over_what_is_ticked(browser: Any, tmp_path: Path) -> None:
    """A browser says of its own forms what ``forms.is_ours`` asks for: with a token, and after a login."""
    folder = tmp_path / "recordings"
    for session, text in (("default", b"Hello!"), ("mine", b"Howdy!")):
        responses = folder / session / "responses"
        responses.mkdir(parents=True)
        (responses / CHAT.name).write_bytes(CHAT.read_bytes().replace(b"Hello!", text))
    other = SAMPLES["cerebras completions"]
    (folder / "mine" / "responses" / other.name).write_bytes(other.read_bytes())
    token, tokens = Tokens().create("*", Role.ADMIN, "anna")
    source = LookedAt(folder)
    source.tokens = lambda: tokens  # type: ignore[method-assign, assignment]
    with looking(source) as url, opened(browser) as tab:
        tab.goto(f"{url}/promote?source=mine&target=default")
        tab.fill("#token", token.text)
        tab.get_by_role("button", name="Look").click()
        tab.goto(f"{url}/promote?source=mine&target=default")
        tab.locator(".accept", has_text="+").get_by_role("checkbox").uncheck()
        tab.get_by_role("button", name="Take over what is ticked").click()
        assert "1 request is taken over" in tab.get_by_role("status").inner_text()
    assert b"Howdy!" in (folder / "default" / "responses" / CHAT.name).read_bytes()
    assert not (folder / "default" / "responses" / other.name).exists()
