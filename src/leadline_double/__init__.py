"""A double of a Salesforce org: its data, its rules and its APIs on loopback, as strict as the real thing.

    with serve(Org()) as double:
        double.url, double.ca_file      # https://localhost:PORT and the certificate to trust
        double.org.create("Lead", ...)  # what happens in the org
        double.org.clock.advance(minutes=5)
        double.faults.add("429", "/jobs/query", times=2)

Written from the platform's documentation and recordings (`data/`), never from the program that is tested on it.
"""

from __future__ import annotations

from leadline_double.clock import Clock
from leadline_double.faults import Faults
from leadline_double.org import Org
from leadline_double.server import Double, serve
from leadline_double.tokens import ConnectedApp

__all__ = ["Clock", "ConnectedApp", "Double", "Faults", "Org", "serve"]
