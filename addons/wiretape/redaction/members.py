"""Whether a name is a secret's: of a member, of a variable, of a header. A part of the table.

Names are taken apart into words, however they are spelled: ``accessToken``, ``access_token``, ``ACCESS-TOKEN``. The
last words count: a ``token`` is a secret, a ``token_type`` and a ``tokenizer`` are none.
"""

import re
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache


class Strength(IntEnum):
    """How surely what has a name is a secret."""

    NONE = 0
    LIKELY = 1
    """A secret, unless it reads as words: ``token`` is also what a model calls a piece of text."""
    SURE = 2
    """A secret, whatever it looks like."""


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
LONGEST = 80
"""Characters of a name; what is longer names no secret."""


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
"""Last words of a name, joined."""

_ENDINGS = ("password", "passwd", "passphrase", "apikey", "secretkey")
"""Of a last word, in whatever it was put together with: ``pgpassword``."""

_SERVICES = _words(
    """  # noqa: E501
    openai anthropic claude azure mistral cohere together groq gemini google huggingface hf replicate perplexity xai
    deepseek fireworks openrouter cerebras nvidia bedrock aws deepgram elevenlabs assemblyai voyage jina pinecone tavily
    serper langsmith stripe sendgrid twilio mailgun slack github gitlab notion linear datadog algolia llm
    """
)
"""Words before ``key`` with which it is one that somebody pays for."""

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
"""Words before ``token`` with which it is none that lets somebody in: pages, models' vocabularies, lexers."""

_SUFFIXES = _words(
    """  # noqa: E501
    value plain plaintext b64 base64 encoded prod production dev staging live main primary
    secondary backup old new confirm confirmation again repeat current default env
    """
)
"""Words after a secret's name that do not change what it is."""


_ABOUT = frozenset(("has", "is", "no", "use", "with", "without", "show", "hide", "forgot", "reset"))
"""First words of what is said about a secret: ``has_password``."""


LABELS = ("name", "key", "header", "field", "variable")
"""Members beside a ``value`` that name it."""


def naming(beside: Mapping[str, object], owner: str) -> str:
    """Return what a member ``value`` is named by: a label in its object, or the name of the object itself."""
    label = next((text for each in LABELS if isinstance(text := beside.get(each), str)), "")
    if strength(label) or not owner:
        return label
    return owner


HINTS = "key|token|secret|pass|pwd|auth|cookie|bearer|jwt|pat|credential"
"""One of these is in whatever name tells of a secret."""


@lru_cache(4096)
def strength(name: str) -> Strength:
    """Tell how surely what has this name is a secret."""
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
    """Tell whether what has this name is a password, which may be a number."""
    return name.lower().rstrip("0123456789_-").endswith(("password", "passwd", "pwd", "passcode", "passphrase"))


_CONSTANT = re.compile("[A-Z][A-Z0-9_]*")


def is_constant(name: str) -> bool:
    """Tell whether a name is written as those of variables of the environment are."""
    return _CONSTANT.fullmatch(name) is not None


@lru_cache(4096)
def is_constant_key(name: str) -> bool:
    """Tell whether a name is written so, and is a secret's there: what has it may well be one."""
    return len(name) <= LONGEST and is_constant(name) and is_key_of_environment(name)


def is_key_of_environment(name: str) -> bool:
    """Tell whether a variable of the environment is a secret by its name: also any ``..._KEY``."""
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
