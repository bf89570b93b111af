from wiretape.matching.kinds import replacements
from wiretape.matching.rules import Kind


def test_ids_have_to_be_equal_where_they_were() -> None:
    assert all(each.is_tracked for each in replacements(Kind.UUIDS))
