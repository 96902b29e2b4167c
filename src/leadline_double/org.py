"""The org: state, changes, life of records, administration, and the few records every org has."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from leadline_double.administration import Administration
from leadline_double.clock import Clock
from leadline_double.state import Rules
from leadline_double.values import json_value

STAGES: Final = (
    ("Prospecting", 10, False, False, "Pipeline"),
    ("Proposal", 50, False, False, "BestCase"),
    ("Closed Won", 100, True, True, "Closed"),
    ("Closed Lost", 0, True, False, "Omitted"),
)
_LEAD_STATUSES: Final = (("Open", False), ("Working", False), ("Qualified", True))
USER_NAME: Final = "integration@double.example"
OWN_MODEL: Final = "Own_Model"


class Org(Administration):
    """A small, otherwise empty org: one user, stages, lead statuses, currencies, the primary influence model."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        multi_currency: bool = True,
        time_zone: str = "America/New_York",
        rules: Rules | None = None,
        furnished: bool = True,
    ) -> None:
        super().__init__(clock, multi_currency=multi_currency, rules=rules)
        self.user_name = USER_NAME
        if furnished:
            self._furnish(time_zone)

    def _furnish(self, time_zone: str) -> None:
        self.organization_id = self.create(
            "Organization", Name="Double", TimeZoneSidKey=time_zone, OrganizationType="Enterprise Edition",
            InstanceName="DBL1", FiscalYearStartMonth=1,
        )  # fmt: skip
        self.user_id = self.create(
            "User", Username=USER_NAME, LastName="Integration", Name="Integration", Email=USER_NAME, IsActive=True,
            UserType="Standard", Alias="integ",
        )  # fmt: skip
        for order, (name, probability, closed, won, category) in enumerate(STAGES, start=1):
            self.create(
                "OpportunityStage", MasterLabel=name, ApiName=name, IsActive=True, SortOrder=order, IsClosed=closed,
                IsWon=won, ForecastCategory=category, DefaultProbability=probability,
            )  # fmt: skip
        for order, (name, converted) in enumerate(_LEAD_STATUSES, start=1):
            self.create(
                "LeadStatus",
                MasterLabel=name,
                ApiName=name,
                SortOrder=order,
                IsDefault=order == 1,
                IsConverted=converted,
            )
        if self.multi_currency:
            for code, rate in (("USD", 1), ("EUR", Decimal("0.9"))):
                self.create(
                    "CurrencyType", IsoCode=code, ConversionRate=rate, DecimalPlaces=2, IsActive=True,
                    IsCorporate=code == "USD",
                )  # fmt: skip
        self.add_model("Primary_Campaign_Source", model_type="1", IsDefaultModel=True)

    def image(self, *object_names: str) -> dict[str, dict[str, dict[str, Any]]]:
        """Object → id → field → value as JSON, deleted records too, formulas worked out: to compare states."""
        with self.lock:
            return {
                name: {
                    key: {field: json_value(self.value(name, row, field)) for field in self.objects[name].fields}
                    for key, row in self.tables[name].items()
                }
                for name in object_names or self.objects
            }

    def digest(self, *object_names: str) -> str:
        """SHA-256 of the image: the same for the same state."""
        text = json.dumps(self.image(*object_names), sort_keys=True, ensure_ascii=False)
        return sha256(text.encode()).hexdigest()
