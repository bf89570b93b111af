"""Secrets that are known by how they begin: the keys of providers and services. A part of the table.

Each form is as long as real keys are, in their alphabet. Nothing in this file looks like a key: an example is a
template, in which ``{a48}`` stands for 48 random letters and digits (a: letters of both cases and digits, t: letters,
l: small letters and digits, u: capitals and digits, h: hex digits, d: digits, s: as in base64 for URLs).
"""

from collections.abc import Callable
from dataclasses import dataclass

from wiretape.redaction.words import is_placeholder, is_spelled, reads_as_words

_SAFE = "[A-Za-z0-9_-]"
_UUID = "[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}"
A_UUID = "{h8}-{h4}-{h4}-{h4}-{h12}"


def _is_drawn(rest: str) -> bool:
    return not (is_placeholder(rest) or reads_as_words(rest) or is_spelled(rest))


def _is_filled(rest: str) -> bool:
    return not is_placeholder(rest)


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of secret that begins in a way of its own."""

    name: str
    starts: tuple[str, ...]
    """Its beginnings. Where a text begins with several of all forms, the longest is tried first."""
    rest: str
    """What follows, in RE2's syntax. Behind it stands neither a letter nor a digit."""
    examples: tuple[str, ...]
    """Texts that may follow the first of ``starts``, as templates."""
    look_alikes: tuple[str, ...] = ()
    """Texts that begin like a secret and are none, as templates."""
    is_one: Callable[[str], bool] = _is_drawn
    """Tells, from what follows the beginning, whether it is a secret after all."""


def _form(name: str, starts: str, rest: str, *examples: str, but: tuple[str, ...] = (), words: bool = True) -> Form:
    """Make a form. With ``words``, a text with this beginning that is made of words is no secret."""
    is_one = _is_filled
    if words:
        is_one = _is_drawn
    return Form(name, tuple(starts.split()), rest, examples, but, is_one)


_MODELS = (
    _form("openai", "sk-proj- sk-svcacct- sk-admin- sk-None-", _SAFE + "{20,}", "{s74}T3BlbkFJ{s74}", "{a48}"),
    _form(
        "anthropic",
        "sk-ant-",
        r"[a-z]{2,8}[0-9]{2}-[A-Za-z0-9_-]{32,}",
        "api03-{s93}AA",
        "admin01-{s93}AA",
        "oat01-{s93}AA",
        but=("sk-ant-api03-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "sk-ant-design-vue-table-row-hover-background"),
    ),
    _form("openrouter", "sk-or-v1-", r"[a-f0-9]{64}", "{h64}"),
    _form("langfuse", "sk-lf-", _UUID, A_UUID),
    # OpenAI's old keys, DeepSeek, Moonshot, DashScope, SiliconFlow, Stability, and LiteLLM's, which have 22 characters.
    _form(
        "sk",
        "sk-",
        _SAFE + "{16,}",
        "{a48}",
        "{h32}",
        "{s22}",
        "{a20}",
        but=(
            "sk-toggleable__label-arrow",
            "sk-estimator-doc-link",
            "sk-learn-contrib-imbalanced",
            "sk-fading-circle-animation",
            "sk-your-api-key-goes-here",
            "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
            "disk-{a40}",
            "mask-{a40}",
        ),
    ),
    _form("openai session", "sess-", "[A-Za-z0-9]{32,}", "{a40}", but=("sess-management-and-validation-of-cookies",)),
    _form("openai ephemeral", "ek_", "[a-f0-9]{32,}", "{h32}"),
    _form(
        "fireworks",
        "fw_ fpk_",
        "[A-Za-z0-9]{16,}",
        "{a24}",
        "{a22}",
        but=("fw_update_status_register", "fw_updateStatusRegisterNow", "fw_{a8}"),
    ),
    _form("groq", "gsk_", "[A-Za-z0-9]{40,}", "{a52}", but=("gsk_render_node_transform_matrix_update_state",)),
    _form("cerebras", "csk-", "[a-z0-9]{40,}", "{l48}"),
    _form(
        "hugging face",
        "hf_ api_org_",
        "[A-Za-z0-9]{30,}",
        "{t34}",
        "{a37}",
        but=("hf_hub_download_with_progress", "hf_transformersAutoModelForSequenceClassification"),
    ),
    _form("together", "tgp_v1_", _SAFE + "{32,}", "{s43}"),
    _form("nvidia", "nvapi-", _SAFE + "{48,}", "{s64}"),
    _form("xai", "xai-", "[A-Za-z0-9]{64,}", "{a80}"),
    _form("perplexity", "pplx-", "[A-Za-z0-9]{40,}", "{a48}", but=("pplx-7b-online-and-other-models",)),
    _form("replicate", "r8_", "[A-Za-z0-9]{32,}", "{a37}"),
    _form("langsmith", "lsv2_pt_ lsv2_sk_", "[a-f0-9]{32}_[a-f0-9]{10}", "{h32}_{h10}"),
    _form("langsmith old", "ls__", "[a-f0-9]{32}", "{h32}"),
    _form("pinecone", "pcsk_", "[A-Za-z0-9_]{40,}", "{a6}_{a63}"),
    _form("tavily", "tvly-", "(?:dev-|prod-)?[A-Za-z0-9-]{24,}", "{a32}", "dev-{a32}"),
    _form("jina", "jina_", "[A-Za-z0-9]{48,}", "{h32}{a28}", but=("jina_embeddings_v3_base_text_matching",)),
    _form("voyage", "pa-", _SAFE + "{40,}", "{s43}"),
    _form("llamacloud", "llx-", "[A-Za-z0-9]{40,}", "{a48}"),
    _form("elevenlabs", "sk_", "[a-f0-9]{48}", "{h48}"),
    _form("firecrawl", "fc-", "[a-f0-9]{32}", "{h32}", but=("fc-{h8}", "fc-cache-and-fontconfig-settings")),
    _form("anyscale", "esecret_", "[A-Za-z0-9]{24,}", "{l26}"),
    _form("e2b", "e2b_", "[a-f0-9]{40}", "{h40}"),
    _form("upstage", "up_", "[A-Za-z0-9]{29}", "{a29}", but=("up_{a12}", "up_downSamplingBlockForUNetModels")),
    _form("runpod", "rpa_", "[A-Z0-9]{40,}", "{u46}"),
    _form("baidu", "bce-v3/ALTAK-", "[A-Za-z0-9]{16,32}/[a-f0-9]{40}", "{a21}/{h40}"),
    _form("friendli", "flp_", "[A-Za-z0-9]{40,}", "{a46}"),
    _form("parasail", "psk-", _SAFE + "{40,}", "{a40}", but=("psk-modulation-and-demodulation-in-matlab-examples",)),
    _form("novita", "sk_", _SAFE + "{43}", "{s42}z", but=("sk_buff_pointer_that_is_shared_among_the_drivers",)),
    _form("inference.net", "inference-", "[a-f0-9]{32}", "{h32}", but=("inference-{h8}",)),
    _form("chutes", "cpk_", "[a-f0-9]{32}[.][a-f0-9]{32}[.][A-Za-z0-9]{32}", "{h32}.{h32}.{a32}"),
    _form(
        "helicone", "sk-helicone-", "(?:eu-|proxy-)?[a-z0-9]{7}(?:-[a-z0-9]{7}){3}", "{l7}-{l7}-{l7}-{l7}", words=False
    ),
    _form("modal", "ak- as-", "[A-Za-z0-9]{22}", "{a22}", but=("as-{a8}", "as-simpleAsThatIsForPeople")),
    _form("openpipe", "opk_", "[A-Za-z0-9]{40,}", "{a42}"),
    _form("cursor", "crsr_ key_", "[a-f0-9]{64}", "{h64}"),
    _form("context7", "ctx7sk-", _UUID, A_UUID),
    _form("weights and biases", "wandb_v1_", "[A-Za-z0-9_]{40,}", "{a77}"),
    _form("apify", "apify_api_", "[A-Za-z0-9]{30,}", "{a36}"),
    _form("browserbase", "bb_live_", _SAFE + "{24,}", "{a27}"),
    _form(
        "wiretape",
        "wt_",
        _SAFE + "{43}",
        "{s42}z",
        but=("wt_{a12}", "wt_connection_string_for_the_test_database_now_and_then"),
    ),
)

_CLOUDS = (
    _form("google", "AIza", _SAFE + "{35}", "Sy{s32}x", "SyD{a32}", but=("AIza{a20}", "AIza{a60}")),
    _form("google gemini", "AQ.", _SAFE + "{45,}", "Ab8RN6{s44}"),
    _form("google access", "ya29.", r"(?:[a-z]\.)?[A-Za-z0-9_-]{30,}", "a0{s160}", "c.{s120}", but=("ya29.short",)),
    _form("google client", "GOCSPX-", _SAFE + "{28}", "{s27}x"),
    _form(
        "aws",
        "AKIA ASIA ABIA ACCA",
        "[A-Z0-9]{16}",
        "{u16}",
        but=("AKIAIOSFODNN7EXAMPLE", "AKIA{u12}", "AKIA{u24}", "AROA{u16}"),
        words=False,  # One in 200 reads as some.
    ),
    _form("aws bedrock", "ABSKQmVkcm9ja0FQSUtleS", "[A-Za-z0-9+/]{40,}={0,2}", "{a109}="),
    _form("aws bedrock short", "bedrock-api-key-", "[A-Za-z0-9+/]{40,}={0,2}", "{a200}"),
    _form("databricks", "dapi", "[a-f0-9]{32}(?:-[0-9])?", "{h32}", "{h32}-2", but=("dapi{h16}", "dapi{h40}")),
    _form("digitalocean", "dop_v1_ doo_v1_ dor_v1_", "[a-f0-9]{64}", "{h64}"),
    _form("alibaba", "LTAI", "[A-Za-z0-9]{16,24}", "5t{a18}"),
    _form("cloudflare", "cfut_ cfat_", _SAFE + "{36,}", "{a48}"),
    _form("tailscale", "tskey-", "(?:auth|api|client|webhook)-[A-Za-z0-9]+-[A-Za-z0-9]{20,}", "auth-{a12}CNTRL-{a32}"),
    _form("heroku", "HRKU-", _SAFE + "{30,}", "AA{s58}"),
    _form("planetscale", "pscale_tkn_ pscale_pw_ pscale_oauth_", _SAFE + "{32,}", "{s43}"),
    _form("supabase", "sbp_ sbp_v0_", "[a-f0-9]{40}", "{h40}"),
    _form("supabase secret", "sb_secret_", _SAFE + "{24,}", "{s31}"),
    _form("netlify", "nfp_", "[A-Za-z0-9]{36,}", "{a36}"),
    _form("vercel", "vcp_ vck_", "[A-Za-z0-9]{24,}", "{a56}"),
    _form("fly", "fm2_ fo1_", "[A-Za-z0-9+/_=-]{40,}", "lJPECAAAAA{a120}"),
    _form("doppler", "dp.pt. dp.st. dp.ct. dp.sa.", "(?:[a-z0-9_-]{2,35}[.])?[A-Za-z0-9]{40,44}", "{a43}", "prd.{a43}"),
    _form("pulumi", "pul-", "[a-f0-9]{40}", "{h40}"),
    _form("grafana", "glsa_", "[A-Za-z0-9]{32}_[a-f0-9]{8}", "{a32}_{h8}"),
    _form("grafana cloud", "glc_", "[A-Za-z0-9+/]{40,}={0,2}", "eyJ{a120}"),
    _form("new relic", "NRAK- NRII- NRJS-", "[A-Za-z0-9_-]{19,}", "{u27}"),
    _form("sentry", "sntrys_ sntryu_", "[A-Za-z0-9+/=_-]{40,}", "eyJ{a150}"),
    _form("dynatrace", "dt0c01.", "[A-Z0-9]{24}[.][A-Z0-9]{64}", "{u24}.{u64}"),
    _form("vault", "hvs. hvb. hvr.", _SAFE + "{24,}", "{s95}", "{a24}", but=("hvs.something",)),
)

_CODE = (
    _form(
        "github", "ghp_ gho_ ghu_ ghs_ ghr_", "[A-Za-z0-9]{20,}", "{a36}", but=("ghs_updateRepositorySecurityAdvisory",)
    ),
    _form(
        "github fine-grained",
        "github_pat_",
        "[A-Za-z0-9_]{22,}",
        "{a22}_{a59}",
        but=("github_pat_authentication_for_actions",),
    ),
    _form(
        "gitlab",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glimt- glagent- gloas- glffct-",
        r"[A-Za-z0-9_.-]{20,}",
        "{s20}",
        "{s27}.01.{l9}",
    ),
    _form(
        "npm",
        "npm_",
        "[A-Za-z0-9]{36,}",
        "{a36}",
        but=("npm_config_registry_and_other_variables", "npm_lifecycle_event"),
    ),
    _form("pypi", "pypi-", "AgE" + _SAFE + "{40,}", "AgEIcHlwaS5vcmc{s150}"),
    _form("nuget", "oy2", "[a-z0-9]{43}", "{l43}"),
    _form("harness", "pat.", r"[A-Za-z0-9_-]{22}[.][a-f0-9]{24}[.][A-Za-z0-9]{20}", "{a22}.{h24}.{a20}"),
    _form("prefect", "pnu_ pnb_", "[A-Za-z0-9]{36}", "{a36}"),
    _form("readme", "rdme_", "[a-z0-9]{70}", "{l70}"),
    _form(
        "django",
        "django-insecure-",
        r"[a-z0-9!@#$%^&*(_=+)-]{50}",
        "{l20}!@{l10}#%^{l10}*+{l3}",
        but=("django-insecure-default-key-of-the-settings-file",),
    ),
    _form("rubygems", "rubygems_", "[a-f0-9]{48}", "{h48}"),
    _form("cargo", "cio", "[A-Za-z0-9]{32}", "{a32}", but=("cioperation{a10}",)),
    _form("docker hub", "dckr_pat_ dckr_oat_", _SAFE + "{24,}", "{s27}"),
    _form("buildkite", "bkua_", "[a-f0-9]{40}", "{h40}"),
    _form("circleci", "CCIPAT_ CCIPRJ_", "[A-Za-z0-9]+_[a-f0-9]{40}", "{a22}_{h40}"),
    _form("sonarqube", "sqp_ squ_ sqa_", "[a-f0-9]{40}", "{h40}"),
    _form("postman", "PMAK-", "[a-f0-9]{24}-[a-f0-9]{34}", "{h24}-{h34}"),
    _form("artifactory", "AKCp", "[A-Za-z0-9]{60,}", "8{a68}"),
    _form("linear", "lin_api_ lin_oauth_", "[A-Za-z0-9]{32,}", "{a40}"),
    _form("notion", "ntn_", "[A-Za-z0-9]{40,}", "{d11}{a35}"),
    _form("notion old", "secret_", "[A-Za-z0-9]{43}", "{a43}", but=("secret_{a20}",)),
    _form("figma", "figd_ figo_", _SAFE + "{36,}", "{s40}"),
    _form("atlassian", "ATATT3x ATCTT3x", "[A-Za-z0-9_=-]{60,}", "FfGF0{s180}={u8}"),
    _form("airtable", "pat", "[A-Za-z0-9]{14}[.][a-f0-9]{64}", "{a14}.{h64}"),
    _form("1password", "ops_", "eyJ[A-Za-z0-9+/]{80,}={0,2}", "eyJ{a250}"),
)

_SERVICES = (
    _form(
        "slack",
        " ".join(f"xox{kind}-" for kind in ("b", "p", "a", "e", "o", "r", "s", "c", "d", "e.xoxb", "e.xoxp")),
        r"[A-Za-z0-9%-]{20,}",
        "{d12}-{d13}-{a24}",
        "1-{u60}",
        but=("xoxb-your-token",),
    ),
    _form("slack app", "xapp-", "[0-9]-[A-Z0-9]+-[0-9]+-[a-f0-9]{32,}", "1-A{u10}-{d13}-{h64}"),
    _form("stripe", "sk_live_ rk_live_ sk_test_ rk_test_ sk_org_", "[A-Za-z0-9]{16,}", "{a24}", "51{a97}"),
    _form("webhook", "whsec_", "[A-Za-z0-9+/]{24,}={0,2}", "{a32}"),
    _form("sendgrid", "SG.", _SAFE + "{20,24}[.]" + _SAFE + "{39,50}", "{s22}.{s43}"),
    _form("mailgun", "key-", "[a-f0-9]{32}", "{h32}"),
    _form("brevo", "xkeysib- xsmtpsib-", "[a-f0-9]{64}-[A-Za-z0-9]{16}", "{h64}-{a16}"),
    _form(
        "resend",
        "re_",
        "[A-Za-z0-9]{8}_[A-Za-z0-9]{24}",
        "{a8}_{a24}",
        but=("re_compiled_pattern_matching_of_headers",),
    ),
    _form("shopify", "shpat_ shpca_ shppa_ shpss_", "[a-fA-F0-9]{32}", "{h32}"),
    _form("square", "sq0atp- sq0csp- sq0idp-", _SAFE + "{22,}", "{s22}", "{s43}"),
    _form("square access", "EAAA", _SAFE + "{60}", "{s59}x", but=("EAAA{a24}",)),
    _form("posthog", "phx_", "[A-Za-z0-9]{40,}", "{a43}"),
    _form("typeform", "tfp_", _SAFE + "{50,}", "{s58}x"),
    _form("contentful", "CFPAT-", _SAFE + "{40,}", "{s42}x"),
    _form("easypost", "EZAK EZTK", "[A-Za-z0-9]{54}", "{a54}"),
    _form("flutterwave", "FLWSECK_TEST- FLWSECK-", "[a-h0-9]{12,}(?:-X)?", "{h12}", "{h32}-X", words=False),
    _form("mapbox", "sk.eyJ", r"[A-Za-z0-9_-]{40,}[.][A-Za-z0-9_-]{20,}", "1Ijoi{a50}.{a22}"),
    _form("hubspot", "pat-na1- pat-na2- pat-eu1-", _UUID, A_UUID),
    _form(
        "age",
        "AGE-SECRET-KEY-1",
        "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
        "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" + "QPZRY9X8GF2TVDW0S3JN54KHCE",
    ),
)

FORMS: tuple[Form, ...] = (*_MODELS, *_CLOUDS, *_CODE, *_SERVICES)
"""Every kind of secret that is known by its beginning."""
