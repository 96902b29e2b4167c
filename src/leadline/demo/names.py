"""Made-up people, companies and addresses; some need quotes in a CSV file, some are not ASCII."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from leadline.demo.columns import choice, numbered

FIRST = (
    "Ana", "Bruno", "Chiara", "Deepak", "Emma", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kofi", "Lena",
    "Mateo", "Noor", "Olga", "Pierre", "Quinn", "Rosa", "Søren", "Tomoko", "Uma", "Viktor", "Wei", "Zoë",
)  # fmt: skip
LAST = (
    "Abe", "Bauer", "Castillo", "D'Angelo", "Evans", "Fischer", "Gupta", "Hansen", "Ito", "Jansen", "Kowalski",
    "Lefèvre", "Müller", "Novak", "O'Neill", "Patel", "Quist", "Rossi", "Smith", "Tanaka", "Ueda", "Vargas",
    "Weber", "Young", "Zimmermann", "Park, Jr.", "Brown", "Garcia", "Lee", "Dubois", "Olsen",
)  # fmt: skip
_COMPANY_A = (
    "Blue Harbor", "Cedar", "Delta & Sons", "Evergreen", "First Light", 'Nine "9"', "Granite", "Hillside",
    "Iron Bridge", "Juniper", "Keystone", "Lakeshore", "Meridian", "Northwind", "Orchard", "Pinecrest",
    "Quarry", "Red Clay", "Silver Lake, Inc.", "Tall Oak", "Umber", "Vega", "Westgate",
)  # fmt: skip
_COMPANY_B = (
    "Analytics", "Systems", "Foods", "Health", "Logistics", "Energy", "Textiles", "Robotics", "Finance", "Retail",
    "Materials", "Software", "Partners",
)  # fmt: skip
TITLES = ("VP Marketing", "Director, Operations", "IT Manager", "Chief Financial Officer", "Buyer", None)
"""Job titles."""


def first_names(key: NDArray[np.int64]) -> pa.Array:
    """A first name per key; equal keys give equal names."""
    return choice(key % len(FIRST), FIRST)


def last_names(key: NDArray[np.int64]) -> pa.Array:
    """A last name per key."""
    return choice(key // len(FIRST) % len(LAST), LAST)


def full_names(key: NDArray[np.int64]) -> pa.Array:
    """First and last name."""
    return pc.binary_join_element_wise(first_names(key), last_names(key), " ")


def emails(key: NDArray[np.int64], company: NDArray[np.int64]) -> pa.Array:
    """An address per key at its company's domain; equal keys give equal addresses."""
    domain = pc.binary_join_element_wise("company", numbered(company), ".example", "")
    return pc.binary_join_element_wise("p", numbered(key), "@", domain, "")


def companies(key: NDArray[np.int64]) -> pa.Array:
    """A company name per key."""
    first = choice(key % len(_COMPANY_A), _COMPANY_A)
    second = choice(key // len(_COMPANY_A) % len(_COMPANY_B), _COMPANY_B)
    return pc.binary_join_element_wise(first, second, numbered(key // 299 % 100), " ")
