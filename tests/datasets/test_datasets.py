"""Data by name: found, checked, or a line that says how to get it."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.datasets
import torch

from sparsenn_core import datasets
from sparsenn_core.errors import InputError


def idx(values: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, values.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in values.shape)
    return gzip.compress(head + values.astype(np.uint8).tobytes(), mtime=0)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a tiny Fashion-MNIST, whose MD5s are made the known ones."""
    (tmp_path / "fashion-mnist").mkdir()
    md5 = {}
    for part, file in datasets._FILES.items():
        values = np.arange(5 * 9).reshape(5, 3, 3) if part.endswith("x") else np.arange(5)
        raw = idx(values)
        (tmp_path / "fashion-mnist" / file).write_bytes(raw)
        md5[part] = hashlib.md5(raw).hexdigest()
    monkeypatch.setitem(datasets._MD5, "fashion-mnist", md5)
    return tmp_path


def test_files_are_read_as_images_and_classes(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = datasets.load("fashion-mnist", small)
    assert images.train_x.shape == (5, 1, 3, 3)
    assert float(images.test_x[1, 0, 2, 1]) == pytest.approx(16 / 255)
    assert images.test_y.tolist() == [0, 1, 2, 3, 4]
    assert images.official
    monkeypatch.setenv(datasets.VARIABLE, str(small))
    assert torch.equal(datasets.load("fashion-mnist").train_x, images.train_x)


def test_a_harmed_file_is_refused(small: Path) -> None:
    path = small / "fashion-mnist" / datasets._FILES["train_y"]
    path.write_bytes(idx(np.arange(5)[::-1]))
    with pytest.raises(InputError, match="MD5 is"):
        datasets.load("fashion-mnist", small)


def test_without_files_and_network_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**_: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", offline)
    for name in ("mnist", "svhn"):
        with pytest.raises(InputError, match="'digits' needs no network") as caught:
            datasets.load(name, tmp_path)
        assert "\n" not in str(caught.value)


def test_what_openml_gives_is_split_and_scaled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Bunch:
        data = np.full((60002, 784), 255)
        target = np.array(["3"] * 60002)

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda **_: Bunch)
    images = datasets.load("fashion-mnist", tmp_path)
    assert (len(images.train_x), len(images.test_x)) == (60000, 2)
    assert not images.official
    assert float(images.train_x.max()) == 1.0
    assert images.test_y.tolist() == [3, 3]


def test_digits_need_nothing_and_are_split_at_random() -> None:
    images = datasets.load("digits")
    assert (tuple(images.train_x.shape), tuple(images.test_x.shape)) == ((1437, 1, 8, 8), (360, 1, 8, 8))
    assert 0 <= float(images.train_x.min()) <= float(images.train_x.max()) == 1
    assert images.test_y.bincount().min() > 20


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'fashion-mnist'"):
        datasets.load("fashion_mnist")
