"""What is known by what stands before it: which names, which ways to write it, and where the value ends."""

import pytest

from wiretape.redaction import Redactor

REDACTOR = Redactor(environment={})
DRAWN = "kX92mQz7Lr41VtB8wYp3"
BASIC = "am" + "FuZTpodW50" + "ZXIyLW15LWxvbmc="
"""``jane:`` and more in base64."""

# The secret stands between « and ».
TAKEN = [
    f"API_KEY=«{DRAWN}»",
    f"export API_KEY=«{DRAWN}»",
    f"  - API_KEY=«{DRAWN}»",
    f"set API_KEY=«{DRAWN}»\r\nnext",
    f"$env:API_KEY = «{DRAWN}»",
    f'api_key = "«{DRAWN}»"',
    f"api_key: '«{DRAWN}»',",
    f"apiKey: `«{DRAWN}»`",
    f'"apiKey" => "«{DRAWN}»"',
    f'token: str = "«{DRAWN}»"',
    f'os.environ["X_KEY"] = "«{DRAWN}»"',
    f'define("DB_PASSWORD", "«{DRAWN}»")',
    f"<password>«{DRAWN}»</password>",
    f"| api_key | «{DRAWN}» |",
    f"**api_key**: «{DRAWN}»",
    f"https://a.example/?api_key=«{DRAWN}»&x=1",
    f"Server=x;Password=«{DRAWN}»;Trusted=no",
    f"X_PASSWORD=«{DRAWN}» make",
    "password: «hunter2!»",
    f"Authorization: Bearer «{DRAWN}»",
    f'-H "Authorization: Bearer «{DRAWN}»"',
    f"Authorization: Basic «{BASIC}»",
    f"Authorization: AWS4-HMAC-SHA256 «Credential=x/y, Signature={DRAWN}»",
    f"Cookie: «a=b; session={DRAWN}»",
    f"curl --token «{DRAWN}» x",
    f"mysql --password '«{DRAWN}»'",
    f"the password for the db is «{DRAWN}».",
    f"My token was: «{DRAWN}»!",
    f"with token «{DRAWN}» you",
    "curl -u jane:«hunter2!» x",
    "curl --user 'jane:«hunter2!»' x",
    f'<add key="ApiKey" value="«{DRAWN}»"/>',
    f"curl -b 'session=«{DRAWN}»'".replace("'session=«", "'«session="),
    "sshpass -p «hunter2!» ssh x",
    "mysql -u x -p«hunter2!» db",
    f"machine a.example login jane password «{DRAWN}»",
    f'client = Mistral("«{DRAWN}»")',
    f"Bearer «{DRAWN}»",
    f"basic «{BASIC}»",
]

STAYS = [
    "api_key = settings.api_key",
    "token = get_token(request)",
    "api_key=os.environ['API_KEY']",
    'api_key = "your-api-key"',
    'api_key = ""',
    "password: str",
    f"AWS::IAM::AccessKey: {DRAWN}",
    f"arn:aws:secretsmanager:x:secret: {DRAWN}"[:-20] + "db",
    f"token_type={DRAWN}",
    f'"token", "{DRAWN}"'.replace(DRAWN, "name"),
    f"mysql -p {DRAWN}",
    f"ls -p{DRAWN}",
    f"x -l jane:{DRAWN}",
    "Authorization: Bearer ${TOKEN}",
    "Basic Authentication is used",
    "the token is expired",
    "Cookie: theme=dark; lang=en",
    'client = Client("my-project-name")',
    "--tokenizer gpt2x17",
]


@pytest.mark.parametrize("template", TAKEN)
def test_the_value_is_taken_out_whole_and_nothing_else(template: str) -> None:
    before, _, rest = template.partition("«")
    secret, _, behind = rest.partition("»")
    text = before + secret + behind
    spans = REDACTOR.spans(text)
    assert [text[span.start : span.end] for span in spans] == [secret]


@pytest.mark.parametrize("text", STAYS)
def test_names_variables_and_words_stay(text: str) -> None:
    assert REDACTOR.text(text) == text


def test_a_long_value_goes_to_its_very_end() -> None:
    for text in (f"API_KEY={DRAWN * 50}", f'api_key = "{DRAWN * 50}"', f"x?api_key={DRAWN * 50}"):
        assert REDACTOR.text(text) == text.replace(DRAWN * 50, "__redacted__")
