"""Whether a name is a secret's. Every word of the table is spelled out here: none may vanish from it unseen."""

import pytest

from wiretape.redaction import members
from wiretape.redaction.members import Strength

SECRETS = """
password passwords passwd pwd passphrase passcode apikey apikeys apitoken secretkey secretkeys authtoken accesstoken
refreshtoken clientsecret privatekey privatekeys authorization cookie cookies bearer sessiontoken accesskey authkey
accountkey subscriptionkey signingkey encryptionkey masterkey sharedkey idtoken bearertoken secretaccesskey
sharedaccesskey securitytoken webhooksecret signingsecret apisecret appsecret dbpassword userpassword licensekey
secretkeybase jwtsecret authorizationtoken oauthtoken csrftoken xsrftoken bottoken deploykey consumersecret
connectiontoken servicetoken vaulttoken secret secrets secretstring githubtoken ghtoken gitlabtoken slacktoken hftoken
npmtoken webhooktoken deploytoken
"""
SPELLED = """
accessToken access_token ACCESS-TOKEN AccessToken x-api-key X_API_KEY apiKey api.key client_secret clientSecret
secret_access_key aws_secret_access_key AWSSecretAccessKey PGPASSWORD pgpassword MYSQL_ROOT_PASSWORD my-passphrase
Set-Cookie Proxy-Authorization db_password2 userPasswd OLD_API_KEY_2 passwordBase64 API_TOKEN_B64 auth-token-base64
"""
OF_SERVICES = """
openai anthropic claude azure mistral cohere together groq gemini google huggingface hf replicate perplexity xai
deepseek fireworks openrouter cerebras nvidia bedrock aws deepgram elevenlabs assemblyai voyage jina pinecone tavily
serper langsmith stripe sendgrid twilio mailgun slack github gitlab notion linear datadog algolia llm
"""
BEHIND = """
value plain plaintext b64 base64 encoded prod production dev staging live main primary secondary backup old new confirm
confirmation again repeat current default env 2 17
"""
LIKELY = "token auth credential credentials jwt pat pass my_token userToken proxy_auth git-credentials X-Auth"
TOKENS_OF_OTHER_KINDS = """
page next continuation sync cursor resume start end eos bos pad unk sep cls mask stop special image audio video text
prompt completion input output max min num first last previous prev prefix suffix middle fim delta reasoning cached
total per top new current sub word control begin end string unknown padding separator classification idempotency
request client change update action task starting forward backward lock import copy product unit upload design color
syntax lexer parser
"""
NO_SECRETS = """
token_type tokenizer tokens token_count max_tokens passage passed compass author authors authority key keys keyboard
primary_key public_key monkey secretary passport cookieless auth_url authenticated patch pattern jwtIssuer
has_password is_secret no_password use_api_key with_secret without_secret show_password hide_password forgot_password
reset_password content model id name text
"""


def names(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize("name", names(SECRETS) + names(SPELLED))
def test_what_has_such_a_name_is_a_secret_whatever_it_looks_like(name: str) -> None:
    assert members.strength(name) is Strength.SURE
    assert members.strength(f"my_{name}") is Strength.SURE


@pytest.mark.parametrize("service", names(OF_SERVICES))
def test_the_key_of_a_service_is_a_secret(service: str) -> None:
    for name in (f"{service}_key", f"{service.upper()}_KEY", f"{service}Key"):
        assert members.strength(name) is Strength.SURE, name


def test_a_service_of_two_words_is_known_too() -> None:
    assert members.strength("huggingFaceKey") is Strength.SURE
    assert members.strength("open_ai_key") is Strength.SURE
    assert members.strength("sort_key") is Strength.NONE


@pytest.mark.parametrize("word", names(BEHIND))
def test_a_word_behind_a_secrets_name_changes_nothing(word: str) -> None:
    assert members.strength(f"password_{word}") is Strength.SURE
    assert members.strength(f"auth_token_{word}") is Strength.SURE


@pytest.mark.parametrize("name", names(LIKELY))
def test_what_may_be_a_secret_is_looked_at(name: str) -> None:
    assert members.strength(name) is Strength.LIKELY


@pytest.mark.parametrize("word", names(TOKENS_OF_OTHER_KINDS))
def test_pages_and_vocabularies_have_tokens_of_another_kind(word: str) -> None:
    assert members.strength(f"{word}_token") is Strength.NONE


@pytest.mark.parametrize("name", [*names(NO_SECRETS), "", "_", "AWS::SecretsManager::Secret", "password" * 11])
def test_other_names_are_no_secrets(name: str) -> None:
    assert members.strength(name) is Strength.NONE


def test_a_name_of_eighty_characters_is_still_one() -> None:
    assert members.strength("x" * 71 + "_password") is Strength.SURE
    assert members.strength("x" * 72 + "_password") is Strength.NONE


@pytest.mark.parametrize(
    ("beside", "owner", "name"),
    [
        ({"name": "password", "value": "x"}, "", "password"),
        ({"key": "api_key", "value": "x"}, "row", "api_key"),
        ({"header": "Authorization", "value": "x"}, "", "Authorization"),
        ({"field": "token", "value": "x"}, "", "token"),
        ({"variable": "DB_PASSWORD", "value": "x"}, "", "DB_PASSWORD"),
        ({"value": "x"}, "password", "password"),
        ({"name": "colour", "value": "x"}, "password", "password"),
        ({"name": "colour", "value": "x"}, "", "colour"),
        ({"name": 7, "value": "x"}, "", ""),
    ],
)
def test_a_value_is_named_by_what_stands_beside_it_or_by_its_object(
    beside: dict[str, object], owner: str, name: str
) -> None:
    assert members.naming(beside, owner) == name


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *(
            (name, True)
            for name in ("password", "db_password", "PASSWD", "pwd2", "passcode", "passphrase_1", "password--")
        ),
        *((name, False) for name in ("token", "passport", "password_hint", "pass", "")),
    ],
)
def test_a_password_may_be_a_number(name: str, *, is_one: bool) -> None:
    assert members.is_password(name) is is_one


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *(
            (name, True)
            for name in ("OPENAI_API_KEY", "ANY_KEY", "GITHUB_TOKEN", "X_KEY_2", "MY_SECRET_PROD", "DB_PASS")
        ),
        *((name, False) for name in ("KEY", "HOME", "PATH", "MAX_TOKENS", "")),
        *(
            (f"A_{kind}_KEY", False)
            for kind in ("PUBLIC", "CACHE", "PRIMARY", "SORT", "HOST", "PARTITION", "FOREIGN", "IDEMPOTENCY")
        ),
    ],
)
def test_a_variable_of_the_environment_is_a_secret_by_its_name(name: str, *, is_one: bool) -> None:
    assert members.is_key_of_environment(name) is is_one
    assert members.is_constant_key(name) is is_one


@pytest.mark.parametrize("name", ["any_key", "Any_Key", "ANY-KEY", "1_KEY", "A" * 77 + "_KEY"])
def test_only_what_is_written_as_a_variable_is_taken_for_one(name: str) -> None:
    assert not members.is_constant_key(name)


def test_every_name_of_a_secret_has_one_of_the_hints() -> None:
    """The scanner looks for these first: a name without any would never be looked at."""
    hints = members.HINTS.split("|")
    for name in names(SECRETS) + names(LIKELY) + [f"{service}_key" for service in names(OF_SERVICES)]:
        assert any(hint in name.lower() for hint in hints), name
