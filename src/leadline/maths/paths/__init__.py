"""Credit on journeys: rules, Markov removal effects, Shapley games, whole parts, bootstrap."""
