"""How often is something taken for a secret that is none? Looks through code and prose, and prints what it finds.

    .venv/bin/python tests/bench/look_alikes.py [FOLDER...]

Without a folder it looks through the packages of its own virtual environment, about 170 MB. What they hold that has the
form of a key was looked at one by one: keys of examples, in tests and documentation. They are known here by a digest.
"""

import hashlib
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

from wiretape.redaction import Redactor, Span

SUFFIXES = frozenset(
    {".py", ".pyi", ".md", ".rst", ".txt", ".js", ".ts", ".css", ".html", ".toml", ".yaml", ".json", ".sh"}
)

_REVIEWED = """
    014ccba9fda1e0a8 2ba7d4d65bd576bd 0904a56b04eb4c14 0b14d501a594442a 143a54d093f18549 2c3b6ecb5a3758f5
    5c3eed3c776cccaa 67011742b017b794 687da00b09c83361 97bd445891546f5b 98fbf2243b9d9a9f
    ce4c9cdcf4277d15 cf4d418ed3de92d7 e6c2d3455587c47c f1cdf4d3485952c9 f4187ad2496a8677
    ffc9a6c1416c6489
"""
REVIEWED = frozenset(_REVIEWED.split())
"""Digests of keys of examples: of botocore, httpx, joserfc, moto, pydantic, RapidFuzz and tornado."""


def texts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the texts below a folder, in order."""
    for file in sorted(folder.rglob("*")):
        if (file.suffix in SUFFIXES or file.name == "METADATA") and file.is_file():
            yield file, file.read_text("utf-8", "replace")


def digest(secret: str) -> str:
    """Return what a reviewed key is known by."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def hits(redactor: Redactor, text: str) -> list[Span]:
    """Return what is found in a text, but for what was looked at."""
    return [span for span in redactor._plain_spans(text) if digest(text[span.start : span.end]) not in REVIEWED]


def main() -> int:
    """Look through everything, print every hit and the sums."""
    redactor = Redactor(environment={})
    started = time.process_time()
    size = 0
    count = 0
    for folder in map(Path, sys.argv[1:] or [sysconfig.get_path("purelib")]):
        for file, text in texts(folder):
            size += len(text)
            for span in hits(redactor, text):
                count += 1
                secret = text[span.start : span.end]
                before = text[max(0, span.start - 40) : span.start]
                print(f"{file}: {span.detector}: {before!r} {secret[:80]!r} {digest(secret)}")
    print(
        f"{count} hits in {size / 1e6:.0f} MB of text, {size / 1e6 / (time.process_time() - started):.0f} MB a second"
    )
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
