"""What compression did, measured, as values and as a table to read."""

from __future__ import annotations

from dataclasses import dataclass

from sparsenn_core.compression.scores import Score
from sparsenn_core.lasso import WidthBounds


@dataclass(frozen=True)
class LayerReport:
    """One layer.

    layer, source   the layer that reads fewer neurons, and the one whose neurons were removed
    neurons, kept   before and after; `dead` of those before are zero on all data
    strength, gap   of the lasso: its penalty and its certified relative duality gap; None for other ways
    error           ||V Phi + b - Psi|| / ||Psi||: how far the layer's training outputs are from those before
    bounds          how many neurons a solution needs by theory; `vacuous` where that is no fewer than there are
    """

    layer: str
    source: str
    neurons: int
    kept: int
    dead: int
    strength: float | None
    gap: float | None
    error: float
    bounds: WidthBounds
    whole: bool
    """Whether a neuron is a channel of several inputs, for which only the product of the ranks is a bound."""

    @property
    def bound(self) -> int:
        """The smallest bound that is proved for these neurons."""
        return self.bounds.product if self.whole else self.bounds.sharp

    @property
    def vacuous(self) -> bool:
        """Whether the bound says nothing here."""
        return self.bound >= self.neurons


@dataclass(frozen=True)
class Size:
    """A network's size and speed: parameters, bytes of its saved weights, least milliseconds for `batch` samples."""

    parameters: int
    bytes: int
    milliseconds: float
    batch: int


@dataclass(frozen=True)
class Report:
    """What `compress` hands back beside the network; `str` of it is a table.

    `difference` is the largest difference of outputs between the smaller network and the one of the size as given with
    the same neurons zeroed, on a batch of held-out data, as a share of the largest output.
    """

    layers: tuple[LayerReport, ...]
    train_before: Score
    train_after: Score
    held_out_before: Score
    held_out_after: Score
    before: Size
    after: Size
    difference: float

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("layer", "neurons", "kept", "dead", "strength", "gap", "error", "bound")]
        rows += [_of_layer(one) for one in self.layers]
        measured: list[tuple[str, ...]] = [("", "before", "after")]
        for name, was, now in (
            ("training", self.train_before, self.train_after),
            ("held-out", self.held_out_before, self.held_out_after),
        ):
            measured.append((f"{name} loss ({was.samples} samples)", f"{was.loss:.4g}", f"{now.loss:.4g}"))
            if was.accuracy is not None and now.accuracy is not None:
                measured.append((f"{name} accuracy", f"{was.accuracy:.2%}", f"{now.accuracy:.2%}"))
        small, large = self.after, self.before
        measured += [
            ("parameters", f"{large.parameters:,}", f"{small.parameters:,}"),
            ("bytes, saved", f"{large.bytes:,}", f"{small.bytes:,}"),
            (f"milliseconds for {large.batch} samples", f"{large.milliseconds:.3g}", f"{small.milliseconds:.3g}"),
        ]
        removed = f"removed against zeroed neurons: outputs differ by {self.difference:.0e} of the largest"
        return "\n".join([*_aligned(rows), "", *_aligned(measured), "", removed])


def _of_layer(one: LayerReport) -> tuple[str, ...]:
    bound = f"{one.bound:,}" + (", vacuous" if one.vacuous else "")
    certified = ("-", "-") if one.strength is None else (f"{one.strength:.3g}", f"{one.gap:.0e}")
    return (one.layer, str(one.neurons), str(one.kept), str(one.dead), *certified, f"{one.error:.2g}", bound)


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows as lines: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
