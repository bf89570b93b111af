"""Keys that are known by how they begin: each is found whole, wherever it stands; every look-alike stays."""

import json

import pytest

from drawn import draw
from wiretape.matching import request
from wiretape.providers.routing import Endpoint, Route
from wiretape.redaction import Redactor
from wiretape.redaction.detectors import DETECTORS
from wiretape.redaction.forms import FORMS, Form
from wiretape.redaction.pii import DETECTORS as PII
from wiretape.redaction.words import is_spelled

PLAIN = Redactor(environment={})


KEYS = [(form.name, start + example) for form in FORMS for start in form.starts for example in form.examples]


AROUND = (
    "{}",
    "see {}, and go on",
    '"{}"',
    "'{}'",
    "{}\n",
    "\n{}",
    "k={}",
    "Bearer {}",
    "({})",
    "<{}>",
    "_{}_",
    "是{}是",
)


def found(text: str, redactor: Redactor = PLAIN) -> list[str]:
    return [text[span.start : span.end] for span in redactor.spans(text)]


@pytest.mark.parametrize(("name", "template"), KEYS)
def test_a_key_is_found_whole_wherever_it_stands(name: str, template: str) -> None:
    for seed in (1, 2):
        key = draw(template, seed)
        for around in AROUND:
            assert found(around.replace("{}", key)) == [key], around
        escaped = json.dumps(f'say "{key}"\n{key}\t')
        assert found(escaped) == [key, key]
        assert key not in PLAIN.text(json.dumps(escaped))


def test_the_table_has_the_forms_of_sixty_providers_and_more() -> None:
    assert len({name for name, _ in KEYS}) >= 60
    names = [form.name for form in FORMS] + [each.name for each in (*DETECTORS, *PII)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("template", [look_alike for form in FORMS for look_alike in form.look_alikes])
def test_what_only_begins_like_a_key_stays(template: str) -> None:
    for seed in range(1, 6):
        text = draw(template, seed)
        assert found(text) == []
        assert found(f"see `{text}` there") == []


NAMES = """
ota_upd_v3_hdlr_init usb_cdc_acm_rx_cb_irq spi_xfer_dma_cb_isr_v2 flash_erase_blk_crc32_chk get_i2c_bus_clk_hz_32
update_status_register erase_whole_flash_chip_now x86_64_avx2_memcpy_aligned sha256_hmac_ctx_free_all
container-id-12-text-repr-fallback toggleable2__label-arrow-svg parallel-item-hover-bg estimator-v1-doc-lnk-fitted
hub-dl-with-prog-bar cube-grid-9-anim-delay ota-upd-mgr-svc-cfg-tmpl next-js-app-cfg-v14-tmpl-lnk b64-enc-utf8-str-len
updateStatusRegisterNow EvaluateAttributeSnapped AutoModelForCausalLanguage renderNodeTransformMatrix4
HTTPSConnectionPoolManager getXmlHttpRequestCtor DataLoaderNumberOfWorkers onMouseDblClickEvtHandler
"""


def test_two_questions_about_names_never_meet() -> None:
    """They begin like a key, and have as many characters; what was taken out of them would be one request."""
    route = Route("x", "https://api.openai.com/v1", Endpoint("sdk", "POST", "/v1/chat/completions"), "")
    for start in sorted({start for form in FORMS for start in form.starts}):
        texts = [f"explain {start}{name} to me" for name in NAMES.split()]
        asked = [{"model": "m", "messages": [{"role": "user", "content": text}]} for text in texts]
        recorded = [request.recorded(route, json.dumps(body).encode()) for body in asked]
        assert [each.body for each in recorded] == asked
        assert len({request.identity(each) for each in recorded}) == len(texts)


# Those that only a text in the place of a key is not, are told by their build.
TOLD_BY_WORDS = [form for form in FORMS if form.is_one("theUpdateOfTheStatusRegister") is False]


@pytest.mark.parametrize("form", TOLD_BY_WORDS, ids=lambda form: form.name)
def test_what_was_drawn_in_the_form_of_a_key_is_spelled_as_no_name_is(form: Form) -> None:
    for example in form.examples:
        assert not any(is_spelled(draw(example, seed)) for seed in range(150))


def test_a_key_in_which_letters_happen_to_be_words_is_one() -> None:
    drawn = "sk-proj-" + draw("{a30}") + "YOUrd3" + draw("{a40}")
    named = ["AKIAFUS4NDCT5SQGHOGR", "ASIAJPEACLUAFZEL3F6A", drawn]
    assert [found(f"key {key} here") for key in named] == [[key] for key in named]


DOCUMENTED = ["AKIAIOSFODNN7EXAMPLE", "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "sk-your-api-key-here", "ghp_" + "x" * 36]


@pytest.mark.parametrize("text", DOCUMENTED)
def test_what_stands_in_the_place_of_a_key_stays(text: str) -> None:
    assert found(f"export API_KEY={text}") == []
