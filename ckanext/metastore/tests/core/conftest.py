"""Hypothesis without deadlines: how fast the machine is does not decide whether a test passes."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
