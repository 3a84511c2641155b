"""Numbers, intervals and verdicts as a page says them."""

from __future__ import annotations

import pytest

from sparsenn_book.records import exact, mean_interval, words
from sparsenn_book.records.words import VERDICTS, interval, line, listed, measured, number


def test_measured_values_show_interval_count_unit_and_method() -> None:
    rate = {"value": 0.9375, "low": 0.85, "high": 0.9754, "count": 64, "unit": "", "method": "Wilson"}
    shown = '0.9375 <span class="interval">[0.85, 0.9754]</span>, n = 64 <span class="source">Wilson</span>'
    assert measured(rate).replace("\u00a0", " ") == shown
    assert measured(exact(9.169e-5, unit="nats")) == '9.169·10⁻⁵ nats <span class="source">exact</span>'
    open_ends = vars(mean_interval([2.0])) | {"low": None, "high": None}
    assert measured(open_ends).startswith('2 <span class="interval">(−∞, ∞)</span>')
    assert measured(None) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (-3.0, "−3"),
        (0.04688, "0.04688"),
        (123456.7, "1.235·10⁵"),
        (-1.5e-7, "−1.5·10⁻⁷"),
        (2e6, "2·10⁶"),
        (0.0, "0"),
    ],
)
def test_numbers_are_printed_as_in_a_text(value: float, text: str) -> None:
    assert number(value) == text


def test_ends_of_an_interval_are_told_apart_and_open_ones_round() -> None:
    assert ">(−∞, 3]<" in interval(None, 3)
    assert ">[0.5, ∞)<" in interval(0.5, float("inf"))
    assert ">[9.1685·10⁻⁵, 9.1695·10⁻⁵]<" in interval(9.1685e-5, 9.1695e-5)
    assert ">[7, 7]<" in interval(7, 7)


def test_every_verdict_has_a_symbol_of_its_own() -> None:
    symbols = [symbol for symbol, _ in VERDICTS.values()]
    assert len(set(symbols)) == len(symbols) == 6
    assert words.badge("stated here") == '<span class="verdict verdict-stated">★ stated here</span>'


def test_lists_and_lines_are_as_one_writes_them() -> None:
    assert [listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert line("two\n  words, n\u00a0= 3 ") == "two words, n\u00a0= 3"
