import pytest

from wiretape.network.address import Address, parse


@pytest.mark.parametrize(
    ("text", "host", "port", "is_loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("8080", "127.0.0.1", 8080, True),
        (":8080", None, 0, False),
        (" 9464 ", "127.0.0.1", 9464, True),
        ("localhost:0", "localhost", 0, True),
        ("127.9.9.9:1", "127.9.9.9", 1, True),
        ("0.0.0.0:8080", "0.0.0.0", 8080, False),
        ("[::1]:8080", "::1", 8080, True),
        ("[::]:8080", "::", 8080, False),
        ("tape.internal:8080", "tape.internal", 8080, False),
        ("localhost.example.com:1", "localhost.example.com", 1, False),
        ("10.0.0.1:65535", "10.0.0.1", 65535, False),
        *(
            (wrong, None, 0, False)
            for wrong in ("", "here", "here:", "1:2:3", "::1:80", "a:65536", "a:-1", "a b:1", "a:\u0661")
        ),
    ],
)
def test_an_address_or_what_is_right(text: str, host: str | None, port: int, is_loopback: bool) -> None:
    if host is None:
        with pytest.raises(ValueError, match="HOST:PORT"):
            parse(text)
        return
    address = parse(text)
    assert address == Address(host, port)
    assert address.is_loopback == is_loopback
    assert parse(str(address)) == address
