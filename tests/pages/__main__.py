"""Write what is generated of the documentation: .venv/bin/python tests/pages. See the package's docstring."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pages import cast, reference
from places import ROOT


def main() -> int:
    """Write every page that has generated parts, and the picture of the demo where its output has changed."""
    for page in reference.PAGES:
        text = reference.written(page)
        if text != page.read_text("utf-8"):
            page.write_text(text, "utf-8")
            print(f"written: {page.relative_to(ROOT)}")
    if cast.update():
        print(f"written: {cast.PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
