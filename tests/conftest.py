"""Settings of every test: examples are not timed, because the machines that run them are busy."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile("fuzz", settings.get_profile("tests"), max_examples=20_000)
settings.load_profile("tests")
