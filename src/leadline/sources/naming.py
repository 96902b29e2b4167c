"""Which object a file holds and which field each of its columns is.

Names match without regard to case and underscores. Beyond that, a column stands for

    Id                 extId__c, ExternalId__c                     if the file has no Id
    CampaignId         Campaign.Id, Campaign.extId__c, Campaign__r.extId__c …   if it is absent
    IsPrimary          IsPrimary__c                                if it is absent
    CreatedDate        Created Date                                if it is absent: the label, as reports write it
    Id, IsClosed …     Lead ID, Closed …                           the same, shortened or with the object before it

and the notes say so. What is left keeps its own name and stays text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from leadline.config import FileMap
from leadline.errors import SourceError, did_you_mean
from leadline.schema import DATE_ONLY, OBJECTS, Kind

_EXTERNAL = ("extid", "externalid")
_RELATION = re.compile(r"(?P<relation>\w+?)(?:__r)?\.(?P<field>\w+)", re.IGNORECASE)
_WORD = re.compile(r"[A-Z][a-z]*")
_RESERVED = re.compile(rf"{DATE_ONLY}|_valid_from|_valid_to|_dlt_\w+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """One column to load.

    Attributes:
        name: field of the object, or the column's own name.
        kind: how its values are typed; "text" for columns the schema does not know.
        sources: positions of the file's columns that make it: one, none for a constant, several
            for an Id made of several columns.
        constant: the value of every row, or None.
        values: value in the file → value to store.
        known: whether the schema knows the field.
    """

    name: str
    kind: Kind
    sources: tuple[int, ...]
    constant: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    known: bool = True


@dataclass
class Naming:
    """The columns of a file and what was decided about them."""

    object: str
    columns: dict[str, Column]
    notes: list[str]


def folded(name: str) -> str:
    """A name without case and underscores."""
    return name.replace("_", "").casefold()


_OBJECTS = {folded(name): name for name in OBJECTS}
_FIELDS = {name: {folded(one): one for one in fields} for name, fields in OBJECTS.items()}


def object_of(base: str) -> str | None:
    """The object that a file is named after: `Lead.csv`, `campaign_members.CSV`, `Opportunitys_2.csv`."""
    stem = base.rpartition(".")[0] or base
    stem = re.sub(r"[ _-]*(?:\(\d+\)|[ _-]\d+)$", "", stem)
    name = folded(stem).replace("-", "").replace(" ", "")
    for candidate in (name, name.removesuffix("s"), name.removesuffix("es"), re.sub("ies$", "y", name)):
        if candidate in _OBJECTS:
            return _OBJECTS[candidate]
    return None


def map_of(base: str, files: dict[str, FileMap]) -> FileMap | None:
    """The column map of a file, by its name without regard to case."""
    return next((one for name, one in files.items() if name.casefold() == base.casefold()), None)


def name_columns(object_name: str, header: list[str], file_map: FileMap | None, file: str) -> Naming:
    """Give each column of a file its field.

    Raises:
        SourceError: two columns claim one field, a map names a column that the file lacks, or
            there is no Id.
    """
    return _Namer(object_name, header, file_map or FileMap(object=object_name), file).naming()


class _Namer:
    def __init__(self, object_name: str, header: list[str], file_map: FileMap, file: str) -> None:
        self.object = object_name
        self.kinds = OBJECTS[object_name]
        self.fields = _FIELDS[object_name]
        self.map = file_map
        self.file = file
        self.notes: list[str] = []
        self.header = self._unique(header)
        self.columns: dict[str, Column] = {}
        self.free = list(range(len(header)))

    def naming(self) -> Naming:
        self._take_map()
        self._take_same_names()
        self._take_relations()
        self._take_external_id()
        self._take_custom_twins()
        self._take_labels()
        self._take_rest()
        if "Id" not in self.columns:
            raise SourceError(
                f"{self.file} has no column Id, so its records of {self.object} cannot be told apart. Name the column "
                f"that is unique to each record in leadline.toml, or several joined by +: "
                f'[files."{self.file.rpartition("!")[2]}"] object = "{self.object}", '
                f'columns = {{ Id = "…" }}. Columns: {", ".join(self.header)}.'
            )
        ordered = [name for name in self.kinds if name in self.columns]
        ordered += [name for name in self.columns if name not in self.kinds]
        return Naming(self.object, {name: self.columns[name] for name in ordered}, self.notes)

    def _unique(self, header: list[str]) -> list[str]:
        """Names of the columns, none empty, no two alike but for case."""
        names: list[str] = []
        taken: set[str] = set()
        for index, name in enumerate(header):
            own = name or f"column_{index + 1}"
            unique, copy = own, 2
            while unique.casefold() in taken:
                unique, copy = f"{own}_{copy}", copy + 1
            if unique != name:
                self._settle_duplicate(name, unique, index)
            taken.add(unique.casefold())
            names.append(unique)
        return names

    def _settle_duplicate(self, name: str, unique: str, index: int) -> None:
        known = self.fields.get(folded(name))
        if name and known and known not in self._mapped():
            raise SourceError(
                f"{self.file} has two columns {name!r}. Say in leadline.toml which one is {known}: "
                f'[files."{self.file.rpartition("!")[2]}"] columns = {{ {known} = "{name}" }} for the first, '
                f'"{unique}" for the second.'
            )
        why = f"the header has {name!r} twice" if name else "it has no name"
        self.notes.append(f"column {index + 1} is called {unique!r}: {why}")

    def _mapped(self) -> set[str]:
        return {self._field(name) for name in (*self.map.columns, *self.map.constants)}

    def _field(self, name: str) -> str:
        return self.fields.get(folded(name), name)

    def _position(self, column: str) -> int | None:
        exact = [index for index, name in enumerate(self.header) if name == column]
        loose = [index for index, name in enumerate(self.header) if name.casefold() == column.strip().casefold()]
        return next(iter(exact or loose), None)

    def _add(self, name: str, sources: Iterable[int], constant: str | None = None) -> None:
        values = next((table for key, table in self.map.values.items() if self._field(key) == name), {})
        kind = self.kinds.get(name, "text")
        self.columns[name] = Column(name, kind, tuple(sources), constant, dict(values), name in self.kinds)

    def _take_map(self) -> None:
        used: set[int] = set()
        for name, column in self.map.columns.items():
            target = self._field(name)
            positions = self._positions(target, column)
            self._add(target, positions)
            # A column that only lends its text to the record's name goes on to mean what it means.
            lent = target == "Name" and folded(column) != "name"
            used |= set() if lent else set(positions)
        for name, value in self.map.constants.items():
            self._add(self._field(name), (), value)
        self.free = [index for index in self.free if index not in used]

    def _positions(self, target: str, column: str) -> list[int]:
        whole = self._position(column)
        if whole is not None:
            return [whole]
        parts = [self._position(part) for part in column.split("+")]
        found = [part for part in parts if part is not None]
        if target != "Id" or len(found) < len(parts) or len(parts) < 2:
            raise SourceError(
                f"{self.file} has no column {column!r}, which leadline.toml maps to {target}."
                f"{did_you_mean(column, self.header)} Columns: {', '.join(self.header)}."
            )
        return found

    def _claims(self, claims: dict[int, str], how: str) -> None:
        """Let columns fill fields that are still absent; two for one field are a fault."""
        claims = {index: name for index, name in claims.items() if name not in self.columns}
        for name, count in Counter(claims.values()).items():
            if count > 1:
                rivals = " and ".join(repr(self.header[index]) for index, claimed in claims.items() if claimed == name)
                raise SourceError(
                    f"In {self.file} the columns {rivals} would both be {name}. Say which one in leadline.toml: "
                    f'[files."{self.file.rpartition("!")[2]}"] columns = {{ {name} = "…" }}.'
                )
        for index, name in claims.items():
            self._add(name, [index])
            self.free.remove(index)
            if how:
                self.notes.append(f"{self.header[index]!r} is read as {name}{how}")

    def _take_same_names(self) -> None:
        self._claims({i: known for i in self.free if (known := self.fields.get(folded(self.header[i])))}, "")

    def _take_relations(self) -> None:
        claims: dict[int, str] = {}
        for index in self.free:
            match = _RELATION.fullmatch(self.header[index])
            if match and (folded(match["field"]) == "id" or _is_external(match["field"])):
                known = self.fields.get(folded(match["relation"]) + "id")
                if known and self.kinds[known] == "id" and known != "Id":
                    claims[index] = known
        self._claims(claims, ", the id of that record")

    def _take_external_id(self) -> None:
        self._claims({i: "Id" for i in self.free if _is_external(self.header[i])}, ": the file has no column Id")

    def _take_custom_twins(self) -> None:
        claims: dict[int, str] = {}
        for index in self.free:
            name = self.header[index]
            known = self.fields.get(folded(name[:-3])) if name.casefold().endswith("__c") else None
            if known and known != "Id":
                claims[index] = known
        self._claims(claims, ": the file has no such standard column")

    def _take_labels(self) -> None:
        for near in (_by_label, _by_short_label):
            claims = {index: known for index in self.free if (known := near(self.object, self.header[index]))}
            claims = {index: name for index, name in claims.items() if name not in self.columns}
            rivals = {name for name, count in Counter(claims.values()).items() if count > 1}
            for name in sorted(rivals):
                held = " and ".join(repr(self.header[index]) for index, claimed in claims.items() if claimed == name)
                self.notes.append(f"{held} could both be {name}: neither is read as it; say which in leadline.toml")
            self._claims({i: name for i, name in claims.items() if name not in rivals}, ", whose label it is")

    def _take_rest(self) -> None:
        taken = {name.casefold() for name in (*self.columns, DATE_ONLY)}
        for index in self.free:
            own = self.header[index]
            name, copy = own, 2
            while name.casefold() in taken or _RESERVED.fullmatch(name):
                name, copy = f"{own.lstrip('_')}_{copy}", copy + 1
            if name != own:
                self.notes.append(f"{own!r} is kept as {name!r}: that name has another meaning here")
            taken.add(name.casefold())
            self._add(name, [index])


def is_of(object_name: str, header: Iterable[str]) -> bool:
    """Whether a file has at least one field of an object, by name or label, or an external id."""
    fields = _FIELDS[object_name]
    return any(
        folded(column) in fields or _is_external(column) or _by_label(object_name, column) is not None
        for column in header
    )


def _by_label(object_name: str, column: str) -> str | None:
    """The field whose label a column has: `Created Date`, `Lead Source`."""
    return None if column.casefold().endswith("__c") else _FIELDS[object_name].get(_letters(column))


def _by_short_label(object_name: str, column: str) -> str | None:
    """The field whose label a column has in part, or with its object before it: `Closed`, `Stage`, `Lead ID`."""
    if column.casefold().endswith("__c"):
        return None
    label, fields = _letters(column), _FIELDS[object_name]
    words = _WORD.findall(object_name)
    objects = ("".join(words[at:]).casefold() for at in range(len(words)))
    own = next((label.removeprefix(one) for one in objects if label.startswith(one)), "")
    near = (own, f"is{label}", f"has{label}", f"{label}name")
    return next((fields[one] for one in near if one in fields), None)


def _letters(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "", name.casefold())


def _is_external(name: str) -> bool:
    return name.casefold().endswith("__c") and folded(name[:-3]) in _EXTERNAL
