"""Which requests are inference requests of a provider, and under which URL they are recorded."""

import re

import pytest

from places import CONFIG
from wiretape import config
from wiretape.providers import base
from wiretape.providers.routing import OTHER, Exclusion, Providers, Route
from wiretape.providers.table import load


@pytest.fixture(scope="module", name="builtins")
def _builtins() -> Providers:
    return load({})


def team(text: str) -> Providers:
    return config.loads("team.toml", text).providers()


def post(providers: Providers, url: str, method: str = "POST") -> Route | None:
    match = re.fullmatch(r"(https?)://(\[.+?\]|[^/:]+)(?::(\d+))?(/.*|)", url)
    assert match
    scheme, host, port, path = match.groups()
    default = {"https": 443, "http": 80}[scheme]
    return providers.route(method, scheme, host.strip("[]"), int(port or default), path)


FIREWORKS = "https://api.fireworks.ai/inference/v1"
CEREBRAS = "https://api.cerebras.ai/v1"
OPENAI = "https://api.openai.com/v1"

# method, URL on the wire -> provider, recorded endpoint, recorded URL
ROUTES = [
    ("POST", f"{FIREWORKS}/completions", "fireworks", "/v1/completions", f"{FIREWORKS}/v1/completions"),
    ("POST", f"{FIREWORKS}/chat/completions", "fireworks", "/v1/chat/completions", f"{FIREWORKS}/v1/chat/completions"),
    ("POST", f"{FIREWORKS}/embeddings", "fireworks", "/v1/embeddings", f"{FIREWORKS}/v1/embeddings"),
    ("GET", f"{FIREWORKS}/models", "fireworks", "/v1/models", f"{FIREWORKS}/v1/models"),
    ("POST", f"{CEREBRAS}/completions", "cerebras", "/v1/completions", f"{CEREBRAS}/v1/completions"),
    ("POST", f"{CEREBRAS}/chat/completions", "cerebras", "/v1/chat/completions", f"{CEREBRAS}/v1/chat/completions"),
    ("POST", f"{OPENAI}/chat/completions", "openai", "/v1/chat/completions", f"{OPENAI}/v1/chat/completions"),
    ("POST", f"{OPENAI}/embeddings", "openai", "/v1/embeddings", f"{OPENAI}/v1/embeddings"),
    ("GET", f"{OPENAI}/models", "openai", "/v1/models", f"{OPENAI}/v1/models"),
    (
        "POST",
        "https://eu.api.openai.com/v1/chat/completions",
        "openai",
        "/v1/chat/completions",
        "https://eu.api.openai.com/v1/v1/chat/completions",
    ),
    (
        "POST",
        "https://api.groq.com/openai/v1/chat/completions",
        "groq",
        "/v1/chat/completions",
        "https://api.groq.com/openai/v1/v1/chat/completions",
    ),
    (
        "POST",
        "https://team.openai.azure.com/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21",
        "azure",
        "/v1/chat/completions",
        "https://team.openai.azure.com/openai/deployments/gpt-5/v1/chat/completions",
    ),
    (
        "POST",
        "http://localhost:11434/v1/chat/completions",
        "ollama",
        "/v1/chat/completions",
        "http://localhost:11434/v1/v1/chat/completions",
    ),
    (
        "POST",
        "http://[::1]:11434/v1/chat/completions",
        "ollama",
        "/v1/chat/completions",
        "http://[::1]:11434/v1/v1/chat/completions",
    ),
    (
        "POST",
        "https://API.Fireworks.AI/inference/v1/completions",
        "fireworks",
        "/v1/completions",
        f"{FIREWORKS}/v1/completions",
    ),
    (
        "POST",
        "https://api.openai.com:8443/v1/completions",
        "openai",
        "/v1/completions",
        "https://api.openai.com:8443/v1/v1/completions",
    ),
    ("POST", f"{OPENAI}/completions?a=b&c", "openai", "/v1/completions", f"{OPENAI}/v1/completions"),
]


@pytest.mark.parametrize(("method", "url", "expected"), [(method, url, rest) for method, url, *rest in ROUTES])
def test_an_inference_request_has_a_route(builtins: Providers, method: str, url: str, expected: list[str]) -> None:
    route = post(builtins, url, method)
    assert route
    assert [route.provider, route.endpoint.recorded, route.url] == expected


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "https://example.org/v1/chat/completions"),
        ("POST", "https://api.fireworks.ai.example.org/inference/v1/completions"),
        ("POST", "https://notapi.openai.com.evil/v1/completions"),
        ("POST", "https://xapi.openai.com/v1/completions"),
        ("POST", "https://apixopenai.com/v1/completions"),
        ("POST", "http://localhost:11435/v1/chat/completions"),
    ],
)
def test_what_goes_to_another_host_has_no_route(builtins: Providers, method: str, url: str) -> None:
    assert post(builtins, url, method) is None
    assert excluded(builtins, url, method) is None


# method, URL on the wire -> recorded URL, where it is another one
OTHERS = [
    ("POST", "https://api.fireworks.ai/v1/completions", ""),
    ("POST", f"{FIREWORKS}/fine_tuning/jobs", ""),
    ("POST", f"{FIREWORKS}/completions/", ""),
    ("POST", f"{FIREWORKS}/completions/x", ""),
    ("POST", f"{FIREWORKS}completions", ""),
    ("POST", "https://api.fireworks.ai/x/inference/v1/completions", ""),
    ("POST", "https://api.fireworks.ai/INFERENCE/v1/completions", ""),
    ("POST", "https://api.fireworks.ai/?/inference/v1/completions", ""),
    ("GET", f"{FIREWORKS}/completions", ""),
    ("POST", f"{FIREWORKS}/models", ""),
    ("POST", "http://api.fireworks.ai/inference/v1/completions", ""),
    ("POST", "https://localhost:11434/v1/chat/completions", ""),
    ("GET", f"{OPENAI}/responses/resp_1?include[]=a&after=b", ""),
    ("DELETE", f"{OPENAI}/files/f", ""),
    ("HEAD", "http://localhost:11434/", ""),
    ("DELETE", "http://localhost:11434/api/delete", ""),
    ("GET", f"{OPENAI}/files?api_key=x&limit=2", f"{OPENAI}/files?limit=2"),
    ("GET", "https://API.OpenAI.com:443/v1/x", f"{OPENAI}/x"),
    ("GET", "https://a.cloud.databricks.com/api/2.0/x", "__databricks__/api/2.0/x"),
]


@pytest.mark.parametrize(("method", "url", "recorded"), OTHERS)
def test_every_other_path_of_a_provider_is_recorded_by_its_url(
    builtins: Providers, method: str, url: str, recorded: str
) -> None:
    route = post(builtins, url, method)
    assert route
    assert (route.endpoint.kind, route.endpoint.method, route.endpoint.recorded) == (OTHER, method, "")
    assert route.url == (recorded or url)
    assert excluded(builtins, url, method) is None


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", f"{OPENAI}/models/gpt-5"),
        ("POST", f"{OPENAI}/responses/input_tokens"),
        ("GET", "https://api.anthropic.com/v1/models/claude"),
        ("POST", "https://x.services.ai.azure.com/anthropic/v1/messages"),
        ("GET", "https://generativelanguage.googleapis.com/v1beta/models"),
        ("POST", "https://generativelanguage.googleapis.com/v1beta/models/imagen-4:predict"),
        ("POST", "https://generativelanguage.googleapis.com/v1beta/tunedModels/t:generateContent"),
        ("POST", "https://codestral.mistral.ai/v1/fim/completions"),
        ("POST", "http://localhost:11434/api/show"),
        ("POST", "https://cloudcode-pa.googleapis.com/v1internal:streamGenerateContent"),
        ("POST", "https://daily-cloudcode-pa.sandbox.googleapis.com/v1internal:loadCodeAssist"),
        ("GET", "https://chatgpt.com/backend-api/codex/models"),
        ("POST", "https://chatgpt.com/backend-api/codex/responses/compact"),
        ("GET", "https://api.individual.githubcopilot.com/models"),
        ("POST", "https://api.githubcopilot.com/v1/messages"),
        ("POST", "https://api.moonshot.cn/anthropic/v1/messages"),
        ("POST", "https://api.kimi.com/coding/v1/messages"),
        ("POST", "https://api.z.ai/api/anthropic/v1/messages"),
        ("POST", "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1/messages"),
        ("POST", "https://api.perplexity.ai/search"),
        ("POST", "http://localhost:1234/api/v1/chat"),
    ],
)
def test_what_says_the_same_each_time_is_in_the_table(builtins: Providers, method: str, url: str) -> None:
    route = post(builtins, url, method)
    assert route
    assert (route.endpoint.kind, route.url) == ("http", url)


# URL of a chat -> the provider whose it is
CHATS = [
    ("https://api.githubcopilot.com/chat/completions", "copilot"),
    ("https://api.business.githubcopilot.com/chat/completions", "copilot"),
    ("https://api.enterprise.githubcopilot.com/v1/chat/completions", "copilot"),
    ("https://api.moonshot.ai/v1/chat/completions", "moonshot"),
    ("https://api.kimi.com/coding/v1/chat/completions", "kimi-coding"),
    ("https://api.z.ai/api/paas/v4/chat/completions", "zai"),
    ("https://api.z.ai/api/coding/paas/v4/chat/completions", "zai"),
    ("https://open.bigmodel.cn/api/paas/v4/chat/completions", "zai"),
    ("https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions", "qwen"),
    ("https://dashscope-us.aliyuncs.com/compatible-mode/v1/chat/completions", "qwen"),
    ("https://w.ap-southeast-1.maas.aliyuncs.com/compatible-mode/v1/chat/completions", "qwen"),
    ("https://coding-intl.dashscope.aliyuncs.com/v1/chat/completions", "qwen-coding"),
    ("https://router.huggingface.co/v1/chat/completions", "huggingface"),
    ("https://router.huggingface.co/together/v1/chat/completions", "huggingface"),
    ("https://api.perplexity.ai/chat/completions", "perplexity"),
    ("http://localhost:1234/v1/chat/completions", "lm-studio"),
]


@pytest.mark.parametrize(("url", "provider"), CHATS)
def test_a_chat_is_recorded_as_one_whoever_answers(builtins: Providers, url: str, provider: str) -> None:
    route = post(builtins, url)
    assert route
    assert (route.provider, route.endpoint.recorded) == (provider, "/v1/chat/completions")


CODEX = "codex_exec/0.171.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.171.0)"


@pytest.mark.parametrize(
    ("url", "client", "expected"),
    [
        (f"{OPENAI}/responses", CODEX, True),
        (f"{OPENAI}/responses?a=b", "codex_cli_rs/0.171.0", True),
        ("https://chatgpt.com/backend-api/codex/responses", CODEX, True),
        ("https://team.openai.azure.com/openai/v1/responses", CODEX, True),
        (f"{OPENAI}/responses", "OpenAI/Python 3.57.0", False),
        (f"{OPENAI}/responses", "", False),
        (f"{OPENAI}/realtime", CODEX, False),
        ("https://chatgpt.com/backend-api/responses", CODEX, False),
        ("https://llm.example/v1/responses", CODEX, False),
        ("http://api.openai.com/v1/responses", CODEX, False),
    ],
)
def test_which_client_of_a_websocket_goes_on_over_http(
    builtins: Providers, url: str, client: str, *, expected: bool
) -> None:
    scheme, host, path = re.fullmatch(r"(https?)://([^/]+)(/.*)", url).groups()  # type: ignore[union-attr]
    assert builtins.falls_back(scheme, host, {"https": 443, "http": 80}[scheme], path, client) is expected


def excluded(providers: Providers, url: str, method: str = "POST") -> Exclusion | None:
    match = re.fullmatch(r"(https?)://(\[.+?\]|[^/:]+)(?::(\d+))?(/.*|)", url)
    assert match
    scheme, host, port, path = match.groups()
    return providers.exclusion(method, scheme, host.strip("[]"), int(port or {"https": 443, "http": 80}[scheme]), path)


EXCLUDING = """
[[provider]]
hosts = ["api.openai.com"]
base = "/v1"
skip = ["/organization/*", "DELETE /files/*", "/embeddings", "/*/private"]
ignore = ["GET /ping", "/embeddings/ping"]
"""


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/organization/users?a=b", Exclusion.SKIPPED),
        ("POST", "/v1/organization/", Exclusion.SKIPPED),
        ("GET", "/v1/organization", None),
        ("GET", "/v2/organization/users", None),
        ("DELETE", "/v1/files/f", Exclusion.SKIPPED),
        ("GET", "/v1/files/f", None),
        ("POST", "/v1/embeddings", Exclusion.SKIPPED),  # Though the builtin table names it.
        ("POST", "/v1/embeddings/ping", Exclusion.IGNORED),
        ("GET", "/v1/a/b/private", Exclusion.SKIPPED),
        ("GET", "/v1/ping", Exclusion.IGNORED),
        ("POST", "/v1/ping", None),
        ("OPTIONS", "/v1/files", Exclusion.METHOD),
        ("TRACE", "/v1/files", Exclusion.METHOD),
        ("GET", "", Exclusion.METHOD),
        ("POST", "/v1/chat/completions", None),
    ],
)
def test_what_a_table_excludes_has_no_route(method: str, path: str, expected: Exclusion | None) -> None:
    providers = team(EXCLUDING)
    url = f"https://api.openai.com{path}"
    assert excluded(providers, url, method) is expected
    assert (post(providers, url, method) is None) is (expected is not None)


def test_the_builtin_table_excludes_noise_and_applications_of_ones_own(builtins: Providers) -> None:
    assert excluded(builtins, f"{CEREBRAS}/tcp_warming", "GET") is Exclusion.IGNORED
    assert excluded(builtins, f"{OPENAI}/traces/ingest") is Exclusion.IGNORED
    assert excluded(builtins, "https://api.anthropic.com/api/event_logging/v2/batch") is Exclusion.IGNORED
    assert excluded(builtins, "https://cloudcode-pa.googleapis.com/v1internal:recordCodeAssistMetrics") is (
        Exclusion.IGNORED
    )
    assert excluded(builtins, "https://chatgpt.com/backend-api/conversation") is Exclusion.SKIPPED
    assert excluded(builtins, "http://localhost:1234/index.html", "GET") is Exclusion.SKIPPED
    assert excluded(builtins, "http://localhost:8000/v1/orders", "GET") is Exclusion.SKIPPED
    assert excluded(builtins, "https://127.0.0.1:3000/", "GET") is Exclusion.SKIPPED
    assert post(builtins, "http://localhost:8000/tokenize")


@pytest.mark.parametrize(
    ("host", "port", "known"),
    [
        ("api.fireworks.ai", 443, True),
        ("API.OPENAI.COM", 443, True),
        ("eu.api.openai.com", 443, True),
        ("api.openai.com", 8443, True),
        ("localhost", 11434, True),
        ("::1", 11434, True),
        ("localhost", 22, False),
        ("::1", 22, False),
        ("github.com", 443, False),
        ("git.example.com", 443, False),
        ("api.openai.com.evil.org", 443, False),
        ("openai.com", 443, False),
        ("", 443, False),
    ],
)
def test_a_host_is_known_or_its_tls_stays_unopened(builtins: Providers, host: str, port: int, known: bool) -> None:
    assert builtins.knows(host, port) is known


def test_a_passthrough_endpoint_keeps_its_url_but_no_key(builtins: Providers) -> None:
    url = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent"
    route = post(builtins, f"{url}?key=AIzaSecret&alt=sse&API_KEY=x&access_token=y")
    assert route
    assert route.endpoint.kind == "http"
    assert route.url == f"{url}?alt=sse"


PATHS = """
[endpoints.paths]
"POST /models/{model}:run" = { kind = "http" }
"POST /{vendor}/{model}/rank" = { kind = "http" }
"POST /a.b" = { kind = "http" }
[[provider]]
name = "paths"
hosts = ["paths.test"]
base = "/{version}/x"
endpoints = ["paths"]
"""


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/v1/x/models/gemma-3:run", "https://paths.test/v1/x"),
        ("/v2/x/acme/m/rank", "https://paths.test/v2/x"),
        ("/v2/x/a.b", "https://paths.test/v2/x"),
        ("/v1/x/models/a/b:run", "https://paths.test"),
        ("/v1/x/models/:run", "https://paths.test"),
        ("/v1/x/models/a:b:run", "https://paths.test"),
        ("/v1/x/a/b/c/rank", "https://paths.test"),
        ("/v1/x//m/rank", "https://paths.test"),
        ("/v1/y/x/a.b", "https://paths.test"),
        ("//x/a.b", "https://paths.test"),
        ("/v1/x/aXb", "https://paths.test"),
    ],
)
def test_a_name_in_braces_is_one_segment_of_a_path(path: str, base: str) -> None:
    route = post(team(PATHS), f"https://paths.test{path}")
    assert route
    assert route.base == base


def hosts(pattern: str, scheme: str = "https") -> Providers:
    return team(
        f'[endpoints.e]\n"POST /x" = {{ kind = "http" }}\n'
        f'[[provider]]\nname = "p"\nhosts = ["{pattern}"]\nscheme = "{scheme}"\nendpoints = ["e"]\n'
    )


@pytest.mark.parametrize(
    ("pattern", "host", "port", "known"),
    [
        ("llm.corp", "llm.corp", 443, True),
        ("llm.corp", "llm.corp", 9000, True),
        ("LLM.Corp", "llm.corp", 443, True),
        ("llm.corp:9000", "llm.corp", 9000, True),
        ("llm.corp:9000", "llm.corp", 443, False),
        ("*.corp", "llm.corp", 443, True),
        ("*.corp", "a.b.corp", 443, True),
        ("*.corp", "corp", 443, False),
        ("llm-*.corp:9000", "llm-7.corp", 9000, True),
        ("llm-*.corp:9000", "llm-7.corp", 9001, False),
        ("bedrock.*.aws", "bedrock.eu-west-1.aws", 443, True),
        ("*", "anything", 443, True),
        ("10.0.0.1:80", "10.0.0.1", 80, True),
        ("10.0.0.1", "10x0.0.1", 80, False),
        ("[::1]:8000", "::1", 8000, True),
        ("[::1]:8000", "::1", 8001, False),
        ("[fd00::7]", "fd00::7", 443, True),
        ("fd00::7", "fd00::7", 443, True),
        ("[FD00::7]", "fd00::7", 443, True),
    ],
)
def test_patterns_of_hosts(pattern: str, host: str, port: int, known: bool) -> None:
    assert hosts(pattern).knows(host, port) is known


@pytest.mark.parametrize(
    ("scheme", "host", "port", "url"),
    [
        ("https", "h", 443, "https://h/x"),
        ("https", "h", 80, "https://h:80/x"),
        ("http", "h", 80, "http://h/x"),
        ("http", "h", 443, "http://h:443/x"),
        ("http", "::1", 80, "http://[::1]/x"),
        ("http", "::1", 8123, "http://[::1]:8123/x"),
        ("https", "H.Example", 443, "https://h.example/x"),
    ],
)
def test_a_default_port_is_not_recorded(scheme: str, host: str, port: int, url: str) -> None:
    route = hosts("*", scheme).route("POST", scheme, host, port, "/x")
    assert route
    assert route.url == url
    other = hosts("*", scheme).route("POST", "http" if scheme == "https" else "https", host, port, "/x")
    assert other
    assert other.endpoint.kind == OTHER


def test_a_teams_own_provider_comes_first_and_may_use_the_builtin_endpoints() -> None:
    providers = team('[[provider]]\nname = "ours"\nhosts = ["api.openai.com"]\nbase = "/v1"\nendpoints = ["openai"]\n')
    route = post(providers, f"{OPENAI}/chat/completions")
    assert route
    assert route.provider == "ours"
    assert route.endpoint.recorded == "/v1/chat/completions"
    still = post(providers, f"{FIREWORKS}/completions")
    assert still
    assert still.provider == "fireworks"


def test_what_a_teams_own_provider_does_not_serve_falls_to_the_builtin() -> None:
    providers = team(
        '[endpoints.ours]\n"POST /special" = { kind = "http" }\n'
        '[[provider]]\nname = "ours"\nhosts = ["api.openai.com"]\nbase = "/v1"\nendpoints = ["ours"]\n'
    )
    special, chat = post(providers, f"{OPENAI}/special"), post(providers, f"{OPENAI}/chat/completions")
    assert special
    assert chat
    assert (special.provider, chat.provider) == ("ours", "openai")


def test_a_private_host_can_be_hidden() -> None:
    providers = team(
        '[[provider]]\nname = "ours"\nhosts = ["llm.corp"]\nbase = "/v1"\nendpoints = ["openai"]\nhide = "__ours__"\n'
    )
    route = post(providers, "https://llm.corp:9000/v1/chat/completions")
    assert route
    assert route.url == "__ours__/v1/v1/chat/completions"


def test_a_file_without_providers_is_fine() -> None:
    assert post(team("# nothing yet\n"), f"{FIREWORKS}/completions")


def test_every_recorded_endpoint_of_the_builtin_table_is_one_that_recordings_can_name(builtins: Providers) -> None:
    named = re.findall(r'recorded = "([^"]+)"', (CONFIG / "providers.toml").read_text("utf-8"))
    assert set(named) == base.names()


PROVIDER = '[[provider]]\nname = "ours"\nhosts = ["h"]\nendpoints = ["e"]\n'
SET = '[endpoints.e]\n"POST /x" = { kind = "http" }\n'

# What is wrong -> the text, what the message names besides the file.
WRONG = {
    "not TOML": ("[[provider]\n", "not TOML"),
    "unknown key": (PROVIDER + 'host = "h"\n' + SET, r"\(ours\).*unknown key host"),
    "no hosts": ('[[provider]]\nname = "ours"\nendpoints = ["e"]\n' + SET, r"\(ours\).*hosts"),
    "no endpoints": ('[[provider]]\nname = "ours"\nhosts = ["h"]\n', r"\(ours\).*endpoints"),
    "another scheme": (PROVIDER + 'scheme = "ftp"\n' + SET, r"\(ours\).*scheme: is one of http, https, not 'ftp'"),
    "a path to skip without its slash": (PROVIDER + 'skip = ["files"]\n' + SET, r"\(ours\).*skip: 'files'"),
    "a path to ignore with a query": (PROVIDER + 'ignore = ["GET /a?b"]\n' + SET, r"\(ours\).*ignore: 'GET /a.b'"),
    "paths to skip as text": (PROVIDER + 'skip = "/files"\n' + SET, r"\(ours\).*skip"),
    "unknown set": (PROVIDER, r"\(ours\).*no \[endpoints.e\].*openai"),
    "no kind": (PROVIDER + '[endpoints.e]\n"POST /x" = {}\n', 'endpoints.e.*"POST /x".*kind'),
    "another kind": (PROVIDER + '[endpoints.e]\n"POST /x" = { kind = "y" }\n', 'endpoints.e.*"POST /x".*kind'),
    "an endpoint that is no table": (PROVIDER + '[endpoints.e]\n"POST /x" = "sdk"\n', 'endpoints.e.*"POST /x"'),
    "sdk without a recorded name": (
        PROVIDER + '[endpoints.e]\n"POST /x" = { kind = "sdk" }\n',
        'endpoints.e.*"POST /x".*recorded',
    ),
    "sdk with an unknown recorded name": (
        PROVIDER + '[endpoints.e]\n"POST /x" = { kind = "sdk", recorded = "/v1/x" }\n',
        "\"POST /x\".*/v1/chat/completions.*not '/v1/x'",
    ),
    # Values of other types.
    "[provider] for [[provider]]": (PROVIDER.replace("[[provider]]", "[provider]") + SET, "provider"),
    "a provider that is no table": ("provider = 3\n", "provider"),
    "a list of providers that are no tables": ('provider = ["openai"]\n', "provider"),
    "hosts as text": (PROVIDER.replace('["h"]', '"h.example"') + SET, r"\(ours\).*hosts"),
    "a host that is no text": (PROVIDER.replace('["h"]', "[7]") + SET, r"\(ours\).*host"),
    "endpoints as text": (PROVIDER.replace('["e"]', '"e"') + SET, r"\(ours\).*endpoints"),
    "a set's name that is no text": (PROVIDER.replace('["e"]', '[["e"]]') + SET, r"\(ours\).*endpoints"),
    "base that is no text": (PROVIDER + "base = 3\n" + SET, r"\(ours\).*base"),
    "hide that is no text": (PROVIDER + "hide = 3\n" + SET, r"\(ours\).*hide"),
    "endpoints that are no table": ("endpoints = 3\n", "endpoints"),
    "a set that is no table": (PROVIDER + "[endpoints]\ne = 3\n", r"endpoints\.?\]?.*e"),
    "a kind that is no text": (PROVIDER + '[endpoints.e]\n"POST /x" = { kind = ["http"] }\n', '"POST /x"'),
    "a recorded name that is no text": (
        PROVIDER + '[endpoints.e]\n"POST /x" = { kind = "sdk", recorded = ["/v1/models"] }\n',
        '"POST /x".*recorded',
    ),
    "an endpoint without a method": (PROVIDER + '[endpoints.e]\n"/x" = { kind = "http" }\n', 'endpoints.e.*"/x"'),
    "a builtin set replaced by a broken one": ('[endpoints.openai]\n"POST /x" = { kind = "y" }\n', "endpoints.openai"),
}


@pytest.mark.parametrize(("text", "named"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_an_error_that_names_file_and_entry(text: str, named: str) -> None:
    with pytest.raises(ValueError, match=rf"^team.toml(:[0-9]+)?: .*{named}"):
        team(text)


@pytest.mark.parametrize(
    "host",
    ["api.openai.com", "API.OpenAI.com", "api.openai.com.", "API.openai.COM.", "\uff41\uff50\uff49.openai\u3002com"],
)
def test_a_provider_is_known_however_its_host_is_spelled(host: str, builtins: Providers) -> None:
    assert builtins.knows(host, 443)
    route = builtins.route("POST", "https", host, 443, "/v1/chat/completions")
    assert route
    assert route.url == f"{OPENAI}/v1/chat/completions"


def test_so_is_a_server_of_this_machine_and_one_that_a_team_has_spelled_in_its_own_way() -> None:
    known = team('[[provider]]\nhosts = ["B\u00fccher.Example.", "0:0:0:0:0:0:0:1"]\nendpoints = ["openai"]\n')
    for host in ("b\u00fccher.example", "xn--bcher-kva.example", "XN--BCHER-KVA.example.", "::1", "[::1]", "0::1"):
        assert known.is_configured(host, 443)
    assert known.knows("0x7f.1", 11434)
    assert known.knows("::ffff:127.0.0.1", 11434)
    assert not known.is_configured("127.0.0.1", 11434)
