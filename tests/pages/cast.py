"""The picture of the demo: what ``wiretape demo`` really prints, as an SVG that looks like a terminal."""

import os
import re
import subprocess
import sys
import textwrap
from html import escape, unescape
from pathlib import Path

from places import ROOT

PICTURE = ROOT / "docs" / "images" / "demo.svg"

COLUMNS = 100
LINE_HEIGHT = 18
FONT_SIZE = 13
MARGIN = 18
BAR = 30

_BEGIN = "wiretape run --mode replay"
"""The title from which the picture shows what is printed: what comes before it is the app's source."""

_LONGEST = 2
"""Lines that are shown of a completion, its title included."""

_COLOURS = (
    (re.compile(r"^--- "), "#93c5fd"),
    (re.compile(r"> "), "#67e8f9"),
    (re.compile(r"wiretape: |miss: |The nearest recording|  messages"), "#fcd34d"),
    (re.compile(r"replay, session|\d\.\d seconds"), "#86efac"),
)
_PLAIN = "#e2e8f0"


def output() -> list[str]:
    """Run the demo. Return the lines that it prints, without this machine's own folder."""
    scripts = Path(sys.executable).parent
    env = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    command = [str(scripts / "wiretape"), "demo"]
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, encoding="utf-8", check=False, timeout=300)
    # What the proxy says goes to stderr, in between: the app's own lines are what the picture is about.
    text = result.stdout
    if result.returncode != 0:
        raise RuntimeError(f"wiretape demo ended with {result.returncode}: {result.stderr}")
    text = text[text.rindex("\n", 0, text.index(_BEGIN)) + 1 :]
    text = text.replace(f"{ROOT}/", "").replace(str(ROOT), ".")
    lines: list[str] = []
    for line in _shortened(text.rstrip().splitlines()):
        lines += textwrap.wrap(line, COLUMNS, subsequent_indent="  ", drop_whitespace=False) or [""]
    return [line.rstrip() for line in lines]


def _shortened(lines: list[str]) -> list[str]:
    """Return the lines with long answers of completions cut short, each with a mark where it is cut."""
    kept: list[str] = []
    left = 0
    is_cut = False
    for line in lines:
        if line.startswith(("> ", "--- ")):
            if is_cut:
                kept += ["[...]", ""]
            left = _LONGEST if "completion" in line else sys.maxsize
            is_cut = False
        if left > 0:
            kept.append(line)
            left -= 1
        else:
            is_cut = True
    return kept


def drawn(lines: list[str]) -> str:
    """Return the picture of these lines."""
    width = round(COLUMNS * FONT_SIZE * 0.602) + 2 * MARGIN
    height = len(lines) * LINE_HEIGHT + BAR + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="{FONT_SIZE}">',
        "  <title>The output of wiretape demo</title>",
        f'  <rect width="{width}" height="{height}" rx="8" fill="#0f172a"/>',
        '  <circle cx="20" cy="18" r="6" fill="#f87171"/>',
        '  <circle cx="40" cy="18" r="6" fill="#fbbf24"/>',
        '  <circle cx="60" cy="18" r="6" fill="#4ade80"/>',
    ]
    for number, line in enumerate(lines):
        colour = next((colour for form, colour in _COLOURS if form.search(line)), _PLAIN)
        y = BAR + MARGIN + number * LINE_HEIGHT
        parts.append(f'  <text x="{MARGIN}" y="{y}" fill="{colour}" xml:space="preserve">{escape(line)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def shown(picture: str) -> list[str]:
    """Return the lines that a picture shows."""
    return [unescape(line) for line in re.findall(r'xml:space="preserve">(.*)</text>', picture)]


def _timeless(lines: list[str]) -> list[str]:
    """Return the lines without how long the demo took: that is another time each time."""
    return [re.sub(r"\d+\.\d seconds", "some seconds", line) for line in lines]


def update() -> bool:
    """Draw the picture anew where the demo prints something else. Return whether it was so."""
    lines = output()
    if PICTURE.exists() and _timeless(shown(PICTURE.read_text("utf-8"))) == _timeless(lines):
        return False
    PICTURE.write_text(drawn(lines), "utf-8")
    return True
