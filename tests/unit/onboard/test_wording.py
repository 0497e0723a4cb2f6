"""Every sentence is said in both languages with the same particulars, and none is left that nobody says."""

import re
from pathlib import Path

import pytest

from flows.onboard.vocabulary import meanings, truths, vocabulary, word_key
from flows.onboard.wording import SENTENCES
from schemas.registry import ENTITIES

FOLDER = Path(__file__).parents[3] / "flows" / "onboard"
CODE = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py") if path.stem != "wording")


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_says_the_same_in_both_languages(code: str) -> None:
    english, chinese = SENTENCES[code]
    assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese))
    assert re.search("[\u4e00-\u9fff\uff1a]", chinese)


def test_every_sentence_is_said_somewhere() -> None:
    spoken = re.findall(r'(?:Said|note)\(\s*"(\w+)"|"(ask_\w+)"', CODE)
    codes = {code for pair in spoken for code in pair} | {"mode_full", "mode_append"}
    assert set(SENTENCES) - codes == set()


def test_coded_words_mean_what_the_schema_admits() -> None:
    for place in vocabulary()["values"]:
        entity, _, column = place.partition(".")
        if column:
            checks = ENTITIES[entity].to_schema().columns[column].checks
            allowed = {value for check in checks for value in (check.statistics or {}).get("allowed_values", ())}
            assert not allowed or set(meanings(entity, column).values()) <= allowed, place


def test_no_word_means_two_stages_or_both_truths() -> None:
    words = [(word_key(word), stage["key"]) for stage in vocabulary()["stages"] for word in stage["words"]]
    twice = {key: stages for key, _ in words if len(stages := {stage for found, stage in words if found == key}) > 1}
    assert twice == {}
    assert set(truths().values()) == {"true", "false"}
    given = vocabulary()["booleans"]
    assert set(map(word_key, given["true"])) & set(map(word_key, given["false"])) == set()
