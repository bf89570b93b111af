"""Whether what stands where a secret is expected is one. Nothing here is anybody's."""

import pytest

from wiretape.redaction.values import Writing, is_about_secret, is_directory, is_secret, may_be_secret

DRAWN = "kX92mQz7Lr41VtB8wYp3"
NEVER = [
    "short",
    "letters",
    "1234567890",
    "$TOKEN_1",
    "${TOKEN1}",
    "<token1>",
    "{{token1}}",
    "%(token1)s",
    "/usr/lib/x1",
    "./config1",
    "~/key1.pem",
    "C:\\keys\\1",
    "https://a.example/1",
    "None1234",
    "os.environ1",
    "process.env.KEY1",
    "self.token1",
    "arn:aws:iam::1",
    "__redacted__1",
    "x1 y2 z3",
    "f(x1, y2)",
    "a::b1::c2",
    "0x1234ABCD",
    "#ff00aa1",
    "v1.22.333",
    "your-api-key-1",
    "sk-xxxxxxxx1",
    "pässwörd1",
]


@pytest.mark.parametrize("writing", Writing)
def test_what_a_machine_has_drawn_is_a_secret_however_it_is_written(writing: Writing) -> None:
    assert is_secret(DRAWN, writing)
    assert is_secret(DRAWN * 20, writing)


@pytest.mark.parametrize("writing", Writing)
@pytest.mark.parametrize("text", NEVER)
def test_variables_paths_and_words_are_none(text: str, writing: Writing) -> None:
    assert not is_secret(text, writing)


@pytest.mark.parametrize(
    ("text", "plain", "quoted", "bare", "password"),
    [
        ("hunter2", False, False, False, True),
        ("kXqzv7", True, False, False, True),
        ("Tr0ub4dor&3", True, True, False, True),
        ("correct-horse-2", False, False, False, True),
        ("config.tokens.v1", False, False, False, False),
        ("/" + DRAWN * 2 + "==", True, True, True, True),  # Base64 may begin as a path does.
        ("token_v2", False, False, False, True),
    ],
)
def test_it_depends_on_how_it_is_written(text: str, *, plain: bool, quoted: bool, bare: bool, password: bool) -> None:
    told = [is_secret(text, writing) for writing in (Writing.PLAIN, Writing.QUOTED, Writing.BARE, Writing.PASSWORD)]
    assert told == [plain, quoted, bare, password]


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        (DRAWN, True),
        ("abc123", True),
        ("abc12", False),
        ("hello there", False),
        ("${TOKEN}", False),
        ("0xAbCdEf0123456789", False),
        ("hello", False),
        ("updateTheStatusOfTheRegister", False),
        ("kXqmQzvLrjVtBhwYpgkZ", True),
    ],
)
def test_a_member_that_may_name_a_secret_has_one(text: str, *, may_be: bool) -> None:
    assert may_be_secret(text) is may_be


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("PWD", "/home/jane/project", True),
        ("pwd", "~/project", True),
        ("OLDPWD", "C:\\work\\project", True),
        ("PWD", "hunter2", False),
        ("PWD", "/" + DRAWN * 2, False),
        ("password", "/home/jane", False),
    ],
)
def test_a_working_directory_is_no_password(name: str, text: str, *, is_one: bool) -> None:
    assert is_directory(name, text) is is_one


@pytest.mark.parametrize(
    "text",
    [
        "projects/p1/secrets/db/versions/2",
        "arn:aws:secretsmanager:us-east-1:1:secret:x",
        "op://vault/item/field",
        "$TOKEN",
        "${TOKEN}",
        "<token>",
        "{{ token }}",
        "%TOKEN%",
        "Bearer ${TOKEN}",
        "basic <credentials>",
        "The key of the production account",
    ],
)
def test_what_stands_for_a_secret_or_describes_it_is_none(text: str) -> None:
    assert is_about_secret(text)


@pytest.mark.parametrize("text", [DRAWN, f"Bearer {DRAWN}", "four words and no", "<a><b>"])
def test_what_describes_nothing_is_no_description(text: str) -> None:
    assert not is_about_secret(text)
