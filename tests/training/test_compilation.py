"""Compiled steps are compared with eager ones before they are believed."""

import pytest
import torch
from small_fit import SEEDS, data, ensemble

from sparsenn_core import fit, penalties
from sparsenn_core.training import SGD, Adam, compilation

SETTINGS = {"epochs": 4, "batch_size": 20, "order": SEEDS, "penalty": penalties.L1(1e-3)}


def trained(compiled, optimizer=None):
    return fit(ensemble(), data(), optimizer=optimizer or SGD(0.02, momentum=0.9), compiled=compiled, **SETTINGS)


def assert_eager(result):
    for k, w in trained(False).ensemble.params.items():
        assert torch.equal(result.ensemble.params[k], w)


@pytest.mark.parametrize("optimizer", [SGD(0.02, momentum=0.9), Adam(0.01)], ids=["sgd", "adam"])
def test_compiled_equals_eager(optimizer):
    eager, compiled = trained(False, optimizer), trained(True, optimizer)
    assert compiled.compiled
    assert not eager.compiled
    for k, w in eager.ensemble.params.items():
        torch.testing.assert_close(compiled.ensemble.params[k], w, rtol=0, atol=1e-12)


def lost_update(function, **options):
    """What a cache made for another processor did: the step runs, and weights stay where they were."""

    def step(params, buffers, state, total, *rest):
        total += 0.1

    return step


def wrong_momentum(function, **options):
    def step(params, *rest):
        before = {k: w.clone() for k, w in params.items()}
        function(params, *rest)
        for k, w in params.items():
            w.copy_(before[k] + 1.1 * (w - before[k]))

    return step


def broken(function, **options):
    def step(*arguments):
        raise KeyError("a bug\nin fifty lines")

    return step


@pytest.mark.parametrize(
    ("compiler", "message"),
    [(lost_update, "does something else"), (wrong_momentum, "does something else"), (broken, "KeyError: 'a bug")],
)
def test_a_compiler_that_errs_never_reaches_a_result(monkeypatch, compiler, message):
    monkeypatch.setattr(torch, "compile", compiler)
    with pytest.warns(UserWarning, match=message) as caught:
        result = trained(True)
    assert len(caught) == 1  # said once
    assert "\n" not in str(caught[0].message)
    assert_eager(result)


def test_without_a_compiler_it_says_so_and_gives_the_same(monkeypatch):
    monkeypatch.setattr(compilation, "compiler_present", lambda: False)
    with pytest.warns(UserWarning, match=r"there is no C\+\+ compiler"):
        assert_eager(trained(True))


def test_the_compilers_cache_is_one_for_each_instruction_set(monkeypatch, tmp_path):
    import os

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    folders = []
    for capability in ("AVX512", "AVX2", "NO AVX"):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda found=capability: found)
        with compilation.own_cache():
            folders.append(os.environ["TORCHINDUCTOR_CACHE_DIR"])
    assert len(set(folders)) == 3
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path)


@pytest.mark.parametrize(
    ("steps", "weights", "wanted", "found"),
    [(10, 7, True, True), (10**9, 7, False, False), (10**6, 7, None, True), (10**4, 7, None, False),
     (10**6, 10**5, None, False)],
)  # fmt: skip
def test_only_very_long_fits_of_very_small_networks_are_compiled_by_themselves(steps, weights, wanted, found):
    assert compilation.worth_compiling(steps, weights, wanted) == found
