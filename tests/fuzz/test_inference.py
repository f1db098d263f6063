"""Shapes, element types and weights of random networks equal those that Keras infers."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.generator import networks
from tests.fuzz.network import Network

pytest.importorskip("keras")
from tests.fuzz.inference import differences
from tests.fuzz.network import build


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(networks())
def test_what_check_infers_is_what_keras_builds(network: Network) -> None:
    assert differences(network, build(network)) == [], network.text()
