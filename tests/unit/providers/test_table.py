"""The table of providers, as TOML says it: whose requests it names, and what is wrong with a table."""

from typing import Any

import pytest

from wiretape.exceptions import ConfigurationError
from wiretape.providers.routing import ApiKey, Exclusion, Providers
from wiretape.providers.table import builtin_tables, load


def own(**entry: Any) -> dict[str, Any]:
    return {"provider": [{"name": "gpu", "hosts": ["gpu.example"], "endpoints": ["openai"], **entry}]}


def route(providers: Providers, path: str, host: str = "gpu.example", port: int = 443) -> tuple[str, str, str] | None:
    found = providers.route("POST", "https", host, port, path)
    return (found.provider, found.base, found.endpoint.recorded) if found else None


def test_the_builtin_table_is_there_without_one_of_ones_own() -> None:
    assert builtin_tables()["provider"]
    assert route(load({}), "/v1/chat/completions", "api.openai.com") == (
        "openai",
        "https://api.openai.com/v1",
        "/v1/chat/completions",
    )


def test_ones_own_table_goes_before_it() -> None:
    mine = load(own(name="mine", hosts=["api.openai.com"], base="/v1"))
    found = route(mine, "/v1/chat/completions", "api.openai.com")
    assert found
    assert found[0] == "mine"


def test_a_set_of_ones_own_goes_before_the_builtin_one_of_its_name() -> None:
    members = {"POST /say": {"kind": "sdk", "recorded": "/v1/chat/completions"}}
    found = load({"endpoints": {"openai": members}, **own()})
    assert route(found, "/say") == ("gpu", "https://gpu.example", "/v1/chat/completions")
    assert route(found, "/chat/completions") != ("gpu", "https://gpu.example", "/v1/chat/completions")


# a pattern of hosts -> who it is, and who it is not
HOSTS = [
    ("gpu.example", ("gpu.example", 443), ("x.gpu.example", 443)),
    ("GPU.example", ("gpu.example", 8443), ("gpu.example.org", 443)),
    ("gpu.example:8443", ("gpu.example", 8443), ("gpu.example", 443)),
    ("*.gpu.example", ("x.gpu.example", 443), ("gpu.example", 443)),
    ("*.GPU.example", ("x.gpu.example", 443), ("gpu.example", 443)),
    ("10.0.0.9:8000", ("10.0.0.9", 8000), ("10.0.0.9", 8001)),
    ("[fd00::9]", ("fd00::9", 1), ("fd00::8", 1)),
    ("[fd00::9]:8000", ("fd00::9", 8000), ("fd00::9", 8001)),
    ("fd00::9", ("fd00::9", 1), ("fd00::8", 1)),
]


@pytest.mark.parametrize(("pattern", "known", "unknown"), HOSTS)
def test_which_hosts_are_meant(pattern: str, known: tuple[str, int], unknown: tuple[str, int]) -> None:
    found = load(own(hosts=[pattern]))
    assert found.knows(*known)
    assert not found.knows(*unknown)


@pytest.mark.parametrize(
    ("rule", "method", "path", "is_excluded"),
    [
        ("/files*", "GET", "/files/a", True),
        ("/files*", "POST", "/files", True),
        ("/files*", "GET", "/other", False),
        ("GET /files/*", "GET", "/files/a", True),
        ("GET /files/*", "POST", "/files/a", False),
    ],
)
def test_what_is_excluded(rule: str, method: str, path: str, *, is_excluded: bool) -> None:
    for key, exclusion in (("skip", Exclusion.SKIPPED), ("ignore", Exclusion.IGNORED)):
        found = load(own(**{key: [rule]})).exclusion(method, "https", "gpu.example", 443, path)
        assert found is (exclusion if is_excluded else None)


def test_which_key_is_whose_and_in_which_header() -> None:
    entry = {"api_key": ["A_KEY", "B_KEY"], "api_key_header": "X-Key", "headers": {"X-Team": "seven"}}
    providers = load(own(**entry))
    found = providers.route("POST", "https", "gpu.example", 443, "/chat/completions")
    assert found
    provider = providers.of(found, "gpu.example", 443)
    assert provider
    assert (provider.api_key, provider.headers) == (ApiKey(("A_KEY", "B_KEY"), "x-key"), (("x-team", "seven"),))
    builtin = load({})
    openai = builtin.route("POST", "https", "eu.api.openai.com", 443, "/v1/embeddings")
    assert openai
    provider = builtin.of(openai, "eu.api.openai.com", 443)
    assert provider
    assert provider.api_key == ApiKey(("OPENAI_API_KEY",))
    assert provider.names("api.openai.com", 443)
    assert not provider.names("eu.api.openai.com", 443), "it is one by a pattern alone"


def test_a_placeholder_is_one_part_of_a_path() -> None:
    found = load(own(base="/{tenant}/v1"))
    assert route(found, "/a/v1/chat/completions") == ("gpu", "https://gpu.example/a/v1", "/v1/chat/completions")
    assert route(found, "/a/b/v1/chat/completions") != ("gpu", "https://gpu.example/a/b/v1", "/v1/chat/completions")


CHAT = {"kind": "sdk", "recorded": "/v1/chat/completions"}

# tables -> what is said of them
WRONG = [
    (own(hosts=[]), "needs hosts"),
    (own(endpoints=[]), "needs hosts, and endpoints, skip or ignore"),
    (own(endpoints=["opena"]), "did you mean openai?"),
    (own(endpoints=["zzzzzzzz"]), "there are "),
    (own(hosts=["https://gpu.example"]), "is no host"),
    (own(hosts=["gpu.example:port"]), "is no host"),
    (own(skip=["files"]), "is no path such as"),
    (own(ignore=["/files?a=b"]), "it has no query"),
    (own(base="/{a}{b}"), "between two placeholders"),
    (own(headers={"a b": "c"}), "is no header"),
    (own(headers={"a": "b\r\nc: d"}), "is no header"),
    ({"endpoints": {"x": {"/say": CHAT}}}, "a key is a method and a path"),
    ({"endpoints": {"x": {"post /say": CHAT}}}, "a key is a method and a path"),
    ({"endpoints": {"x": {"POST /say": {"kind": "grpc"}}}}, "kind is one of http, sdk"),
    ({"endpoints": {"x": {"POST /say": {"kind": "sdk"}}}}, "recorded is one of"),
    ({"endpoints": {"x": {"POST /say": {"kind": "sdk", "recorded": "/v1/none"}}}}, "not '/v1/none'"),
]


@pytest.mark.parametrize(("tables", "said"), WRONG)
def test_what_is_wrong_with_a_table_is_said(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(tables)
    assert said in str(raised.value)
