"""Sentences about the multi-task lasso and its bounds, computed from tables; Markdown."""

from __future__ import annotations

import math

import pandas as pd

from sparsenn_book.records.words import ten
from sparsenn_book.studies.width_bounds import recorded
from sparsenn_book.studies.width_bounds.claims_of_counts import ENOUGH_SOLVES
from sparsenn_book.studies.width_bounds.claims_of_proofs import PROMISED, distinct
from sparsenn_book.studies.width_bounds.comparison import compared, verdicts
from sparsenn_book.studies.width_bounds.enumeration import CERTIFIED, CONIC
from sparsenn_book.studies.width_bounds.numerical_ranks import ROUNDED, TANH, TOLERANCES
from sparsenn_book.studies.width_bounds.sentences import at_most
from sparsenn_book.studies.width_bounds.thresholds import CUTS, STUDYS_CUT
from sparsenn_core.lasso.batch import BOUNDARY

STUDYS_WIDTHS, STUDYS_PROBLEMS = range(7, 12), 1000  # K of its brute force, and problems for each


def of_solutions(*tables: pd.DataFrame) -> str:
    """How exact the solutions are, and how many are proven unique."""
    drawn = pd.concat(tables)
    rows = distinct(drawn)
    error = rows[["gap", "residual"]].max(axis=1)
    loose = rows[error > PROMISED]
    text = (
        f"Of {len(rows):,} problems the largest relative gap or residual is {ten(error.max(), 1)}, and "
        f"{int(rows['unique'].sum()):,} solutions are proven to be the only one, so that their width is the least. "
        f"For this test ‖Lφₖ‖ counts as 1 above 1 − {at_most(BOUNDARY, 0)[2:]}."
    )
    if len(rows) < len(drawn):
        text += " Problems that are the same in both readings of the rank figure below are counted once."
    if len(loose):
        text += (
            f" The solver promises an error of at most 10⁻¹². In {len(loose)} problems the error is above that. The "
            f"features of these have condition {loose['condition'].min():,.0f} or more, which limits what numbers of "
            "16 digits can certify."
        )
    return text


def readable(figure: str, certified: pd.DataFrame) -> pd.DataFrame:
    """Recorded beside certified counts, as a table for the page; without settings that the study does not have."""
    rows = compared(figure, certified, recorded.solves())
    name = "N" if figure == "dimension" else "r_x"
    if rows.empty:
        return pd.DataFrame(columns=[name, "recorded", "certified"])
    text = pd.DataFrame({name: rows["setting"], "recorded": rows["recorded"], "certified": rows["certified"]})
    text["recorded − certified"] = [_signed(*some) for some in _columns(rows, "excess")]
    text["objectives"] = [
        f"{_signed(*some)} of {whole:.2f}"
        for some, whole in zip(_columns(rows, "cost"), rows["objective"], strict=True)
    ]
    return text.assign(**{"sharper bound": rows["sharp"], "r_Φ r_Ψ": rows["product"]}).set_index(name)


def _columns(rows: pd.DataFrame, name: str) -> list[tuple[float, float, float]]:
    return list(rows[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False, name=None))


def _signed(value: float, low: float, high: float) -> str:
    return f"{value:+.2f} [{low:.2f}, {high:.2f}]"


def of_comparison(figure: str, certified: pd.DataFrame) -> str:
    """Where recorded and certified counts agree to a bar of the study's histogram, and where they do not."""
    rows = compared(figure, certified, recorded.solves())
    head = "Mean ± standard deviation (least–largest); differences of means with 95 % intervals. "
    if not len(rows) or rows["count"].min() < ENOUGH_SOLVES:
        return head + "So few problems are no evidence; nothing is said of the recorded counts."
    alike = int(((rows["cost_low"] <= 0) & (rows["cost_high"] >= 0)).sum())
    within, beyond = verdicts(rows)
    name = "N" if figure == "dimension" else "r<sub>x</sub>"
    text = (
        f"{head}The mean objectives agree within their intervals in {alike} of {len(rows)} settings. The recorded mean "
        f"count is right to within one bar of the study's histogram in {within.sum()} of {len(rows)}"
    )
    if beyond.any():
        off = ", ".join(f"{r['excess']:.1f} neurons at {name} = {r['setting']}" for _, r in rows[beyond].iterrows())
        text += f" and too large by more than that, beyond its 95 % interval, elsewhere: {off}"
    open_ = ", ".join(f"{name} = {s}" for s in rows[~(within | beyond)]["setting"])
    return text + (f"; undecided at {open_}, where the interval holds the width of one bar." if open_ else ".")


def bounds_in_use(random: pd.DataFrame) -> pd.DataFrame:
    """One row for each kind of random problem whose sharper bound is below K: the bound and the largest share used."""
    random = distinct(random)
    some = random[random["sharp"] < random["neurons"]]
    kinds = some.assign(share=some["width"] / some["sharp"]).groupby(["samples", "neurons", "rank", "version"])
    return kinds.agg(sharp=("sharp", "first"), share=("share", "max")).sort_values("sharp")


def of_bounds_in_use(random: pd.DataFrame) -> str:
    """How near the bound random problems come."""
    kinds = bounds_in_use(random)
    if kinds.empty:
        return ""
    reached, last = kinds[kinds["share"] == 1], kinds.iloc[-1]
    text = f"Of {len(kinds)} kinds of random problems that have more neurons than the sharper bound, "
    text += f"{len(reached)} reach it"
    text += f" (where it is {reached['sharp'].max()} or less)" if len(reached) else ""
    return f"{text}; where it is largest, {last['sharp']:.0f}, they use at most {last['share']:.0%} of it."


def of_failures(rank: pd.DataFrame) -> str:
    """The recorded counts that cannot be, and the two readings of D."""
    solves = recorded.solves()
    solves = solves[solves["figure"] == "rank"]
    failed = solves[solves["failed"]]
    titled = rank[rank["version"] == "titled"].groupby("rank")["width"].agg(["mean", "max"])
    means = ", ".join(f"{row['mean']:.2f} ({row['max']:.0f})" for _, row in titled.iterrows())
    return (
        f"{len(failed)} recorded counts are above the bound r<sub>Φ</sub>r<sub>Ψ</sub> itself "
        f"({', '.join(str(c) for c in sorted(failed['active']))}, at r<sub>x</sub> = {failed['rank'].iloc[0]}). They "
        f"stand at the right end of their panel here; the study's figure ends at 120. They enter no mean: the "
        f"study's solver failed, and warned of {int(failed['warned'].sum())} of them. A likely cause is that N = 20 "
        f"equality constraints of rank r<sub>x</sub> are redundant. As titled, with D = 10, the certified mean "
        f"(largest) counts are {means} for r<sub>x</sub> = {', '.join(str(r) for r in titled.index)}."
    )


def cuts(thresholds: pd.DataFrame) -> pd.DataFrame:
    """One row a problem: certified width and counts above each cut."""
    wide = thresholds.pivot(index=["problem", "certified", "above"], columns="cut", values="count")
    wide.columns = [f"above {ten(cut, 0)[2:]}" for cut in wide.columns]
    wide = wide.reset_index(level="above").rename(columns={"above": "objective − optimum"})
    wide["objective − optimum"] = wide["objective − optimum"].map(lambda v: ten(v, 1))
    return wide.reset_index("certified")


def of_thresholds(thresholds: pd.DataFrame) -> str:
    """By how much counts above a cut are off."""
    apart = thresholds.assign(off=thresholds["count"] - thresholds["certified"]).groupby("cut")["off"]
    told = {cut: f"{(off != 0).sum()} of {len(off)} problems ({off.mean():+.2f} on average)" for cut, off in apart}
    text = f"The count is off at the study's 10⁻⁷ in {told[STUDYS_CUT]}, at 10⁻⁴ in {told[CUTS[-1]]}. "
    return text + "A cut below the solver's tolerance counts its errors as neurons, one above can lose small neurons."


def of_brute_force(small: pd.DataFrame, searches: pd.DataFrame) -> str:
    """Whether enumeration agrees, and what the study's search would cost."""
    agree = int((searches["width"] == searches["certified"]).sum())
    ours, conic = (searches[searches["by"] == by] for by in (CERTIFIED, CONIC))
    loose = int((ours["width_loose"] < ours["certified"]).sum())
    per_set = conic["seconds"].sum() / conic["sets"].sum()
    sets = sum(math.comb(k, s) for k in STUDYS_WIDTHS for s in range(3, k + 1)) * STUDYS_PROBLEMS
    return (
        f"Of {len(small):,} solutions none uses more than {small['width'].max()} neurons; the sharper bound is "
        f"{small['sharp'].iloc[0]}, the product {small['product'].iloc[0]}. Trying all sets agrees in {agree} of "
        f"{len(searches)} searches ({searches['sets'].sum():,} sets; objectives differ by at most "
        f"{at_most(searches['difference'].max())}). The study's tolerance of 10⁻⁶ in the objective, which also accepts "
        f"slightly worse sets, would give a smaller width for {loose} of {len(ours)}. At the {1e3 * per_set:.0f} ms a "
        f"set that the study's formulation takes here, all {sets:,} sets of its problems would last "
        f"{sets * per_set / 3600:.0f} hours."
    )


def boundary_table(boundary: pd.DataFrame) -> pd.DataFrame:
    """The largest values over the draws of each pair of ranks, as a table for the page."""
    names = {"rank_targets": "r_Ψ", "rank_features": "r_Φ", "neurons": "K", "before": "before", "span": "atoms span"}
    names |= {"after": "after", "sharp": "sharper bound", "product": "r_Φ r_Ψ"}
    return boundary[list(names)].rename(columns=names).groupby(["r_Ψ", "r_Φ"]).max()


def of_boundary(boundary: pd.DataFrame) -> str:
    """Whether thinned solutions end on the bound."""
    hit = int((boundary["after"] == boundary["sharp"]).sum())
    return (
        f"{hit} of {len(boundary)} problems end exactly on the sharper bound, from up to {boundary['before'].max()} "
        f"neurons. The objective moves by at most {at_most(boundary['moved'].max())} of itself, the outputs by "
        f"{at_most(boundary['residual'].max())}."
    )


def rank_table(ranks: pd.DataFrame) -> pd.DataFrame:
    """Both ranks and the bound for each matrix and tolerance."""
    text = [f"{p}, {q} → {s}" for p, q, s in ranks[["r_Phi", "r_Psi", "sharp"]].to_numpy()]
    rows = ranks.assign(text=text, tolerance=[ten(t, 0)[2:] for t in ranks["rtol"]])
    return rows.pivot_table(index=["matrix", "K"], columns="tolerance", values="text", aggfunc="first", sort=False)


def of_ranks(ranks: pd.DataFrame) -> str:
    """How much the bound depends on the tolerance."""
    bound = ranks.set_index(["matrix", "rtol"])["sharp"]
    fine, coarse = min(TOLERANCES), max(TOLERANCES)
    return (
        "Entries are r<sub>Φ</sub>, r<sub>Ψ</sub> → sharper bound. Rounding to float32 turns the bound of the rank-5 "
        f"problem from {bound[ROUNDED, coarse]} at {ten(coarse, 0)[2:]} into {bound[ROUNDED, fine]} at "
        f"{ten(fine, 0)[2:]}; for the tanh neurons it grows from {bound[TANH, coarse]} to {bound[TANH, fine]}. A bound "
        "without its tolerance says little; the solver here uses 10⁻¹⁰ of the largest singular value."
    )
