# SPDX-License-Identifier: Apache-2.0
import pytest

from model.apack import ApackError
from model.tensors.naming import chosen

NAMES = ["conv1/w", "conv1/b", "conv[1]", "conv2/w", "Conv2/w", "", "a\nb"]


@pytest.mark.parametrize(
    ("patterns", "places"),
    [
        ([], []),
        (["conv2/w"], [3]),
        (["conv2/w", "conv1/w"], [0, 3]),
        (["*/w"], [0, 3, 4]),
        (["conv?/w"], [0, 3]),
        (["conv[12]/w", "conv1/*"], [0, 1, 3]),
        (["[Cc]onv2/w"], [3, 4]),
        (["*"], [0, 1, 2, 3, 4, 5, 6]),
        ([""], [5]),
        (["a?b"], [6]),
    ],
)
def test_patterns_choose_each_tensor_once_in_the_files_order(patterns, places):
    assert chosen(NAMES, patterns) == places


def test_a_name_wins_over_its_reading_as_a_pattern():
    assert chosen(["conv[1]", "conv1"], ["conv[1]"]) == [0]
    assert chosen(["w*", "w1", "w2"], ["w*"]) == [0]
    assert chosen(["conv1"], ["conv[1]"]) == [0]


def test_two_tensors_of_the_chosen_name_are_both_taken():
    assert chosen(["w", "v", "w"], ["w"]) == [0, 2]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], r"no tensor 'x\*'; there are 'a', 'b'$"),
        (list("abcdef"), r"no tensor 'x\*'; there are 'a', 'b', 'c', 'd', 'e', \.\.\.$"),
        ([], r"no tensor 'x\*'; there are none$"),
        (["a\nb\x1b"], r"there are 'a\\nb\\x1b'$"),
    ],
)
def test_a_pattern_that_matches_nothing_is_named(names, message):
    with pytest.raises(ApackError, match=message):
        chosen(names, ["*", "x*"] if names else ["x*"])
