"""Frameworks: a small program each, that lets a model call two tools, stream, answer with a type and answer at once.

What they print must be the same in a replay. Google's part of the provider gives a call no id, so that the client makes
one of its own.
"""

from dataclasses import replace

from agents.installing import beside
from agents.programs import APPS, Program, Registry


def _python(name: str, app: str, *packages: str) -> Program:
    return Program(name, Registry.PYPI, packages, ("python", str(APPS / app)), same_output=True)


def _node(name: str, app: str, *packages: str) -> Program:
    command = ("node", beside(name, app))
    return Program(name, Registry.NPM, packages, command, same_output=True, copied=(app,))


FRAMEWORKS = (
    _python("agents-sdk", "with_agents_sdk.py", "openai-agents"),
    _python("pydantic-ai", "with_pydantic_ai.py", "pydantic-ai"),
    _python(
        *("langchain", "with_langchain.py"),
        *("langchain", "langchain-openai", "langchain-anthropic", "langchain-google-genai"),
    ),
    replace(_python("litellm", "with_litellm.py", "litellm"), match="auto,litellm"),
    _python("llamaindex", "with_llamaindex.py", "llama-index-core", "llama-index-llms-openai"),
    _python("autogen", "with_autogen.py", "autogen-agentchat", "autogen-ext[openai]"),
    _python("crewai", "with_crewai.py", "crewai"),
    _python("google-adk", "with_google_adk.py", "google-adk"),
    _python("agno", "with_agno.py", "agno", "openai"),
    _python("haystack", "with_haystack.py", "haystack-ai"),
    _node("ai-sdk", "with_ai_sdk.mjs", "ai", "@ai-sdk/openai", "@ai-sdk/anthropic", "@ai-sdk/google", "zod"),
    _node("agents-sdk-js", "with_agents_sdk.mjs", "@openai/agents", "zod"),
    _node("mastra", "with_mastra.mjs", "@mastra/core", "@ai-sdk/openai", "zod"),
    _node(
        *("langchain-js", "with_langchain.mjs"),
        *("langchain", "@langchain/openai", "@langchain/anthropic", "@langchain/core", "zod"),
    ),
)
