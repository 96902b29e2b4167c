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
_GIVEN = (
    "Ana", "Bruno", "Chiara", "Deepak", "Emma", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kofi", "Lena",
    "Mateo", "Noor", "Olga", "Pierre", "Quinn", "Rosa", "Søren", "Tomoko", "Uma", "Viktor", "Wei", "Zoë",
    "Adil", "Birgit", "Carmen", "Dmitri", "Elif", "Frida", "Gustavo", "Hanna", "Igor", "Jasmin", "Katya", "Luca",
    "Mei", "Niklas", "Oscar", "Paula", "Rafael", "Selma", "Tarek", "Ursula", "Valeria", "Walter", "Ximena", "Yusuf",
    "Amara", "Benedikt", "Cecilia", "Diego", "Esther", "Francesca", "Georg", "Helena", "Ivo", "Judith", "Kenji",
    "Leonor", "Magnus", "Nadia", "Orhan", "Petra", "Ravi", "Sandra", "Theo", "Ulrike", "Vera", "Wanda", "Yara",
    "Anton", "Beatriz", "Claude", "Dorothea", "Emil", "Fatima", "Gabriel", "Hugo", "Irina", "Joachim", "Kamal",
    "Ludmila", "Marcel", "Nora", "Omar", "Pilar", "Roman", "Sigrid", "Tiago", "Vivek", "Wilma", "Yvonne", "Zainab",
    "Arturo", "Bettina", "Cyril", "Daniela", "Erik", "Flora",
)  # fmt: skip
_FAMILY = (
    "Abe", "Bauer", "Castillo", "D'Angelo", "Evans", "Fischer", "Gupta", "Hansen", "Ito", "Jansen", "Kowalski",
    "Lefèvre", "Müller", "Novak", "O'Neill", "Patel", "Quist", "Rossi", "Smith", "Tanaka", "Ueda", "Vargas",
    "Weber", "Young", "Zimmermann", "Park, Jr.", "Brown", "Garcia", "Lee", "Dubois", "Olsen", "Almeida", "Brandt",
    "Costa", "Dahl", "Eriksson", "Ferrari", "Gruber", "Hoffmann", "Ivanov", "Jokinen", "Kaya", "Lindqvist",
    "Moreau", "Nakamura", "Okafor", "Petrov", "Quiroga", "Rasmussen", "Sato", "Torres", "Ulrich", "Virtanen",
    "Wagner", "Yamamoto", "Zhang", "Andrade", "Becker", "Chandra", "Demir", "Engel", "Fontaine", "Greco", "Haddad",
    "Iglesias", "Johansson", "Keller", "Laurent", "Marino", "Nguyen", "Ortega", "Pereira", "Richter", "Silva",
    "Thomsen", "Urbano", "Vogel", "Wallin", "Yilmaz", "Zanetti", "Aksoy", "Bernard", "Conti", "Duarte", "Esposito",
    "Farkas", "Gallo", "Horvath", "Imai", "Jimenez", "Klein", "Lorenz", "Mendes", "Nielsen", "Ozturk", "Popov",
    "Ramos", "Schmidt", "Takeda", "Urban", "Vidal",
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


def given_names(key: NDArray[np.int64]) -> pa.Array:
    """First name of a lead or contact per key; first and family name together repeat after some 10,000 keys."""
    return choice(key % len(_GIVEN), _GIVEN)


def family_names(key: NDArray[np.int64]) -> pa.Array:
    """Last name of a lead or contact per key."""
    return choice(key // len(_GIVEN) % len(_FAMILY), _FAMILY)


def emails(key: NDArray[np.int64], company: NDArray[np.int64]) -> pa.Array:
    """An address per key at its company's domain; equal keys give equal addresses."""
    domain = pc.binary_join_element_wise("company", numbered(company), ".example", "")
    return pc.binary_join_element_wise("p", numbered(key), "@", domain, "")


def websites(company: NDArray[np.int64], known: NDArray[np.bool_]) -> pa.Array:
    """The address of each company's pages at the domain of its people's e-mails; null where it is not `known`."""
    site = pc.binary_join_element_wise("https://www.company", numbered(company), ".example/", "")
    return pc.if_else(pa.array(known), site, pa.scalar(None, pa.string()))


def companies(key: NDArray[np.int64]) -> pa.Array:
    """A company name per key."""
    first = choice(key % len(_COMPANY_A), _COMPANY_A)
    second = choice(key // len(_COMPANY_A) % len(_COMPANY_B), _COMPANY_B)
    return pc.binary_join_element_wise(first, second, numbered(key // 299 % 100), " ")
