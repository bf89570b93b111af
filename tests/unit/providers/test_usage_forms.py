"""The table of the numbers of tokens: each row has a source, and is read. ``test_usage`` has answers for the rows."""

from wiretape.providers import passthrough, usage_forms
from wiretape.providers.usage import UsageForm

FORMS = {name: each for name, each in vars(usage_forms).items() if isinstance(each, UsageForm)}


def test_every_form_names_its_source() -> None:
    assert len(FORMS) > 7
    assert [name for name, form in FORMS.items() if not form.source.startswith("https://")] == []


def test_every_form_is_read_in_what_is_passed_on() -> None:
    read = [form for dialect in passthrough.DIALECTS if dialect.usage for form in dialect.usage.forms]
    assert [name for name, form in FORMS.items() if form not in read] == []
