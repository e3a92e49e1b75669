"""Names of levels in order."""

from whetstone.tasks.levels import by_value


def test_numbers_by_value_before_words() -> None:
    long = "9" * 5000
    names = ["easy", "10", "007", "6", "\u00b2", long, "1" + "0" * 4999, "0", ""]
    assert sorted(names, key=by_value) == ["0", "6", "007", "10", "1" + "0" * 4999, long, "", "easy", "\u00b2"]
