"""Tells whether a name is that of a secret: the name of a member, of a variable, of a header. A part of the table.

A name is taken apart into words, however it is spelled: ``accessToken``, ``access_token``, ``ACCESS-TOKEN``. The last
words count: a ``token`` is a secret, a ``token_type`` and a ``tokenizer`` are not.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache


class Strength(IntEnum):
    """How surely the value with a name is a secret."""

    NONE = 0
    LIKELY = 1
    """It is one unless it reads as words: models also call a piece of text a ``token``."""
    SURE = 2
    """It is one, whatever it looks like."""


_WORDS = re.compile(r"[Bb](?:ase|ASE)?64(?![0-9])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
LONGEST = 80
"""How many characters a name has at most; a longer one names no secret."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SURE = _words(
    """  # noqa: E501
    password passwords passwd pwd passphrase passcode apikey apikeys apitoken secretkey secretkeys authtoken
    accesstoken refreshtoken clientsecret privatekey privatekeys authorization cookie cookies bearer
    sessiontoken accesskey authkey accountkey subscriptionkey signingkey encryptionkey masterkey sharedkey
    idtoken bearertoken secretaccesskey sharedaccesskey securitytoken webhooksecret signingsecret apisecret
    appsecret dbpassword userpassword licensekey secretkeybase jwtsecret authorizationtoken oauthtoken
    csrftoken xsrftoken bottoken deploykey consumersecret connectiontoken servicetoken vaulttoken secret secrets
    secretstring githubtoken ghtoken gitlabtoken slacktoken hftoken npmtoken webhooktoken deploytoken
    """
)
"""The last words of a name, joined."""

_ENDINGS = ("password", "passwd", "passphrase", "apikey", "secretkey")
"""How a last word may end, whatever it is put together with: ``pgpassword``."""

_SERVICES = _words(
    """  # noqa: E501
    openai anthropic claude azure mistral cohere together groq gemini google huggingface hf replicate perplexity xai
    deepseek fireworks openrouter cerebras nvidia bedrock aws deepgram elevenlabs assemblyai voyage jina pinecone tavily
    serper langsmith stripe sendgrid twilio mailgun slack github gitlab notion linear datadog algolia llm
    """
)
"""Words before ``key`` that make it the key of a paid service."""

_LIKELY = frozenset(("token", "auth", "credential", "credentials", "jwt", "pat", "pass"))

_OTHER_TOKENS = _words(
    """  # noqa: E501
    page next continuation sync cursor resume start end eos bos pad unk sep cls mask stop special image audio
    video text prompt completion input output max min num first last previous prev prefix suffix middle fim
    delta reasoning cached total per top new current sub word control begin end string unknown padding separator
    classification idempotency request client change update action task starting forward backward lock import
    copy product unit upload design color syntax lexer parser
    """
)
"""Words before ``token`` that make it something else: a page, a part of a model's vocabulary, of a lexer."""

_SUFFIXES = _words(
    """  # noqa: E501
    value plain plaintext b64 base64 encoded prod production dev staging live main primary
    secondary backup old new confirm confirmation again repeat current default env
    """
)
"""Words behind the name of a secret that do not change what it is."""


_ABOUT = frozenset(("has", "is", "no", "use", "with", "without", "show", "hide", "forgot", "reset"))
"""The first words of a name that tells something about a secret: ``has_password``."""


LABELS = ("name", "key", "header", "field", "variable")
"""Members beside a ``value`` that give it its name."""


def naming(beside: Mapping[str, object], owner: str) -> str:
    """Return the name of a member ``value``: a label in its object, or the name of the object itself."""
    labels = (beside.get(each) for each in LABELS)
    label = next((text for text in labels if isinstance(text, str)), "")
    if strength(label) or not owner:
        return label
    return owner


HINTS = "key|token|secret|pass|pwd|auth|cookie|bearer|jwt|pat|credential"
"""Each name of a secret contains one of these."""


@lru_cache(4096)
def strength(name: str) -> Strength:
    """Tell how surely the value with this name is a secret."""
    if len(name) > LONGEST or "::" in name:  # AWS::SecretsManager::Secret is a kind of thing.
        return Strength.NONE
    words = [word.lower() for word in _WORDS.findall(name)]
    while len(words) > 1 and (words[-1] in _SUFFIXES or words[-1].isdigit()):
        words.pop()
    if not words:
        return Strength.NONE
    is_sure = words[-1].endswith(_ENDINGS) or any("".join(words[-count:]) in _SURE for count in (1, 2, 3))
    if is_sure or (words[-1] == "key" and {"".join(words[-2:-1]), "".join(words[-3:-1])} & _SERVICES):
        if words[0] in _ABOUT:
            return Strength.NONE
        return Strength.SURE
    if words[-1] not in _LIKELY:
        return Strength.NONE
    if words[-1] == "token" and len(words) > 1 and words[-2] in _OTHER_TOKENS:
        return Strength.NONE
    return Strength.LIKELY


def is_password(name: str) -> bool:
    """Tell whether the value with this name is a password. It may be a number."""
    return name.lower().rstrip("0123456789_-").endswith(("password", "passwd", "pwd", "passcode", "passphrase"))


_CONSTANT = re.compile("[A-Z][A-Z0-9_]*")


def is_constant(name: str) -> bool:
    """Tell whether a name is written as the names of environment variables are."""
    return _CONSTANT.fullmatch(name) is not None


@lru_cache(4096)
def is_constant_key(name: str) -> bool:
    """Tell whether a name is written like the name of an environment variable that is a secret."""
    return len(name) <= LONGEST and is_constant(name) and is_key_of_environment(name)


def is_key_of_environment(name: str) -> bool:
    """Tell whether an environment variable is a secret by its name. Any ``..._KEY`` is, too."""
    words = name.upper().split("_")
    while len(words) > 1 and (words[-1].lower() in _SUFFIXES or words[-1].isdigit()):
        words.pop()
    if words[-1] == "KEY":
        return len(words) > 1 and words[-2] not in (
            "PUBLIC",
            "CACHE",
            "PRIMARY",
            "SORT",
            "HOST",
            "PARTITION",
            "FOREIGN",
            "IDEMPOTENCY",
        )
    return strength("_".join(words)) > Strength.NONE
