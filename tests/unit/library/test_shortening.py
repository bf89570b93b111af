"""What is shown of a long value."""

import base64

from wiretape.library.shortening import shortened, text


def test_what_is_short_stays() -> None:
    value = {"a": ["x" * 1000, 1, None, True], "b": {}}
    assert shortened(value) == value


def test_a_long_text_has_its_beginning_and_its_end() -> None:
    shown = text("begin " + "x " * 5000 + "end")
    assert shown.startswith("begin ")
    assert shown.endswith("end")
    assert "characters)" in shown
    assert len(shown) < 700


def test_an_image_is_named_and_a_vector_is_said_to_be_one() -> None:
    image = base64.b64encode(b"\x89PNG" * 100_000).decode()
    assert text(f"data:image/png;base64,{image}") == "data:image/png;base64,… (400.0 kB)"
    assert text(image).endswith("… (base64, 400.0 kB)")


def test_of_a_long_list_some_are_shown() -> None:
    shown = shortened(["x"] * 1200)
    assert len(shown) == 51
    assert shown[-1] == "… and 1,150 more"
