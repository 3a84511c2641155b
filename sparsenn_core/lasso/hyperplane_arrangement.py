"""The largest ||L relu(Xbar w)|| over all unit vectors w, exactly, for inputs of one or two dimensions.

Xbar [N, d + 1] holds the samples with a 1 appended. The planes xbar_n . w = 0 cut the unit sphere into cells on which
relu(Xbar w) is linear in w, so on a cell the squared norm is a quadratic form Q and a local maximum inside it is a top
eigenvector of Q; otherwise the maximum lies inside an edge, a top eigenvector of Q restricted to the edge's plane, or
at a vertex. Listing all of them, without asking whether they lie where they came from, and evaluating each finds the
maximum, since every candidate is a unit vector. N samples in the plane have at most N^2 - N + 2 cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sparsenn_core.errors import InputError

Array = NDArray[np.float64]
ON_PLANE = 1e-10  # |xbar . w| / ||xbar|| below this counts as zero at a vertex


@dataclass(frozen=True)
class HyperplaneArrangement:
    """normals Xbar [N, d + 1]; activation patterns of cells [C, N]; plane [E] and pattern [E, N] of edges; vertices
    [M, d + 1]. Cells, edges and vertices are those of the planes that are orthogonal to the normals.
    """

    normals: Array
    cells: NDArray[np.bool_]
    edge_plane: NDArray[np.int64]
    edge_pattern: NDArray[np.bool_]
    vertices: Array

    def peaks(self, dual: Array) -> tuple[Array, float]:
        """Unit vectors where ||L relu(Xbar w)|| has local maxima above 1, as rows [M', d + 1], and its global maximum.

        `dual` = L [D, N]. The row of the global maximum is always among them.
        """
        inside = _top_vectors(_forms(self.normals, self.cells, dual))
        forms = _forms(self.normals, self.edge_pattern, dual)
        plane = _complements(self.normals[self.edge_plane])
        along = _top_vectors(plane.swapaxes(1, 2) @ forms @ plane)
        on_edges = (plane @ along[..., None])[..., 0]
        found = np.concatenate([inside, -inside, on_edges, -on_edges, self.vertices])
        values = self.values(found, dual)
        best = int(values.argmax())
        home = np.concatenate(
            [self._at_home(inside), self._at_home(-inside), self._on_edge(on_edges), self._on_edge(-on_edges)]
        )
        local = np.concatenate([home, np.zeros(len(self.vertices), dtype=bool)]) & (values > 1.0)
        local[best] = True
        return found[local], float(values[best])

    def values(self, directions: Array, dual: Array) -> Array:
        """||L relu(Xbar w)|| for each row of `directions` [M, d + 1]."""
        return np.linalg.norm(np.maximum(directions @ self.normals.T, 0.0) @ dual.T, axis=1)

    def _at_home(self, inside: Array) -> NDArray[np.bool_]:
        return ((inside @ self.normals.T > 0) == self.cells).all(1)

    def _on_edge(self, on_edges: Array) -> NDArray[np.bool_]:
        pattern = on_edges @ self.normals.T > 0
        pattern[np.arange(len(pattern)), self.edge_plane] = False
        return (pattern == self.edge_pattern).all(1)


def hyperplane_arrangement(inputs: Array) -> HyperplaneArrangement:
    """Cells, edges and vertices for inputs [1, N] or [2, N]; O(N^3) memory and time for two dimensions."""
    dim, count = inputs.shape
    normals = np.concatenate([inputs.T, np.ones((count, 1))], 1)
    if dim == 1:
        return _circle(normals)
    if dim == 2:
        return _sphere(normals)
    raise InputError(f"inputs have {dim} dimensions; the cells are listed for 1 or 2")


def _circle(normals: Array) -> HyperplaneArrangement:
    """d = 1: vertices are the directions orthogonal to a sample, cells the arcs between them."""
    across = np.stack([-normals[:, 1], normals[:, 0]], 1) / np.linalg.norm(normals, axis=1)[:, None]
    vertices = np.concatenate([across, -across])
    angle = np.sort(np.arctan2(vertices[:, 1], vertices[:, 0]))
    middle = (angle + np.diff(angle, append=angle[0] + 2 * np.pi) / 2)[:, None]
    between = np.hstack([np.cos(middle), np.sin(middle)])
    cells = np.unique(between @ normals.T > 0, axis=0)
    none = np.zeros((0, len(normals)), dtype=bool)
    return HyperplaneArrangement(normals, cells, np.zeros(0, dtype=np.int64), none, vertices)


def _sphere(normals: Array) -> HyperplaneArrangement:
    """d = 2: around each vertex the planes through it cut the tangent plane into sectors (cells) and rays (edges)."""
    unit = normals / np.linalg.norm(normals, axis=1)[:, None]
    vertices = _vertices(unit)
    cells, planes, patterns = [], [], []
    for vertex in vertices:
        height = unit @ vertex
        through = np.flatnonzero(np.abs(height) < ON_PLANE)
        tangent = _complements(vertex[None])[0]
        normal = unit[through] @ tangent
        turn = np.arctan2(normal[:, 1], normal[:, 0])
        rays = np.concatenate([turn + np.pi / 2, turn - np.pi / 2]) % (2 * np.pi)
        order = np.argsort(rays)
        sorted_rays = rays[order]
        middles = sorted_rays + np.diff(sorted_rays, append=sorted_rays[0] + 2 * np.pi) / 2
        cells.append(_patterns(height > 0, through, normal, middles))
        planes.append(np.concatenate([through, through])[order])
        edge = _patterns(height > 0, through, normal, sorted_rays)
        edge[np.arange(len(edge)), planes[-1]] = False
        patterns.append(edge)
    keyed = np.concatenate([np.concatenate(planes)[:, None], np.concatenate(patterns)], 1)
    edges = np.unique(keyed.astype(np.int64), axis=0)
    return HyperplaneArrangement(
        normals, np.unique(np.concatenate(cells), axis=0), edges[:, 0], edges[:, 1:] > 0, vertices
    )


def _vertices(unit: Array) -> Array:
    """Unit vectors [M, 3] on at least two of the planes, each once."""
    i, j = np.triu_indices(len(unit), 1)
    crossing = np.cross(unit[i], unit[j])
    size = np.linalg.norm(crossing, axis=1)
    crossing = crossing[size > 1e-12] / size[size > 1e-12, None]
    both = np.concatenate([crossing, -crossing])
    _, first = np.unique(np.round(both, 9) + 0.0, axis=0, return_index=True)
    return both[first]


def _patterns(base: NDArray[np.bool_], through: NDArray[np.int64], normal: Array, angles: Array) -> NDArray[np.bool_]:
    """Activation patterns just off a vertex in the directions `angles`: only the planes through it depend on them."""
    pattern = np.repeat(base[None], len(angles), axis=0)
    pattern[:, through] = np.stack([np.cos(angles), np.sin(angles)], 1) @ normal.T > 0
    return pattern


def _forms(normals: Array, patterns: NDArray[np.bool_], dual: Array) -> Array:
    """Q = M' M with M = L diag(pattern) Xbar, [C, d + 1, d + 1]."""
    half = np.einsum("dn,cn,nj->cdj", dual, patterns, normals, optimize=True)
    return half.swapaxes(1, 2) @ half


def _top_vectors(forms: Array) -> Array:
    return np.linalg.eigh(forms)[1][..., -1]


def _complements(vectors: Array) -> Array:
    """Orthonormal bases [M, 3, 2] of the planes orthogonal to `vectors` [M, 3]."""
    return np.linalg.svd(vectors[:, None, :])[2][:, 1:].swapaxes(1, 2)
