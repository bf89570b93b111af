"""Where a proxy may lead: one spelling of each host, which addresses are public, and what a policy makes of them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiretape import config
from wiretape.network.egress import EgressPolicy, Verdict, canonical, entry, is_here, is_public, literal

SPELLED = {
    "API.OpenAI.com": "api.openai.com",
    "api.openai.com.": "api.openai.com",
    "\uff41\uff50\uff49.openai.com": "api.openai.com",
    "api\u3002openai\u3002com": "api.openai.com",
    "bücher.example": "xn--bcher-kva.example",
    "2130706433": "127.0.0.1",
    "0x7f.1": "127.0.0.1",
    "0X7F000001": "127.0.0.1",
    "127.1": "127.0.0.1",
    "127.0.1": "127.0.0.1",
    "017700000001": "127.0.0.1",
    "0177.0.0.01": "127.0.0.1",
    "\uff11\uff12\uff17.0.0.1": "127.0.0.1",
    "127.0.0.1.": "127.0.0.1",
    "0": "0.0.0.0",
    "[::1]": "::1",
    "0:0:0:0:0:0:0:1": "::1",
    "fe80::1%eth0": "fe80::1",
    "[FE80::1%25en0]": "fe80::1",
    "::ffff:127.0.0.1": "127.0.0.1",
    "::ffff:7f00:1": "127.0.0.1",
    # No addresses, and no names either: as they are.
    "256.1.1.1": "256.1.1.1",
    "1.2.3.4.5": "1.2.3.4.5",
    "08": "08",
    "0x": "0x",
    "127.0.0.1.evil.example": "127.0.0.1.evil.example",
    ":::": ":::",
    "": "",
}

CLOSED = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255"),
    *("127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:7f00:1", "fe80::1", "fec0::1"),
    *("fc00::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1", "ff0e::1", "100::1", "5f00::1", "4000::1"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1"),
    *("2001:2::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1", "3ffe::1", "3fff::1"),
]
PUBLIC = [
    *(
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
    ),
    *("169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0"),
    *("168.63.129.15", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
    *("2001:4860:4860::8888", "2606:4700::1111", "2a00:1450:4001::200e", "2003::1", "2001:200::1", "3fef::1"),
]


@pytest.mark.parametrize(("host", "one"), SPELLED.items())
def test_a_host_has_one_spelling(host: str, one: str) -> None:
    assert canonical(host) == one
    assert canonical(one) == one


def test_what_is_too_long_for_a_host_is_not_remembered() -> None:
    assert canonical("A" * 100_000) == "a" * 100_000
    assert literal("1" * 100_000) is None


@pytest.mark.parametrize(
    ("host", "here"),
    [
        *((host, True) for host in ("localhost", "LOCALHOST.", "app.localhost", "127.9.9.9", "::1", "0.0.0.0", "[::]")),
        *((host, True) for host in ("2130706433", "0x7f.1", "::ffff:127.0.0.1")),
        *((host, False) for host in ("localhost.example", "xlocalhost", "10.0.0.1", "126.0.0.1", "api.openai.com", "")),
    ],
)
def test_what_is_this_machine(host: str, here: bool) -> None:
    assert is_here(host) is here


@pytest.mark.parametrize("address", CLOSED)
def test_what_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_knows_to_be_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    special = ("is_private", "is_loopback", "is_link_local", "is_multicast", "is_unspecified", "is_reserved")
    if is_public(address):
        assert not any(getattr(address, name) for name in special)


# -- policies ----------------------------------------------------------------------------------------------------------

GUARDED = EgressPolicy(is_guarded=True)
LISTING = EgressPolicy(
    is_guarded=True, allow=tuple(map(entry, ("10.0.0.5:8000", "*.corp.example", "gpu:9", "fd00::/16")))
)
ONLY = EgressPolicy(allow=tuple(map(entry, ("*.corp.example", "10.1.0.0/16"))), allow_only=True)
OFFLINE = EgressPolicy(is_offline=True, is_guarded=True, allow=(entry("*.corp.example"),))


@pytest.mark.parametrize(
    ("policy", "host", "port", "verdict"),
    [
        (EgressPolicy(), "anything.example", 443, Verdict.OPEN),
        (EgressPolicy(), "169.254.169.254", 80, Verdict.OPEN),
        # A mapped address is, as a host, another spelling of the one that it maps.
        *((GUARDED, host, 80, Verdict.CLOSED) for host in CLOSED if host != "::ffff:8.8.8.8"),
        *((GUARDED, host, 80, Verdict.BY_ADDRESS) for host in PUBLIC),
        *((GUARDED, host, 80, Verdict.CLOSED) for host in SPELLED if literal(host)),
        (GUARDED, "some.example", 80, Verdict.BY_ADDRESS),
        (GUARDED, "localhost", 80, Verdict.BY_ADDRESS),
        (LISTING, "10.0.0.5", 8000, Verdict.BY_ADDRESS),
        (LISTING, "10.0.0.5", 8001, Verdict.CLOSED),
        (LISTING, "0xa000005", 8000, Verdict.BY_ADDRESS),
        (LISTING, "a.b.CORP.example.", 1, Verdict.OPEN),
        (LISTING, "corp.example", 1, Verdict.BY_ADDRESS),
        (LISTING, "evilcorp.example", 1, Verdict.BY_ADDRESS),
        (LISTING, "GPU", 9, Verdict.OPEN),
        (LISTING, "gpu", 10, Verdict.BY_ADDRESS),
        (LISTING, "fd00::7", 10, Verdict.BY_ADDRESS),
        (ONLY, "a.corp.example", 443, Verdict.OPEN),
        (ONLY, "8.8.8.8", 443, Verdict.CLOSED),
        (ONLY, "10.1.2.3", 443, Verdict.BY_ADDRESS),
        (ONLY, "other.example", 443, Verdict.BY_ADDRESS),
        (EgressPolicy(allow_only=True), "other.example", 443, Verdict.CLOSED),
        *((OFFLINE, host, 80, Verdict.CLOSED) for host in ("a.corp.example", "8.8.8.8", "10.0.0.1", "0x", "1.1")),
        *((OFFLINE, host, 80, Verdict.OPEN) for host in ("localhost", "127.0.0.1", "[::1]", "x.localhost.")),
    ],
)
def test_what_a_name_tells(policy: EgressPolicy, host: str, port: int, verdict: Verdict) -> None:
    assert policy.judge_name(host, port, is_provider=False) is verdict


def test_a_provider_is_open_but_offline() -> None:
    for policy in (GUARDED, ONLY, EgressPolicy(allow_only=True)):
        assert policy.judge_name("10.0.0.1", 80, is_provider=True) is Verdict.OPEN
    assert OFFLINE.judge_name("api.openai.com", 443, is_provider=True) is Verdict.CLOSED


@pytest.mark.parametrize(
    ("policy", "address", "port", "is_open"),
    [
        (GUARDED, "8.8.8.8", 80, True),
        (GUARDED, "10.0.0.5", 8000, False),
        (LISTING, "10.0.0.5", 8000, True),
        (LISTING, "10.0.0.5", 80, False),
        (LISTING, "fd00:0:1::1", 80, True),
        (ONLY, "8.8.8.8", 80, False),
        (ONLY, "10.1.255.1", 80, True),
    ],
)
def test_what_an_address_tells(policy: EgressPolicy, address: str, port: int, is_open: bool) -> None:
    assert policy.judge_address(ipaddress.ip_address(address), port) is is_open


def test_built_in_providers_of_this_machine_are_not_for_others() -> None:
    assert not GUARDED.is_open_provider("localhost", is_configured=False)
    assert not GUARDED.is_open_provider("0x7f.1", is_configured=False)
    assert GUARDED.is_open_provider("localhost", is_configured=True)
    assert GUARDED.is_open_provider("api.openai.com", is_configured=False)
    assert EgressPolicy().is_open_provider("localhost", is_configured=False)


# -- the configuration -------------------------------------------------------------------------------------------------


def test_a_table_is_read() -> None:
    text = '[tunnels]\nallow = ["10.0.0.5:8000", "[fd00::5]:443", "*.corp.example", "127.1"]\nallow_only = true\n'
    entries, only = config.loads("wiretape.toml", text).tunnels()
    assert only
    assert [(each.name, str(each.network), each.port) for each in entries] == [
        ("", "10.0.0.5/32", 8000),
        ("", "fd00::5/128", 443),
        (".corp.example", "None", None),
        ("", "127.0.0.1/32", None),
    ]
    assert config.loads("wiretape.toml", "").tunnels() == ((), False)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tunnels = 3", "in single brackets"),
        ("[[tunnels]]", "in single brackets"),
        ("[tunnels]\ndeny = []", "unknown key deny; there are allow, allow_only"),
        ("[tunnels]\ncommand = 'id'\npath = '/etc'", "unknown key command, path"),
        ("[tunnels]\nallow = '*'", "is a list of hosts"),
        ("[tunnels]\nallow = [5]", "allow: is a text, not 5"),
        ("[tunnels]\nallow_only = 1", "is true or false"),
        *((f"[tunnels]\nallow = [{text}]", "is none") for text in ("'*'", "'a*'", "'*.*'", "''", "'a b'", "'h:'")),
        *((f"[tunnels]\nallow = ['{text}']", "is none") for text in ("http://x", "a/b", "u@h:1:2", "[::1", "x:123456")),
        *((f"[tunnels]\nallow = ['{text}']", "no network") for text in ("10.0.0.1/8", "10.0.0.0/33", "::1::", "h/8")),
        *((f"[tunnels]\nallow = ['{text}']", "no port") for text in ("x:0", "10.0.0.1:65536")),
        ("[tunnels", "not TOML"),
    ],
)
def test_a_wrong_table_is_told(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"wiretape\.toml") as raised:
        config.loads("wiretape.toml", text).tunnels()
    assert says in str(raised.value)
