"""Random networks in every format against Keras, and a replay of all earlier failures."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from tests.fuzz.generator import networks
from tests.fuzz.network import Network, read

pytest.importorskip("keras")
from tests.fuzz.judge import judge

FAILURES = sorted(Path(__file__).parent.glob("failures/*.yaml"))


@pytest.mark.filterwarnings("ignore")
@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(networks(largest=5))
def test_small_networks_are_what_keras_computes(network: Network) -> None:
    verdict = judge(network)
    assume(not verdict.ill_conditioned)
    assert not verdict.problems, network.text()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FAILURES, ids=lambda path: path.stem)
def test_what_failed_once_is_mended(path: Path) -> None:
    verdict = judge(read(path))
    assert verdict.problems == ()
    assert not verdict.ill_conditioned


@settings(max_examples=50, deadline=None)
@given(networks())
def test_files_hold_all_of_a_network(tmp_path_factory: pytest.TempPathFactory, network: Network):
    path = tmp_path_factory.getbasetemp() / "network.yaml"
    path.write_text(network.text(), encoding="utf-8")
    assert read(path) == network
