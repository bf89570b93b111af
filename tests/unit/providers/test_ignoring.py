"""What known programs ask for beside the model: which rows mean a request, and when they hold."""

import pytest

from wiretape.matching import presets
from wiretape.providers.ignoring import IgnoredRequest, IgnoredRequests, Program

CODEX = "codex_exec/0.171.0 (Debian 12.0.0; x86_64)"
ROWS = (
    "POST telemetry.example/v1/*",
    "GET shared.example/a/b.git/*",
    "* *.own.example/*",
    "GET Models.example/list",
)
PROGRAMS = (Program.parse("codex", ("codex_*",), ROWS), Program.parse("other", ("other/*", "codex_exec/*"), ()))
BUILT_IN = [Program.parse(each.name, each.clients, each.ignore_requests) for each in presets.built_in().values()]


def ignores(line: str, *at_work: str, chosen: tuple[str, ...] = ()) -> bool:
    method, _, place = line.partition(" ")
    host, slash, path = place.partition("/")
    return IgnoredRequests(PROGRAMS, chosen).ignores(method, host, slash + path, at_work, is_providers=False)


@pytest.mark.parametrize(
    ("line", "is_meant"),
    [
        ("POST telemetry.example/v1/log?a=b", True),
        ("POST TELEMETRY.example./v1/log", True),
        ("GET telemetry.example/v1/log", False),
        ("POST telemetry.example/v2/log", False),
        ("POST telemetry.example.evil/v1/log", False),
        ("GET shared.example/a/b.git/info/refs", True),
        ("GET shared.example/a/c.git/info/refs", False),
        ("GET models.example/list?version=1", True),
        ("GET models.example/list/more", False),
    ],
)
def test_a_row_means_a_method_a_host_and_a_path(line: str, *, is_meant: bool) -> None:
    assert ignores(line, "codex") is is_meant
    assert ignores(line, chosen=("codex",)) is is_meant
    assert not ignores(line)
    assert not ignores(line, "other")


def test_a_row_for_a_providers_host_holds_whoever_is_at_work() -> None:
    ignored = IgnoredRequests(PROGRAMS)
    assert ignored.ignores("POST", "telemetry.example", "/v1/log", (), is_providers=True)
    assert not ignored.ignores("POST", "telemetry.example", "/v2/log", (), is_providers=True)


def test_a_row_for_all_of_a_host_holds_whoever_is_at_work() -> None:
    assert ignores("DELETE x.own.example/whatever")
    assert not ignores("DELETE own.example/whatever")


def test_whose_host_it_is() -> None:
    ignored = IgnoredRequests(PROGRAMS)
    assert ignored.has_host("x.own.example", ())
    assert ignored.has_host("Shared.example", {"codex"})
    assert not ignored.has_host("shared.example", ())
    assert not ignored.has_host("elsewhere.example", {"codex"})


def test_who_a_client_is() -> None:
    ignored = IgnoredRequests(PROGRAMS)
    assert ignored.of_client(CODEX) == {"codex", "other"}
    assert ignored.of_client("other/1") == {"other"}
    assert ignored.of_client("git/2.39.5") == ignored.of_client("") == frozenset()


@pytest.mark.parametrize(
    "text", ["GET x", "x.example/a", "get x.example/a", "GET /a", "GET x.example/a?b", "* x /a", ""]
)
def test_what_is_no_row(text: str) -> None:
    with pytest.raises(ValueError, match="METHOD HOST/PATH"):
        IgnoredRequest.parse(text)


# what was seen of real programs -> whose it is
SEEN = [
    ("claude-code", "POST api.anthropic.com/api/eval/sdk-zAZezfDKGoZuXXKe"),
    ("claude-code", "GET api.anthropic.com/api/claude_code/policy_limits"),
    ("claude-code", "GET api.anthropic.com/api/claude_code/settings"),
    ("claude-code", "GET api.anthropic.com/api/claude_cli/bootstrap"),
    ("claude-code", "GET api.anthropic.com/api/claude_code_penguin_mode"),
    ("claude-code", "GET api.anthropic.com/mcp-registry/v0/servers"),
    ("claude-code", "GET api.anthropic.com/api/claude_code/organizations/metrics_enabled"),
    ("claude-code", "POST api.anthropic.com/api/event_logging/v2/batch"),
    ("codex", "GET chatgpt.com/backend-api/codex/models?client_version=0.171.0"),
    ("codex", "GET github.com/openai/plugins.git/info/refs?service=git-upload-pack"),
    ("codex", "GET api.github.com/repos/openai/plugins"),
    ("codex", "GET chatgpt.com/backend-api/plugins/export/curated"),
    ("codex", "POST ab.chatgpt.com/otlp/v1/metrics"),
    ("gemini-cli", "POST play.googleapis.com/log"),
    ("opencode", "GET models.opencode.ai/api.json"),
    ("opencode", "GET registry.example/@opencode-ai%2fplugin"),
    ("aider", "GET raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"),
    ("litellm", "GET raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"),
]
USER_AGENTS = {
    "claude-code": "claude-cli/2.1.197 (external, sdk-cli)",
    "codex": "codex_exec/0.171.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.171.0)",
    "gemini-cli": "GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64; terminal)",
    "opencode": "opencode/1.18.33 (linux 6.8.0-51-generic; x64) ai-sdk/provider-utils/4.0.40 runtime/bun/1.3.14",
}


def test_the_presets_name_what_was_seen_of_real_programs() -> None:
    ignored = IgnoredRequests(BUILT_IN)
    for name, line in SEEN:
        method, _, place = line.partition(" ")
        host, _, path = place.partition("/")
        assert ignored.ignores(method, host, f"/{path}", {name}, is_providers=False), line
    for name, user_agent in USER_AGENTS.items():
        assert ignored.of_client(user_agent) == {name}


def test_no_preset_leaves_out_what_is_asked_of_a_model() -> None:
    ignored = IgnoredRequests(BUILT_IN, {program.name for program in BUILT_IN})
    for host, path in (
        ("api.anthropic.com", "/v1/messages"),
        ("api.anthropic.com", "/v1/messages/count_tokens"),
        ("api.openai.com", "/v1/responses"),
        ("chatgpt.com", "/backend-api/codex/responses"),
        ("generativelanguage.googleapis.com", "/v1beta/models/gemini-2.5-pro:streamGenerateContent"),
        ("cloudcode-pa.googleapis.com", "/v1internal:streamGenerateContent"),
    ):
        assert not ignored.ignores("POST", host, path, (), is_providers=True)
