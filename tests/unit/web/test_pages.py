"""The templates, and what is text in them."""

import pytest

from wiretape.web import pages
from wiretape.web.pages import CONTENT_SECURITY_POLICY, image, page, shown

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="


@pytest.mark.parametrize(
    ("address", "is_shown"),
    [
        (f"data:image/png;base64,{PIXEL}", True),
        (PIXEL, True),
        ("data:image/svg+xml;base64,PHN2Zz4=", False),
        ("data:text/html;base64,PGI+", False),
        ("https://tracker.example/pixel.png", False),
        ('data:image/png;base64,"onerror="alert(1)', False),
        ("data:image/png;base64," + "A" * 5_000_000, False),
    ],
)
def test_an_image_is_shown_where_the_recording_holds_it(address: str, is_shown: bool) -> None:
    assert bool(image(address)) is is_shown


def test_what_a_model_says_is_text() -> None:
    hostile = "<script>alert(1)</script>"
    assert hostile not in page("error.html", title=hostile, text=hostile, place=Place())


class Place:
    store = "<b>here</b>"
    is_live = False
    has_tokens = False


def test_a_long_text_is_cut_and_says_so() -> None:
    assert shown("x" * 100) == "x" * 100
    assert len(shown("x" * 10**6)) < 21_000
    assert "980,000 more characters" in shown("x" * 10**6)


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert "'unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    for file in (*(pages.FOLDER / "templates").iterdir(), *(pages.FOLDER / "static").iterdir()):
        text = file.read_text("utf-8")
        assert "://" not in text, file
        assert " style=" not in text, f"{file}: the policy lets no style stand in a page"
        assert "| safe" not in text, file
