"""Small image data sets by name: from a folder, from OpenML, or a line that says how to get them.

`digits` comes with scikit-learn and needs nothing. The others are looked for in `<folder>/<name>/`, where the folder is
what the environment variable SPARSENN_DATA names, else `~/.cache/sparsenn`; then they are asked of OpenML, which keeps
its downloads in that folder too. Files are taken only if their MD5 is the published one (OpenML's own is checked by
scikit-learn). Nothing is replaced silently by something else.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sparsenn_core.errors import InputError, unknown
from sparsenn_core.randomness import generator

__all__ = ["NAMES", "VARIABLE", "Images", "load"]

VARIABLE = "SPARSENN_DATA"
"""The environment variable that names the data folder."""

_FILES = {
    "train_x": "train-images-idx3-ubyte.gz",
    "train_y": "train-labels-idx1-ubyte.gz",
    "test_x": "t10k-images-idx3-ubyte.gz",
    "test_y": "t10k-labels-idx1-ubyte.gz",
}
_MD5: dict[str, dict[str, str]] = {
    "mnist": {
        "train_x": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train_y": "d53e105ee54ea40749a09fcbcd1e9432",
        "test_x": "9fb629c4189551a2d022fa330f9573f3",
        "test_y": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    "fashion-mnist": {
        "train_x": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train_y": "25c81989df183df01b3e8a0aad5dffbe",
        "test_x": "bef4ecab320f06d8554ea6380940ec79",
        "test_y": "bb300cfdad3c16e7a12a480ee83cd310",
    },
}


@dataclass(frozen=True)
class _OpenML:
    """A data set of OpenML: its name there, version 1, the shape of an image and the number of training images."""

    name: str
    shape: tuple[int, int, int]
    train: int
    official: bool


# Of MNIST's order it is known that the first 60,000 are the training images; of the others it is not.
_OPENML = {
    "mnist": _OpenML("mnist_784", (1, 28, 28), 60000, True),
    "fashion-mnist": _OpenML("Fashion-MNIST", (1, 28, 28), 60000, False),
    "svhn": _OpenML("SVHN", (3, 32, 32), 73257, False),
}
NAMES = ("digits", *_OPENML)
"""The data sets that `load` knows."""


@dataclass(frozen=True)
class Images:
    """Images as float32 between 0 and 1 with their classes.

    train_x [n, channels, height, width], train_y [n], test_x and test_y the same; `official` says whether the split
    into training and test images is the published one, `origin` where they come from.
    """

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    official: bool
    origin: str


def load(name: str, root: str | Path | None = None) -> Images:
    """The images called `name`, one of `NAMES`; `root` is the data folder, by default the one described above.

    `InputError` for another name, for a file whose MD5 is not the published one, and where a data set is neither in the
    folder nor to be had from OpenML: it says how to get it. Memory: 190 MB for the 60,000 of MNIST.
    """
    if name == "digits":
        return _digits()
    if name not in _OPENML:
        raise unknown("data set", name, NAMES)
    folder = Path(root or os.environ.get(VARIABLE) or Path.home() / ".cache" / "sparsenn")
    here = folder / name
    if name in _MD5 and all((here / file).is_file() for file in _FILES.values()):
        return _of_files(here, _MD5[name])
    return _of_openml(name, folder)


def _digits() -> Images:
    """1,437 training and 360 test images of 8x8, in an order drawn once: they come writer by writer."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = torch.randperm(len(bunch.target), generator=generator(0, "digits"))
    x = torch.tensor(bunch.images, dtype=torch.float32)[order, None] / 16
    y = torch.tensor(bunch.target)[order]
    return Images(x[:1437], y[:1437], x[1437:], y[1437:], False, "scikit-learn's digits")


def _of_files(folder: Path, known: Mapping[str, str]) -> Images:
    parts = {part: _idx(folder / file, known[part]) for part, file in _FILES.items()}
    pictures = {part: torch.from_numpy(parts[part]).float().div_(255)[:, None] for part in ("train_x", "test_x")}
    labels = {part: torch.from_numpy(parts[part]).long() for part in ("train_y", "test_y")}
    return Images(**pictures, **labels, official=True, origin="the published files")


def _idx(path: Path, md5: str) -> np.ndarray:
    """The array in a gzipped file of LeCun's IDX format, bytes only; refused if the file is not the known one."""
    raw = path.read_bytes()
    found = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    if found != md5:
        raise InputError(f"{path}: MD5 is {found}, not {md5}: the file is harmed or another; fetch it again")
    data = gzip.decompress(raw)
    axes = data[3]
    shape = np.frombuffer(data, dtype=">u4", count=axes, offset=4).astype(int)
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape).copy()


def _of_openml(name: str, folder: Path) -> Images:
    from sklearn.datasets import fetch_openml

    there = _OPENML[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of retries; what fails in the end is said below
            bunch = fetch_openml(
                name=there.name, version=1, data_home=folder, as_frame=False, parser="liac-arff", n_retries=1, delay=0.1
            )
    except Exception as error:
        files = f", or put its four -ubyte.gz files into {folder / name}" if name in _MD5 else ""
        raise InputError(
            f"data set {name!r} is not in {folder} and OpenML did not give it ({type(error).__name__}): "
            f"go online{files}, or name the folder that has it in {VARIABLE}; 'digits' needs no network"
        ) from error
    x = torch.from_numpy(np.asarray(bunch.data, dtype=np.float32)).div_(255).reshape(-1, *there.shape)
    y = torch.from_numpy(np.asarray(bunch.target).astype(int)).long()
    n = there.train
    return Images(x[:n], y[:n], x[n:], y[n:], there.official, f"OpenML, {there.name} version 1")
