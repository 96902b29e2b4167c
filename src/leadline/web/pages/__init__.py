"""The pages: one module each, with a router."""

from leadline.web.pages import (
    boards,
    charts,
    data,
    definitions,
    explanation,
    exports,
    funnel,
    influence,
    journey,
    models,
    opportunity,
    overview,
    records,
    records_search,
    trust,
    velocity,
)

ROUTERS = (
    overview.router,
    funnel.router,
    velocity.router,
    influence.router,
    trust.router,
    records.router,
    records_search.router,
    journey.router,
    opportunity.router,
    definitions.router,
    boards.router,
    models.router,
    data.router,
    explanation.router,
    exports.router,
    charts.router,
)
"""Routers of every page, in the order they are mounted."""
