"""Principal components against numpy's own covariance: centred, uncorrelated, ordered, signed."""

from __future__ import annotations

import numpy as np
import pytest

from pumice.distill.pca import project
from pumice.errors import InputError

GENERATOR = np.random.default_rng(3)
VECTORS = (GENERATOR.standard_normal((500, 12)) @ GENERATOR.standard_normal((12, 12)) + 5).astype(
    np.float32
)
PROBABILITIES = GENERATOR.dirichlet(np.full(500, 0.1))


def test_components_are_ordered_by_variance_and_uncorrelated() -> None:
    covariance = np.cov(project(VECTORS, dim=12), rowvar=False)
    variances = np.diag(covariance)
    assert (np.diff(variances) <= 0).all()
    np.testing.assert_allclose(covariance, np.diag(variances), atol=1e-4 * variances[0])
    np.testing.assert_allclose(variances.sum(), np.cov(VECTORS, rowvar=False).trace(), rtol=1e-5)


def test_full_size_keeps_all_distances() -> None:
    projected = project(VECTORS, dim=12)
    before = np.linalg.norm(VECTORS[:50, None] - VECTORS[None, :50], axis=2)
    after = np.linalg.norm(projected[:50, None] - projected[None, :50], axis=2)
    np.testing.assert_allclose(after, before, atol=1e-4)


def test_fewer_dimensions_are_a_prefix_of_more() -> None:
    np.testing.assert_allclose(project(VECTORS, dim=4), project(VECTORS, dim=12)[:, :4], atol=1e-9)


def test_whitening_makes_the_weighted_covariance_the_identity() -> None:
    white = project(VECTORS, dim=12, probabilities=PROBABILITIES, whitening=1.0)
    np.testing.assert_allclose(PROBABILITIES @ white, np.zeros(12), atol=1e-9)
    np.testing.assert_allclose((white * PROBABILITIES[:, None]).T @ white, np.eye(12), atol=1e-6)


def test_half_whitening_leaves_the_square_root_of_the_spread() -> None:
    plain, half = project(VECTORS, dim=12), project(VECTORS, dim=12, whitening=0.5)
    np.testing.assert_allclose(half.std(axis=0), np.sqrt(plain.std(axis=0)), rtol=1e-6)


def test_signs_are_fixed() -> None:
    scores = project(VECTORS, dim=12)
    assert (scores[np.abs(scores).argmax(axis=0), np.arange(12)] > 0).all()


def test_a_component_without_variance_is_zero_not_noise() -> None:
    # What a layer normalisation leaves: one direction constant up to rounding.
    flat = VECTORS - VECTORS.mean(axis=1, keepdims=True)
    white = project(flat, dim=12, whitening=1.0)
    assert not white[:, 11].any()
    assert white[:, 10].std() == pytest.approx(1.0, rel=1e-6)


def test_too_many_dimensions() -> None:
    with pytest.raises(InputError, match="dim is 13 but the teacher's vectors have 12"):
        project(VECTORS, dim=13)
    with pytest.raises(InputError, match="the vocabulary has only 8 tokens"):
        project(VECTORS[:8], dim=8)
