"""The page in a browser, as a person uses it: a real proxy, a real SDK, the system's Chromium.

Every page that a test opens is held to two things: nothing is written to the console as an error, and nothing is done
that the policy of the page forbids.
"""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness import Mitmdump, openai_client
from looked_at import HOSTILE, LookedAt, looking, recordings_of_each_kind
from loopback import Answer, Provider, Received, Wait
from places import SHIPPED
from samples import CHAT, SAMPLES, call, load
from talk import Talk, ask, question
from told_calls import HOSTILE as HOSTILE_CALL
from told_calls import call as told
from told_calls import miss
from wiretape.call_log.log import CallLog
from wiretape.call_log.preparing import CallTemplate
from wiretape.sessions import token_file
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
    tab.set_default_timeout(60_000)
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
    "calls": "/calls",
    "a run": "/runs/steps?session=default",
    "runs": "/runs",
    "two runs": "/runs/compare?here=session%3Ddefault&there=session%3Ddefault",
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


# -- calls as they come, and runs --------------------------------------------------------------------------------------

MANY = 10_000

COUNTING = """() => {
  const rows = document.getElementById("calls").rows;
  window.most = 0;
  new MutationObserver(() => (most = Math.max(most, rows.length))).observe(rows[0].parentNode, {childList: true});
  window.shows = (model) => [...rows].some((row) => {
    const {top, bottom} = row.getBoundingClientRect();
    return bottom > 0 && top < innerHeight && row.cells.length && new RegExp(`^${model}$`).test(row.cells[3].innerText);
  });
}"""
"""Has a page tell whether a model's row can be seen, and how many rows there were at most."""


def page_of(proxy: Mitmdump) -> str:
    """The address of its page."""
    return proxy.wait_for_log(r"the page is at (http://127\.0\.0\.1:\d+)")[1]


def outcomes(tab: Any) -> list[str]:
    """What became of the calls that are shown, the newest first."""
    shown: list[str] = tab.locator("#calls .outcome").all_inner_texts()
    return shown


def wait_for(tab: Any, expected: list[str]) -> None:
    """Wait until these outcomes are shown."""
    tab.wait_for_function(
        "expected => JSON.stringify([...document.querySelectorAll('#calls .outcome')].map(e => e.textContent))"
        " === JSON.stringify(expected)",
        arg=expected,
    )


class Pausing(Talk):
    """A provider that stops within an answer until it is told to go on."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(provider)
        self.go_on = threading.Event()

    def answer(self, received: Received) -> Answer:
        answer = super().answer(received)
        return answer.insert(2, Wait(self.go_on)) if question(received.json()) == "slowly" else answer


def test_calls_appear_as_they_come(browser: Any, provider: Provider, tmp_path: Path) -> None:
    talk = Pausing(provider)
    recordings = tmp_path / "recordings"
    shutil.copytree(SHIPPED / "default", recordings / "default")
    options = {"wiretape_page": "0"}
    with (
        Mitmdump(recordings, "record-if-missing", options=options, origin=provider) as proxy,
        openai_client(proxy, max_retries=0) as client,
        openai_client(proxy, credentials="other+replay", max_retries=0) as replaying,
        opened(browser) as tab,
    ):
        tab.goto(f"{page_of(proxy)}/calls")
        sync_api.expect(tab.locator("#state")).to_have_text("live")
        [*call(client, load(CHAT))]
        wait_for(tab, ["hit"])
        with pytest.raises(Exception, match="no recording"):
            ask(replaying, "nothing")
        wait_for(tab, ["miss", "hit"])
        stream = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "slowly"}], stream=True
        )
        next(stream)
        ask(client, "quickly")
        wait_for(tab, ["recorded", "miss", "hit"])
        talk.go_on.set()
        list(stream)
        wait_for(tab, ["recorded", "recorded", "miss", "hit"])
        filtered_and_paused(tab, client)
        run_of(tab)
        tab.goto(f"{page_of(proxy)}/calls")
        tab.locator("#calls a", has_text="chat/completions").last.click()
        sync_api.expect(tab.locator("main")).to_contain_text("Hello, world!")


def filtered_and_paused(tab: Any, client: Any) -> None:
    """What a person does with calls that are shown."""
    tab.select_option("[name=outcome]", "miss")
    wait_for(tab, ["miss"])
    assert re.search(r"/calls\?outcome=miss$", tab.url)
    tab.reload()
    wait_for(tab, ["miss"])
    sync_api.expect(tab.locator("#state")).to_have_text("live")
    [*call(client, load(CHAT))]
    tab.select_option("[name=outcome]", "")
    wait_for(tab, ["hit", "recorded", "recorded", "miss", "hit"])
    tab.fill("[name=words]", "OTHER miss")
    wait_for(tab, ["miss"])
    tab.fill("[name=words]", "")
    wait_for(tab, ["hit", "recorded", "recorded", "miss", "hit"])
    tab.click("text=Pause")
    [*call(client, load(CHAT))]
    sync_api.expect(tab.locator("#state")).to_have_text("paused, 1 more")
    assert len(outcomes(tab)) == 5
    tab.click("text=Go on")
    wait_for(tab, ["hit", "hit", "recorded", "recorded", "miss", "hit"])
    held: list[tuple[Any, Any]] = []
    tab.route("**/calls?words=default", lambda route: held.append((route, route.fetch())))
    tab.fill("[name=words]", "default")
    while not held:
        tab.wait_for_timeout(5)
    [*call(client, load(CHAT))]
    wait_for(tab, ["hit", "hit", "hit", "recorded", "recorded", "miss", "hit"])
    for route, answer in held:
        route.fulfill(response=answer)
    # What came while the filter was asked for is not lost.
    wait_for(tab, ["hit", "hit", "hit", "recorded", "recorded", "hit"])
    tab.unroute_all()


def run_of(tab: Any) -> None:
    """Look at what was called as steps, and at two runs beside each other."""
    tab.click("nav >> text=Runs")
    tab.click("main a >> text=default")
    sync_api.expect(tab.locator("h2", has_text="Step")).to_have_count(6)
    sync_api.expect(tab.locator("main")).to_contain_text("It asks what step 1 asked.")
    tab.click("text=Runs")
    tab.click("text=Compare")
    sync_api.expect(tab.locator("main")).to_contain_text("Step 1: the runs part")


def test_a_token_opens_the_calls_of_its_sessions(browser: Any, tmp_path: Path) -> None:
    token, content = Tokens().create("default", Role.READ, "anna")
    other, content = content.create("secret", Role.READ, "bob")
    token_file.write(tmp_path / "tokens.toml", content)
    options = {"wiretape_page": "0", "wiretape_tokens": str(tmp_path / "tokens.toml")}
    with (
        Mitmdump(SHIPPED, "replay", options=options) as proxy,
        openai_client(proxy, credentials=f"default:{token.text}", max_retries=0) as client,
        openai_client(proxy, credentials=f"secret:{other.text}", max_retries=0) as secret,
    ):
        url = page_of(proxy)
        with opened(browser) as tab:
            tab.goto(f"{url}/calls")
            tab.fill("[name=token]", token.text)
            tab.press("[name=token]", "Enter")
            tab.click("nav >> text=Calls")
            sync_api.expect(tab.locator("#state")).to_have_text("live")
            with pytest.raises(Exception, match="no recording"):
                ask(secret, "nothing")
            [*call(client, load(CHAT))]
            wait_for(tab, ["hit"])
            storage = tab.context.storage_state()
        with opened(browser, java_script_enabled=False, storage_state=storage) as tab:
            tab.goto(f"{url}/calls")
            assert outcomes(tab) == ["hit"]
            tab.fill("[name=words]", "nothing")
            tab.click("text=Filter")
            assert tab.url.endswith("words=nothing")
            assert outcomes(tab) == []


def test_ten_thousand_calls_scroll(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "calls.sqlite"
    log = CallLog(file, "run")
    for number in range(MANY // 100):
        template = CallTemplate(partial(told, model=f"model-{number}", recording="e99f14805360", recorded_in="default"))
        for at in range(100):
            log.add_like(template, at, at + 0.25)
    log.flush()
    options = {"wiretape_page": "0", "wiretape_call_log": str(file)}
    with Mitmdump(SHIPPED, "replay", options=options) as proxy, opened(browser) as tab:
        tab.goto(f"{page_of(proxy)}/calls")
        tab.wait_for_selector(f"text=model-{MANY // 100 - 1} >> nth=0")
        tab.evaluate(COUNTING)
        tab.wait_for_function("() => (scrollTo(0, document.body.scrollHeight), shows('model-0'))")
        middle = tab.evaluate("() => (scrollTo(0, document.body.scrollHeight / 2), scrollY)")
        tab.wait_for_function("() => shows('model-5.')")
        log.add(miss(HOSTILE_CALL, model=HOSTILE_CALL))
        log.flush()
        tab.wait_for_function("before => scrollY > before", arg=middle)
        assert tab.evaluate("() => shows('model-5.')"), "what is read stays where it is"
        tab.evaluate("() => scrollTo(0, 0)")
        tab.wait_for_selector("#calls .miss")
        assert tab.evaluate("() => most") < 300, "rows that are there at a time"
    log.close()
