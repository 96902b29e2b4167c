"""Worked examples of path models as published, each with its source.

Figures are those of the sources; `test_paths.py` also makes them again by removal or by enumeration.
"""

from __future__ import annotations

from tests.reference.path_brute import Journey

# Sergey Bryl', "Marketing Multi-Channel Attribution model with R (part 1: Markov chains concept)",
# analyzecore.com, 2016-08-03: three paths of which one converts; 33.3 % convert.
THREE_PATHS = [
    Journey(("C1", "C2", "C3"), 1, 0),
    Journey(("C1",), 0, 1),
    Journey(("C2", "C3"), 0, 1),
]
THREE_PATHS_EFFECT = {"C1": 0.5, "C2": 1.0, "C3": 1.0}
THREE_PATHS_CREDIT = {"C1": 0.2, "C2": 0.4, "C3": 0.4}
THREE_PATHS_PROBABILITY = 1 / 3

# Serhii Puzyrov, "Markov Chain Attribution – Simple Explanation of Removal Effect", serhiipuzyrov.com,
# 2019-07-31: four paths; the transition probabilities are printed there, the effects follow by removal.
FOUR_PATHS = [
    Journey(("Google Ads",), 2, 0),
    Journey(("Mailing",), 1, 0),
    Journey(("Google Ads", "Mailing"), 1, 0),
    Journey(("Google Ads",), 0, 1),
]
FOUR_PATHS_STEPS = {
    ("start", "Google Ads"): 0.8,
    ("start", "Mailing"): 0.2,
    ("Google Ads", "won"): 0.5,
    ("Google Ads", "Mailing"): 0.25,
    ("Google Ads", "lost"): 0.25,
    ("Mailing", "won"): 1.0,
}
# Without Google Ads one journey in five converts, 1 − 0.2 ÷ 0.8; without Mailing 0.8 × 0.5, 1 − 0.4 ÷ 0.8.
FOUR_PATHS_EFFECT = {"Google Ads": 0.75, "Mailing": 0.5}

# L. S. Shapley, "A value for n-person games", 1953, as every textbook works it: a glove game of one left
# and two right gloves; a pair is worth 1. Left 2/3, each right 1/6. As journeys: a conversion for each
# set that is worth 1 less what its subsets are worth (Harsanyi dividends 1, 1 and −1 cannot be counted),
# so it stands here as a game, not as journeys.
GLOVES = {"left": 2 / 3, "right one": 1 / 6, "right two": 1 / 6}
