"""What is known by how it is built: whole, and not where it is a part of something else."""

import pytest

from drawn import draw
from wiretape.redaction import Redactor

PLAIN = Redactor(environment={})


def found(text: str, redactor: Redactor = PLAIN) -> list[str]:
    return [text[span.start : span.end] for span in redactor.spans(text)]


@pytest.mark.parametrize("between", [",", " / ", "\n", '", "secret": "', "\nand its secret "])
def test_the_secret_of_an_access_key_is_found_beside_it(between: str) -> None:
    key, secret = draw("AKIA{u16}"), draw("{a18}/{a21}")
    assert found(f"über {key}{between}{secret} x") == [key, secret]
    assert found(f"{secret}{between}{key}") == [secret, key]
    assert found(f"{key} at commit {draw('{h40}')}") == [key]
    assert found(f"{key}{' ' * 200}{secret}") == [key]


def test_what_begins_as_a_path_does_is_a_key_or_base64() -> None:
    token = draw("1//0{s80}x")
    assert found(f"https://api.example.com/accounts/projects/people/{token}/x") == [token]
    assert found(f"{draw('{a60}')}/{token}") == []
    assert found(f"Name=a;AccountKey=/{draw('{a85}')}==;x=1") == [f"/{draw('{a85}')}=="]
    assert found("api_key: /usr/lib/python3/site-packages/certifi2") == []
