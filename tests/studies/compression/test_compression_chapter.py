"""The networks and the loop of the study of compression; the chapter's tables, claims, figures and sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from sparsenn_book.studies.compression import comparison, figures, lessons, measures, networks, sentences, study
from sparsenn_book.studies.compression.claims import claims
from sparsenn_book.studies.compression.reference import adam_with_shrinkage, stored_outputs
from sparsenn_book.studies.compression.settings import (
    ComparisonSettings,
    DescentSettings,
    NetworkSettings,
    WholeSettings,
)
from sparsenn_book.studies.compression.training import task_of, trained
from sparsenn_core.compression import StrengthPath, layer_problem, restricted, samples, score
from sparsenn_core.errors import InputError
from sparsenn_core.networks import Feed, feed, feeds
from sparsenn_core.randomness import generator

pytestmark = pytest.mark.acceptance

FEW = {"tasks": ("digits", "digits_cnn"), "runs": 2, "hidden": 20, "epochs": 3, "fashion_samples": 100, "seed": 11}
SHARES = (0.1, 0.2, 0.4)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """All tables of the chapter, as small as they may be."""
    found = comparison.compared(ComparisonSettings(**FEW, shares=SHARES, path_strengths=3))
    found["descents"] = study.descents(
        DescentSettings(**FEW, study_strengths=(0.1, 0.01), study_iterations=(100, 3000), study_rate=0.03)
    )
    found["faults"] = study.faults(0)
    return found | study.whole(WholeSettings(**{**FEW, "tasks": ("digits",)}, tolerance=0.5, whole_runs=1))


def test_the_studys_networks_have_the_published_shapes() -> None:
    with torch.device("meta"):
        vgg, alexnet = networks.vgg19(), networks.alexnet()
    # 16 convolutions of 3 x 3 with biases and batch norms, and the classifier
    convolutions = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), *[(256, 256)] * 3, (256, 512)]
    convolutions += [(512, 512)] * 7
    expected = sum(9 * i * o + o + 2 * o for i, o in convolutions) + 2 * (512 * 512 + 512) + 512 * 10 + 10
    assert sum(p.numel() for p in vgg.parameters()) == expected
    assert vgg(torch.zeros(2, 3, 32, 32, device="meta")).shape == (2, 10)
    assert alexnet(torch.zeros(2, 3, 64, 64, device="meta")).shape == (2, 10)
    found = {name: one for name, one in feeds(alexnet).items() if isinstance(one, Feed)}
    assert found["classifier.1"] == Feed("classifier.1", "features.10", (), 256, 36)
    assert (found["classifier.4"].units, found["classifier.6"].units) == (4096, 4096)
    assert feed(vgg, "classifier.6") == Feed("classifier.6", "classifier.4", (), 512, 1)


def test_checkpoints_of_the_study_are_read_as_tensors_only(tmp_path: Path) -> None:
    model = networks.small_alexnet(8, 10)
    path = tmp_path / "net.t7"
    torch.save({"net": {f"module.{k}": v + 1 for k, v in model.state_dict().items()}, "acc": 93.5}, path)
    again = networks.load_checkpoint(networks.small_alexnet(8, 10), path)
    assert torch.equal(again.fc1.weight, model.fc1.weight + 1)
    assert not again.training
    torch.save(model, path)  # a pickled module could run anything
    with pytest.raises(InputError, match="no file of plain tensors"):
        networks.load_checkpoint(model, path)
    torch.save({"net": {"x": torch.zeros(1)}}, path)
    with pytest.raises(InputError, match="does not fit") as refused:
        networks.load_checkpoint(model, path)
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="no such file"):
        networks.load_checkpoint(model, tmp_path / "none")


def test_the_recipe_trains_on_crops_and_repeats() -> None:
    x = torch.rand(6, 3, 32, 32, generator=generator(0, "x"))
    y = torch.arange(6) % 10

    def small() -> nn.Module:
        torch.nn.init.zeros_((net := nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(48, 10)))[2].weight)
        torch.nn.init.zeros_(net[2].bias)
        return net

    first, again, other = (networks.train_alexnet_(small(), x, y, epochs=2, seed=s) for s in (1, 1, 2))
    assert torch.equal(first[2].weight, again[2].weight)
    assert not torch.equal(first[2].weight, other[2].weight)
    assert not first.training


def test_the_studys_loop_in_gram_form_is_the_loop_on_the_data() -> None:
    model = nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 3)).double().eval()
    source = generator(0, "net")
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(generator=source)
    x = torch.randn(80, 5, generator=source, dtype=torch.float64)
    data, _ = samples((x, x), (x, x), model)
    problem = layer_problem(model, model, feed(model, "2"), data, progress=False)
    rows = adam_with_shrinkage(problem, 0.2, 0.05, (1, 5, 40), seed=3)
    phi, psi = model[:2](x).detach(), model(x).detach() - model[2].bias.detach()
    weight = torch.empty(3, 12, dtype=torch.float64)
    weight.uniform_(-(12**-0.5), 12**-0.5, generator=generator(3, "compression", "study")).requires_grad_()
    optimizer = torch.optim.Adam([weight], lr=0.05)
    for iteration in range(1, 41):
        optimizer.zero_grad()
        nn.functional.mse_loss(phi @ weight.T, psi).backward()
        optimizer.step()
        with torch.no_grad():
            for k in range(12):
                norm = weight[:, k].norm()
                weight[:, k] *= max(0.0, 1 - 0.05 * 0.2 / (float(norm) + 1e-8))
            objective = nn.functional.mse_loss(phi @ weight.T, psi) + 0.2 * weight.norm(dim=0).sum()
        found = rows[rows["iteration"] == iteration]
        if len(found):
            np.testing.assert_allclose(found["objective"], objective.item(), rtol=1e-8)


def test_the_studys_hook_stores_what_the_relu_wrote() -> None:
    model = nn.Sequential(nn.Linear(3, 50), nn.ReLU(inplace=True), nn.Linear(50, 2))
    x = torch.randn(20, 3, generator=generator(0, "x"))
    assert stored_outputs(model, "0", x).min() == 0
    assert model[0](x).min() < 0
    assert not model[0]._forward_hooks


def test_scores_from_the_part_behind_are_those_of_the_whole_network() -> None:
    data = trained("digits_cnn", NetworkSettings(**FEW))
    network = data.networks[0]
    _, test = samples(data.train, data.test, network)
    whole = score(network, test, nn.functional.cross_entropy)
    for layer in comparison.layers_of(network, data):
        found = layer.score(restricted(layer.problem, np.arange(layer.problem.neurons)))
        np.testing.assert_allclose(found.loss, whole.loss, rtol=1e-5)
        assert found.accuracy == whole.accuracy


def test_networks_differ_by_run_and_repeat() -> None:
    settings = NetworkSettings(**FEW)
    two = trained("digits", settings).networks
    again = trained("digits", NetworkSettings(**{**FEW, "runs": 3})).networks
    torch.testing.assert_close(two[1].fc2.weight, again[1].fc2.weight)
    assert not torch.allclose(two[0].fc2.weight, two[1].fc2.weight)
    with pytest.raises(InputError, match="unknown task 'digit'; did you mean 'digits'"):
        task_of("digit")


def test_every_way_stands_at_every_width_in_every_layer(tables: dict[str, pd.DataFrame]) -> None:
    ways = tables["ways"]
    assert set(ways["layer"]) == {"conv2", "conv3", "fc1", "fc2", "fc3"}
    counts = ways.groupby(["task", "layer", "share", "refit"]).size()
    assert (counts == 2 * len(comparison.METHODS)).all()
    ordered = ways[ways["method"] != comparison.LASSO]
    assert (ordered["width"] == (ordered["share"] * ordered["neurons"]).round().clip(lower=1)).all()
    assert (ways["width"] <= (ways["share"] * ways["neurons"]).round().clip(lower=1)).all()
    pairs = ways.pivot_table(index=["task", "run", "layer", "share", "method"], columns="refit", values="error")
    assert (pairs[True] <= pairs[False] * (1 + 1e-9)).all()
    assert (ways[ways["method"] == comparison.LASSO]["common"] == 1).all()
    assert tables["path"]["gap"].abs().max() < 1e-6
    kept = tables["neurons"].groupby(["task", "layer"])["kept"].sum()
    assert kept["digits", "fc3"] == 2


def test_a_path_that_is_remembered_is_the_path(tables: dict[str, pd.DataFrame]) -> None:
    data = trained("digits", NetworkSettings(**FEW))
    problem = comparison.layers_of(data.networks[0], data)[-1].problem
    path = comparison.Remembered(StrengthPath(problem))
    first = [next(iter(path)).width, *(one.width for one in path)]
    assert first[1:] == [one.width for one in path] == [one.width for one in StrengthPath(problem)]


def test_the_optimum_is_below_whatever_the_studys_loop_reaches(tables: dict[str, pd.DataFrame]) -> None:
    rows = tables["descents"]
    assert (rows["objective"] >= rows["optimum"]).all()
    assert len(rows) == 2 * 2 * 2


def test_whole_networks_are_smaller_and_judged_on_other_images(tables: dict[str, pd.DataFrame]) -> None:
    sizes = tables["sizes"]
    assert (measures.ratios(sizes, "parameters") < 1).all()
    assert (measures.ratios(sizes, "bytes") < 1).all()
    assert sizes["difference"].max() < 1e-5


def test_claims_are_computed_and_pass_through_their_verdicts(tables: dict[str, pd.DataFrame]) -> None:
    found = {claim.key: claim for claim in claims(tables)}
    assert len(found) == 13
    assert found["compression.removed"].verdict("full") == "stated here"
    assert found["compression.certified"].verdict("full") == "stated here"
    assert found["compression.hook"].verdict("full") == "stated here"
    # two networks are no evidence for what is said of networks in general
    for key in ("refit", "gain", "alike", "kept", "rises", "minimised"):
        assert found[f"compression.{key}"].verdict("full") == "not tested at this profile"


def test_a_claim_falls_when_its_table_says_otherwise(tables: dict[str, pd.DataFrame]) -> None:
    ways, many = tables["ways"], []
    for run in range(6):  # the same network six times, so that spread is none
        many.append(ways[ways["run"] == 0].assign(run=run))
    changed = pd.concat(many)
    random = (changed["method"] == comparison.RANDOM) & changed["refit"]
    whole = tables["networks"][tables["networks"]["run"] == 0]
    whole = pd.concat([whole.assign(run=run) for run in range(6)])
    verdicts = []
    for accuracy in (0.0, 1.0):
        changed.loc[random, "accuracy"] = accuracy
        found = {claim.key: claim for claim in claims({**tables, "ways": changed, "networks": whole})}
        verdicts.append(found["compression.refit"].verdict("full"))
    assert verdicts == ["refuted", "stated here"]


@pytest.mark.parametrize("task", ["digits", "digits_cnn"])
def test_figures_draw_every_layer_and_method(tables: dict[str, pd.DataFrame], task: str) -> None:
    ways, whole = tables["ways"], tables["networks"]
    for column in ("loss", "accuracy", "error"):
        fig = figures.against_width(ways, whole, task, column)
        shown = {trace.name for trace in fig.data if trace.showlegend is not False}
        assert shown == set(comparison.METHODS)
        layers = ways[ways["task"] == task]["layer"].nunique()
        assert len(fig.data) == layers * (len(comparison.METHODS) + 1)
    for fig in (
        figures.refit(ways, whole, task, "fc3"),
        figures.path(tables["path"], task),
        figures.removed(tables["neurons"], task, "fc3"),
        figures.descents(tables["descents"]),
    ):
        assert fig.layout.meta["alt"]
        assert len(fig.data) >= 2


def test_sentences_and_lessons_are_said_from_tables(tables: dict[str, pd.DataFrame]) -> None:
    ways, layers = tables["ways"], tables["layers"]
    assert "797" in sentences.recorded()
    assert "4896" in sentences.recorded()
    said = [
        sentences.networks(tables["networks"]),
        sentences.refit(ways, "digits", "fc3"),
        sentences.ways(ways, "digits"),
        sentences.path(tables["path"], "digits_cnn"),
        sentences.removed(tables["neurons"], layers, ways, "digits", "fc3"),
        sentences.bounds(layers),
        sentences.descents(tables["descents"]),
        sentences.faults(tables["faults"]),
        sentences.whole(tables["sizes"], tables["kept"]),
        sentences.real(tables["sizes"], 0.5),
        lessons.learned((tables, "here")),
        lessons.answer((tables, "here")),
    ]
    assert not [text for text in said if "nan" in text.lower().replace("finance", "")]
    assert "reports no finding" in lessons.learned(None)
    assert lessons.answer(None).startswith("Open")
    assert sentences.last(layers, "digits") == "fc3"
