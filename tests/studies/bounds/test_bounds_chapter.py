"""The chapter on bounds: its tables mean what they say, its claims can fail, its sentences and pictures hold."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
import torch
from scipy.stats import kendalltau
from torch import nn

from sparsenn_book.studies import bounds as study
from sparsenn_book.studies.bounds.correlation import _noisy
from sparsenn_book.studies.bounds.networks import conv_net
from sparsenn_book.studies.bounds.schedules import SCHEDULES, schedule
from sparsenn_book.studies.bounds.selected import REFINED, STUDY
from sparsenn_core.errors import InputError
from sparsenn_core.networks import reading
from sparsenn_core.randomness import generator

Tables = dict[str, pd.DataFrame]


def test_networks_have_weight_norm_with_one_length_a_kernel_and_no_bias() -> None:
    network = conv_net(3, 5, (1, 8, 8), 10, generator(1, "net"))
    plain = conv_net(3, 5, (1, 8, 8), 10, generator(1, "net"), normed=False)
    read = reading(network, torch.zeros(1, 1, 8, 8))
    assert [layer.kind for layer in read.layers] == ["conv"] * 3 + ["linear"]
    assert all(layer.bias is None for layer in read.layers)
    for one, two in zip(read.layers, reading(plain, torch.zeros(1, 1, 8, 8)).layers, strict=True):
        torch.testing.assert_close(one.weight, two.weight)
    lengths = [p for name, p in network.named_parameters() if name.endswith("original0")]
    assert [p.numel() for p in lengths] == [1, 1, 1]
    assert float(lengths[1].detach()) == pytest.approx(float(read.layers[1].weight.norm()))


def test_weight_norm_gives_the_gradients_of_pytorchs() -> None:
    ours = conv_net(1, 3, (1, 8, 8), 10, generator(1, "net"))
    theirs = conv_net(1, 3, (1, 8, 8), 10, generator(1, "net"), normed=False)
    nn.utils.parametrizations.weight_norm(theirs[0], dim=None)
    x = torch.randn(4, 1, 8, 8, generator=generator(1, "x"))
    for network in (ours, theirs):
        network(x).square().sum().backward()
    for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert one.grad is not None
        assert two.grad is not None
        torch.testing.assert_close(one.grad.flatten(), two.grad.flatten(), rtol=1e-4, atol=1e-4)


def test_schedules_step_where_pytorchs_do() -> None:
    for how in SCHEDULES.values():
        parameter = nn.Parameter(torch.zeros(1))
        optimizer = torch.optim.SGD([parameter], lr=how.learning_rate)
        theirs = torch.optim.lr_scheduler.MultiStepLR(optimizer, list(how.steps.milestones), how.steps.decay)
        for epoch in range(1, 400):
            assert how.learning_rate * how.steps(epoch) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
            optimizer.step()
            theirs.step()
    with pytest.raises(InputError, match="did you mean 'readme'"):
        schedule("readmee")


def test_a_share_of_labels_is_changed_to_other_classes() -> None:
    y = torch.arange(10).repeat(500)
    changed = _noisy(y, 0.3, 5)
    assert 0.27 < float((changed != y).double().mean()) < 0.33
    assert changed.unique().tolist() == list(range(10))
    assert torch.equal(_noisy(y, 0.0, 5), y)


def test_what_is_followed_is_every_network_at_every_look(tables: Tables, settings: study.StudySettings) -> None:
    places = len(settings.schedules) * len(settings.depths) * len(settings.widths)
    assert len(tables["errors"]) == places * 3
    assert tables["errors"]["gap"].equals(tables["errors"]["test_error"] - tables["errors"]["train_error"])
    assert (tables["bounds"].groupby(["schedule", "depth", "width", "epoch"]).size() == 18).all()
    assert len(tables["margins"]) == places * 11
    # before training both schedules have the same network
    first = tables["bounds"][tables["bounds"]["epoch"] == 0].set_index(["depth", "width", "bound"])["log10"]
    readme, code = (first[tables["bounds"].loc[tables["bounds"]["epoch"] == 0, "schedule"].to_numpy() == s]
                    for s in ("readme", "code"))  # fmt: skip
    assert readme.dropna().equals(code.dropna())


def test_networks_of_all_depths_see_some_of_the_test(tables: Tables) -> None:
    errors = tables["deep_errors"]
    assert errors.groupby(["depth", "width"])["epoch"].unique().map(list).tolist() == [[0, 1, 2]] * 6
    share = errors["test_error"] * 50  # whole images of the fifty
    assert (share - share.round()).abs().max() < 1e-9
    held_out = tables["deep_bounds"].query("bound == 'held-out samples'")
    assert (held_out["citation"].str.len() > 0).all()
    with pytest.raises(
        InputError, match=r"depth 8: so many convolutions of 2x2 leave nothing of 8x8 images; at most 7"
    ):
        conv_net(8, 4, (1, 8, 8), 10, generator(1, "net"))


def test_tau_over_all_is_scipys_and_over_one_axis_counts_pairs(tables: Tables) -> None:
    grid, found = tables["grid"], tables["correlations"].set_index(["bound", "axis"])
    part = grid[grid["bound"] == REFINED]
    assert found.loc[(REFINED, "all"), "tau"] == pytest.approx(kendalltau(part["log10"], part["gap"]).statistic)
    agree = []
    for one, two in itertools.combinations(part.to_dict("records"), 2):
        if [name for name in study.correlation.AXES if one[name] != two[name]] == ["n"]:
            agree.append(math.copysign(1, (one["log10"] - two["log10"]) * (one["gap"] - two["gap"])))
    assert found.loc[(REFINED, "n"), "pairs"] == len(agree) == 8
    assert found.loc[(REFINED, "n"), "tau"] == pytest.approx(sum(agree) / 8)
    assert math.isnan(found.loc[(REFINED, "depth"), "tau"])


def test_claims_are_stated_of_any_tables_and_not_tested_at_smoke(tables: Tables, settings: study.StudySettings) -> None:
    claims = study.claims(tables, settings)
    assert len({claim.key for claim in claims}) == len(claims)
    assert {claim.verdict("smoke") for claim in claims} == {"not tested at this profile"}
    assert [claim.key for claim in claims if claim.headline] == ["bounds.formula-own", "bounds.vacuous"]


def verdict(key: str, tables: Tables, settings: study.StudySettings) -> str:
    return {claim.key: claim.verdict("laptop") for claim in study.claims(tables, settings)}[f"bounds.{key}"]


def changed(tables: Tables, name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Tables:
    return tables | {name: change(tables[name].copy())}


def test_the_formula_is_corrected_and_would_be_reproduced(tables: Tables, settings: study.StudySettings) -> None:
    enough = changed(tables, "counterexamples", lambda t: t.assign(draws=20))
    found = enough["counterexamples"]
    sure = found.assign(low=found["lower"] * 0.99, high=found["lower"] * 1.01)
    for key in ("head", "classes", "own"):
        assert verdict(f"formula-{key}", enough | {"counterexamples": sure}, settings) == "corrected"
        held = sure.assign(upper=10 * sure["high"])
        assert verdict(f"formula-{key}", enough | {"counterexamples": held}, settings) == "reproduced"
    assert verdict("corrected-search", enough | {"counterexamples": sure}, settings) == "stated here"
    broken = sure.assign(high=sure["high"].where(sure["bound"] != REFINED, sure["upper"] * 1.1))
    assert verdict("corrected-search", enough | {"counterexamples": broken}, settings) == "refuted"


@pytest.mark.parametrize(
    ("key", "name", "change"),
    [
        ("certificates-hold", "grid", lambda t: t.assign(total=0.5 * t["test_error"])),
        ("deep-hold", "deep_errors", lambda t: t.assign(test_error=1e9)),
        ("deep-vacuous", "deep_bounds", lambda t: t.assign(total=t["total"] * 1e-9 + 0.5)),
        ("vacuous", "grid", lambda t: t.assign(total=t["total"] * 1e-6 + 0.5)),
        ("depth", "growth", lambda t: t.assign(log10=1.0)),
        ("width", "growth", lambda t: t.assign(log10=t["log10"] + t["at"] / 100)),
        ("rescaling", "rescaled", lambda t: t.assign(after=t["after"] + 1)),
        ("corrected-slack", "slack", lambda t: t.assign(upper=100 * t["lower"])),
        ("posterior-initial", "posteriors", lambda t: t.assign(total=0.95)),
    ],
)
def test_a_claim_fails_where_its_tables_say_so(
    key: str,
    name: str,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    tables: Tables,
    settings: study.StudySettings,
) -> None:
    # enough of everything, so that counts decide nothing
    enough = changed(tables, "posteriors", lambda t: t.assign(n=1000, total=0.5))
    enough = changed(enough, "slack", lambda t: pd.concat([t, t.assign(n=64)]))
    assert verdict(key, enough, settings) == "stated here"
    assert verdict(key, changed(enough, name, change), settings) == "refuted"


def test_the_recorded_end_is_compared_only_with_the_studys_images_and_widths(
    tables: Tables, settings: study.StudySettings
) -> None:
    assert verdict("recorded-end", tables, settings) == "not tested at this profile"
    whole = replace(settings, dataset="fashion-mnist", samples=60000, epochs=500)
    wide = changed(tables, "bounds", lambda t: t.assign(width=t["width"].map({2: 200, 4: 600}), log10=0.15))
    assert verdict("recorded-end", wide, whole) == "reproduced"
    assert verdict("recorded-end", wide, replace(whole, epochs=60)) == "not tested at this profile"
    assert verdict("recorded-end", changed(wide, "bounds", lambda t: t.assign(log10=2.0)), whole) == "refuted"


def test_pictures_show_what_their_tables_hold(tables: Tables) -> None:
    f = study.figures
    made = [
        f.all_bounds(tables["bounds"]), f.training(tables["bounds"], tables["errors"]),
        f.counterexamples(tables["counterexamples"]), f.slack(tables["slack"]), f.growth(tables["growth"]),
        f.correlations(tables["correlations"]), f.depths(tables["deep_bounds"], tables["deep_errors"]),
    ]  # fmt: skip
    assert all(len(fig.layout.meta["alt"]) > 40 for fig in made)
    drawn = {name for trace in made[0].data for name in trace.y}
    assert {STUDY, REFINED, "held-out samples"} <= drawn
    assert "PAC-Bayes, optimised" not in drawn  # without a number
    assert "recorded" not in [trace.name for trace in made[0].data]
    ratios = next(trace for trace in made[2].data if trace.name == STUDY)
    assert min(ratios.x) > 1


def test_sentences_are_of_the_tables(tables: Tables, deep: study.DeepSettings) -> None:
    s = study.sentences
    said = [
        s.all_bounds(tables["bounds"], tables["errors"]), s.margins(tables["margins"]), s.training(tables["bounds"]),
        s.counterexamples(tables["counterexamples"]), s.slack(tables["slack"]), s.growth(tables["growth"]),
        s.rescaling(tables["rescaled"]), s.correlation(tables["correlations"], tables["grid"]),
        s.posterior(tables["posteriors"]), s.depths(tables["deep_bounds"], tables["deep_errors"], deep),
    ]  # fmt: skip
    assert "These are 6 networks on 60 images of digits, with 2 and 3 channels and 2 epochs" in said[9]
    assert not [text for text in said if "nan" in text.lower().split()]
    assert "Of 16 bounds and measures 2 change: Bartlett et al., for all norms and Long and Sedghi, shape." in said[6]
    assert "Over 16 networks" in said[7]
    end = tables["errors"][(tables["errors"]["epoch"] == 2) & (tables["errors"]["width"] == 4)].iloc[0]
    assert f"test error {end['test_error']:.1%}" in said[0]


def test_what_was_learned_says_at_which_scale(tables: Tables) -> None:
    text = study.learned.learned({}, tables, "laptop")
    assert text.startswith("No tables of full scale are kept, so this is from this page's own, profile laptop:")
    assert text.count("\n- **") == 6
    assert study.learned.learned(tables, {}, "laptop").startswith("At full scale")
    assert study.learned.learned({}, tables, "full").startswith("At full scale:")
    assert "too little to learn from" in study.learned.learned({}, tables, "smoke")


def test_sizes_are_said_as_one_reads_them() -> None:
    assert [study.sentences.size(v) for v in (0.2377, 1900.577, 229310.7)] == ["0.24", "1,901", "2.3·10⁵"]
