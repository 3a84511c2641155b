"""A study of a second, for tests of the chapter helper. It counts its calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sparsenn_book.records import Claim, mean_interval
from sparsenn_book.sources.project import data_file

CALLS: list[str] = []


@dataclass(frozen=True)
class CurveSettings:
    steps: int
    rates: tuple[float, ...]


@dataclass(frozen=True)
class CountSettings:
    runs: int = 5


def curves(settings: CurveSettings) -> pd.DataFrame:
    CALLS.append("curves")
    rows = [(rate, step, (1 - rate) ** step) for rate in settings.rates for step in range(settings.steps)]
    return pd.DataFrame(rows, columns=["rate", "step", "value"])


def ends(table: pd.DataFrame) -> pd.DataFrame:
    CALLS.append("ends")
    return table.groupby("rate", as_index=False).last()


def counted(settings: CountSettings, device: str = "none") -> Mapping[str, pd.DataFrame]:
    CALLS.append("counted")
    runs = pd.DataFrame({"run": range(settings.runs), "value": [0.5 + 0.001 * i for i in range(settings.runs)]})
    return {"runs": runs, "total": pd.DataFrame({"runs": [settings.runs], "device": [device]})}


def recorded() -> pd.DataFrame:
    CALLS.append("recorded")
    return pd.read_csv(data_file("toy_recorded.csv"))


def hidden_file() -> pd.DataFrame:
    name = "hidden"
    return pd.read_csv(data_file(f"{name}.csv"))


def claims(tables: Mapping[str, pd.DataFrame], settings: CountSettings) -> list[Claim]:
    measured = mean_interval(tables["runs"]["value"])
    return [
        Claim(
            "toy.half", f"The value is one half, over {settings.runs} runs or |more|.", "the study, Table 1", "0.5",
            measured, said=(0.4, 0.6), enough=3,
        )
    ]  # fmt: skip
