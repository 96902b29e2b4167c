"""Credit models as small TOML files: those that Leadline ships, and those of a workspace."""

from leadline.credit_models.files import FOLDER, load
from leadline.credit_models.kinds import KINDS, Decay, Even, Markov, Milestones, Model, Points, Position, Shapley, Touch

__all__ = [
    "FOLDER",
    "KINDS",
    "Decay",
    "Even",
    "Markov",
    "Milestones",
    "Model",
    "Points",
    "Position",
    "Shapley",
    "Touch",
    "load",
]
