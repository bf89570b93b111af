"""The table of what secrets look like. ``scanner`` searches for all of it in one pass.

A text can be searched at once for what a secret begins with, or stands behind: its *hook*. Few texts have any. Where
there is a hook, a function looks closer.

An example is a template (see ``forms``). Where a part of it is no secret, the secret stands between « and ».
"""

from collections.abc import Callable
from dataclasses import dataclass

from wiretape.redaction import context, forms, structures

type Closer = Callable[[bytes, int, int], tuple[int, int] | None]
"""Takes a text in UTF-8 and the place of a hook in it. Returns where the secret stands, or None."""


@dataclass(frozen=True, slots=True)
class Detector:
    """A kind of secret that is known by more than its beginning."""

    name: str
    hook: str
    """A pattern in RE2's syntax: short, and of bounded length."""
    closer: Closer
    examples: tuple[str, ...]
    look_alikes: tuple[str, ...] = ()
    ahead: int = 0
    """How many bytes at the end of the hook belong to what the function looks at."""


_KEY = "PRIVATE KEY-----"
"""Kept apart from what stands before it in an example, so that no file of this project looks like a private key."""

DETECTORS = (
    # The hooks that match most often come first.
    Detector(
        "named",
        context.ASSIGNMENT,
        context.assignment,
        (
            "OPENAI_API_KEY=«{a40}»",
            "export MISTRAL_API_KEY=«{a32}»",
            "export COHERE_API_KEY='«{a40}»'",
            "TOGETHER_API_KEY=«{h64}»\nNEXT=1",
            "  - AZURE_OPENAI_KEY=«{h32}»",
            "aws_secret_access_key = «{a18}/{a20}+»",
            "AWS_SECRET_ACCESS_KEY=«{a39}/»",
            'client = Client(api_key="«{a40}»")',
            "token: str = '«{a24}»'",
            'os.environ["DB_PASSWORD"] = "«hunter2!»"',
            "password: «hunter2»",
            "password = «Tr0ub4dor&3»",
            '{"secret": "«{h32}»", "user": "me"}',
            '{\\"apiKey\\": \\"«{a32}»\\"}',
            "https://example.com/v1?access_token=«{a20}»&page=2",
            "Server=db;User Id=sa;Password=«{a12}7»;Encrypt=true",
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=«{a86}==»;EndpointSuffix=core.windows.net",
            "Authorization: Bearer «{a40}»",
            "authorization: Basic «dXNlcjpoZW1saWdoMTI=»",
            "curl -H 'X-Api-Key: «{a32}»' https://example.com",
            "Ocp-Apim-Subscription-Key: «{h32}»",
            "Cookie: «session={a32}; theme=dark»",
            'requests.get(url, headers=[("X-Auth-Token", "«{a32}»")])',
            "<password>«S3cret-{a8}»</password>",
            "$env:GITHUB_TOKEN=«{a40}»",
            "PGPASSWORD=«s3cr3tpw» psql -h db",
            'password="«Sup3r$ecret!»"',
            "{'password': b'«hunter2»'}",
            "secret_key_base: «{h128}»",
            "My OpenAI key: «{a40}»",
            "**Secret Access Key:** `«{a40}»`",
            "| Secret access key | «{a20}7{a19}» |",
            "tool --db-password=«hunter2-{a4}» x",
            "kubectl create secret generic x --from-literal=password=«{a9}7»",
            "helm install x --set auth.password=«{a9}7»",
            "login: admin / password: «hunter!2{a4}»\n",
            "define('DB_PASSWORD', '«hunter2{a4}');".replace("');", "»');"),
            "aws_secret_access_key: «/{a18}/{a20}»",
            "VAULT_TOKEN=«s.{a24}»",
            'Authorization: Digest «username="m", nonce="{h32}", response="{h32}"»',
            '{"COGNITIVE_KEY": "«{h32}»"}',
        ),
        (
            "password: str",
            "token = self.tokens.next_token()",
            "api_key=os.environ['OPENAI_API_KEY']",
            'api_key="YOUR_API_KEY"',
            "api_key=api_key",
            "secret = Secret2",
            "token: Token24",
            "private_key = ed25519.Ed25519PrivateKey.generate()",
            "max_tokens=4096",
            '{"next_page_token": "{a40}"}',
            '{"token_type": "bearer-2", "tokenizer": "gpt2-medium-1"}',
            '{"token": "0x{h40}"}',
            '{"PARTITION_KEY": "user-{d4}", "CACHE_KEY": "{h32}"}',
            "define('AUTH_KEY', 'put your unique phrase here');",
            "| token | description1 |",
            "Authorization: the process in which a server decides",
            "Cookie: delicious=yes",
            "AWS::SecretsManager::Secret: {h16}",
            'keys = ["authorization", "x-amz-content-sha256"]',
            "OPENAI_API_KEY=$OPENAI_API_KEY",
            "OPENAI_API_KEY=${{ secrets.OPENAI_API_KEY }}",
            "export API_KEY=<your key>",
            "TOKEN_FILE=/run/secrets/token1",
            "PASSWORD=********",
        ),
    ),
    Detector(
        "url password",
        structures.USER_INFO,
        structures.user_info,
        (
            "postgres://admin:«hunter2»@db.internal:5432/prod",
            "redis://:«{a20}»@cache:6379/0",
            "https://deploy:«p%40ss-w0rd»@git.example.com/x.git",
        ),
        (
            "http://user:password@host/",
            "http://localhost:8080/@scope/package",
            "https://{user}:{token}@host",
            "https://$USER:$TOKEN@host",
            "http://[::1]:8080/",
        ),
    ),
    Detector(
        "private key",
        structures.PRIVATE_KEY,
        structures.private_key,
        (
            f"«-----BEGIN RSA {_KEY}\nMIIE{{a60}}\n{{a64}}\n{{a10}}=\n-----END RSA {_KEY}»",
            f"«-----BEGIN {_KEY}\\nMIIE{{a60}}\\n{{a10}}==\\n-----END {_KEY}»\\n",
            f"«-----BEGIN OPENSSH {_KEY}\nb3BlbnNzaC1rZXktdjEA{{a50}}\n{{a70}}»",  # cut off
            f"«-----BEGIN EC {_KEY} MHcC{{a60}} {{a60}} -----END EC {_KEY}»",
            f'"«-----BEGIN {_KEY}\\n"\n    "MIIE{{a60}}\\n"\n    "{{a10}}==\\n"\n    "-----END {_KEY}»\\n"',
            "«---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nMIIE{a60}\n{a9}==\n---- END SSH2 ENCRYPTED PRIVATE KEY ----»",
            f"«-----BEGIN RSA {_KEY}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{{h32}}\n\n{{a64}}\n{{a64}}»",
            "«-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{a64}\n{a20}\n=ab1D\n"
            "-----END PGP PRIVATE KEY BLOCK-----»",
        ),
        (
            f"A key in PEM begins with -----BEGIN {_KEY} and a line of base64.",
            f'if text.startswith("-----BEGIN RSA {_KEY}"):',
            "-----BEGIN CERTIFICATE-----\nMIIE{a60}\n-----END CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----\nMIIE{a60}\n-----END PUBLIC KEY-----",
        ),
    ),
    Detector(
        "json web token",
        structures.JSON_WEB,
        structures.token_in_parts,
        (
            "«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ{a20}.{s43}x»",
            "«eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJ{a60}.{s342}x»",
            "«eyAiYWxnIjogIkhTNTEyIiB9.eyJ{a60}.{s85}x»",
            "«eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..{s16}.{s80}.{s21}x»",  # encrypted
        ),
        ("eyJhIjoxfQ", "eyJ0ZXh0IjoiaGVsbG8ifQ.eyJ0ZXh0IjoiaGVsbG8ifQ.x", "eyJ{a40}", "{a20}eyJhbGciOiJIUzI1NiJ9"),
    ),
    Detector(
        "authorization",
        context.SCHEME,
        context.scheme,
        ("Bearer «{a10}1{a10}2{a20}»", "send it as `Basic «dXNlcjpoZW1saWdoMTI=»`"),
        ("Bearer authentication", "a bearer token of 256 bits", "Basic understanding", "Basic auth is base64"),
    ),
    Detector(
        "option",
        context.OPTION,
        context.option,
        ("mysql --user me --password «hunter2-{a8}»", 'deploy --api-token "«{a32}»" --now'),
        (
            "docker login --password-stdin",
            "tool --token-file /run/secret1",
            "tool --max-tokens 100",
            "--no-auth --verbose1",
        ),
    ),
    Detector(
        "told",
        context.TOLD,
        context.told,
        (
            "My password is «hunter2», please log in.",
            'The password for the database is "«hunter2-{a4}»"',
            "the API key is «{a32}».",
            "My Azure key is «{h32}», thanks",
            "use Mistral key: «{a32}»",
            "the secret is: «s3cr3t-{a6}»",
        ),
        (
            "the password is wrong",
            "the git key is {h40}",
            "the token is invalid2",
            "the primary key is {h40}",
            "the secret is out",
        ),
    ),
    Detector(
        "followed",
        context.FOLLOWED,
        context.followed,
        (
            "token «{h40}»",
            "aws configure set aws_secret_access_key «{a18}/{a20}7»",
            'setx API_KEY "«{a32}»"',
            "ENV STRIPE_KEY «{a31}7»",
            "Mistral api key «{a32}»",
            "machine api.example.com login me password «{a20}»",
        ),
        (
            "token authentication-and-authorization",
            "the key {h40}",
            "a token tokenization_with_numbers_1",
            "token {h8}",
        ),
        context.FOLLOWED_BY,
    ),
    Detector(
        "attribute",
        context.ATTRIBUTE,
        context.attribute,
        (
            '<add key="ApiKey" value="«{a32}»" />',
            "<env name='DB_PASSWORD' value='«hunter2{a4}'/>".replace("'/>", "»'/>"),
        ),
        ('<add key="TokenType" value="bearer2" />', '<input name="token" value="{{ token }}">'),
    ),
    Detector(
        "cookies of a command",
        context.COOKIES,
        context.cookies,
        ('curl -b "«session={a32}»" https://x', "curl --cookie '«a=b; sid={a32}»' x"),
        ("git checkout -b 'topic=1'", 'curl -b "cookies.txt" x'),
    ),
    Detector(
        "password of a command",
        context.SHORT_OPTION,
        context.short_option,
        ("sshpass -p '«hunter#2{a4}»' ssh x", "mysqldump -u root -p«S3cr{a8}» db"),
        ("mkdir -p data1", "docker run -p 8080:80a1b2", "mysql -u root -p db1", "sshpass -p $PASS1 ssh x"),
    ),
    Detector(
        "netrc",
        context.NETRC,
        context.login,
        ("machine example.com login me password «hunter2-{a4}»",),
        ("login form password reset", "login me password <password>"),
    ),
    Detector(
        "client",
        context.CLIENT,
        context.client,
        ("co = cohere.Client('«{a39}7»')", 'Mistral("«{a31}7»")'),
        ('Client("https://example.com")', "boto3.Client('dynamodb2')", "Client('checkout-service-client-v2')"),
    ),
    Detector(
        "login",
        context.LOGIN,
        context.login,
        ("curl -u admin:«s3cr3tpass» https://x", "curl --user me:«hunter2-{a4}» x"),
        ("docker run -u 1000:1000 image", "sudo -u user:group ls", "curl -u $USER:$PASS x"),
    ),
    Detector(
        "url signature",
        structures.SIGNATURE,
        structures.signature,
        (
            "https://x.blob.core.windows.net/c/b?sv=2022-11-02&sp=r&sig=«{a40}%2F{a4}%3D»",
            "https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature=«{h64}»",
        ),
        ("?sig=none", "&sig=short1"),
    ),
    Detector("google refresh", structures.GOOGLE_REFRESH, structures.google_refresh, ("«1//0{s99}x»",), ("1//0{a20}",)),
    Detector(
        "telegram", structures.TELEGRAM, structures.telegram, ("«{d10}:AA{s32}x»",), ("12:30:AA{a33}", "{d10}:A1")
    ),
    Detector("discord", structures.DISCORD, structures.discord, ("«MT{a24}.G{a5}.{s38}»",), ("MT{a24}.module.name",)),
    Detector(
        "hook url",
        structures.HOOK_URL,
        structures.hook_url,
        (
            "https://hooks.slack.com/services/«T{u10}/B{u10}/{a24}»",
            "https://discord.com/api/webhooks/{d18}/«{s68}»",
        ),
        ("https://hooks.slack.com/services/T/B/x", "https://discord.com/api/webhooks/{d18}/token"),
    ),
    Detector("azure entra", structures.AZURE_ENTRA, structures.azure_entra, ("«{a3}8Q~{a34}»",), ("x8Q~short",)),
    Detector("terraform", structures.TERRAFORM, structures.terraform, ("«{a14}.atlasv1.{s66}x»",), ("x.atlasv1.y",)),
    Detector(
        "azure resource",
        structures.AZURE_RESOURCE,
        structures.azure_resource,
        ("«{a52}JQQJ99BDAC{a22}»",),
        ("{a20}JQQJ99{a10}",),
    ),
    Detector(
        "zhipu",
        structures.ZHIPU,
        structures.zhipu,
        ("«{h32}.{a14}Xy»",),
        ("{h32}.bundle.js", "{h32}.{l16}", "{h32}.{a20}", "{h32}.ComponentOfTheUI", "/static/{h32}.{h16}"),
    ),
    Detector("fal", structures.FAL, structures.fal, (f"«{forms.A_UUID}:{{h32}}»",), (f"{forms.A_UUID}:{{h8}}",)),
)
