"""Values of fields: from what a client sends, to JSON and to CSV.

Inside, texts are str, numbers Decimal (int for whole-number fields), dates date, moments aware UTC datetimes.
"""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from leadline_double.ids import normal_id
from leadline_double.problems import ApiError
from leadline_double.schema import Field

_moments: dict[dt.datetime, str] = {}
_TRUTHS: Final = {"true": True, "false": False, "1": True, "0": False}


def moment_text(value: dt.datetime) -> str:
    """`2026-01-02T03:04:05.000` without a zone; both APIs add their own."""
    text = _moments.get(value)
    if text is None:
        text = f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}"
        _moments[value] = text
    return text


def json_value(value: Any) -> Any:
    """A value as the REST API writes it."""
    if isinstance(value, dt.datetime):
        return moment_text(value) + "+0000"
    if isinstance(value, dt.date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def double_text(value: Decimal) -> str:
    """A number as Java prints a double: 26000.0, 0.05, 2.57060529E8."""
    if not value:
        return "0.0"
    plain = value.normalize()
    sign, digits, exponent = plain.as_tuple()
    size = len(digits) + int(exponent) - 1
    if -3 <= size < 7:
        text = format(plain, "f")
        return text if "." in text else text + ".0"
    figures = "".join(map(str, digits))
    return f"{'-' if sign else ''}{figures[0]}.{figures[1:] or '0'}E{size}"


def csv_value(value: Any) -> str:
    """A value as the Bulk API writes it, unquoted; null and the empty text are the same."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return double_text(value)
    if isinstance(value, dt.datetime):
        return moment_text(value) + "Z"
    return str(value)


def _number(field: Field, value: Any) -> Any:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        kind = "int" if field.type == "int" else "double"
        raise ApiError("JSON_PARSER_ERROR", f"Cannot deserialize instance of {kind} from VALUE_STRING value {value}")
    if field.type == "int":
        return int(number)
    if field.scale is not None:
        number = number.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP)
    if field.type == "percent" and field.name == "Influence" and not 0 <= number <= 100:
        raise ApiError(
            "NUMBER_OUTSIDE_VALID_RANGE", f"{field.label}: value outside of valid range: {value}", fields=[field.name]
        )
    return number


def _moment(field: Field, value: Any) -> dt.datetime:
    try:
        moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    except ValueError:
        raise ApiError(
            "JSON_PARSER_ERROR", f"Cannot deserialize instance of datetime from VALUE_STRING value {value}"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)


def _date(field: Field, value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        raise ApiError(
            "JSON_PARSER_ERROR", f"Cannot deserialize instance of date from VALUE_STRING value {value}"
        ) from None


def _truth(field: Field, value: Any) -> bool:
    truth = value if isinstance(value, bool) else _TRUTHS.get(str(value).lower())
    if truth is None:
        raise ApiError("JSON_PARSER_ERROR", f"Cannot deserialize instance of boolean from VALUE_STRING value {value}")
    return truth


def _text(field: Field, value: Any) -> str:
    text = str(value)
    if field.length and len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise ApiError("STRING_TOO_LONG", message, fields=[field.name])
    if field.restricted and text not in field.picklist:
        message = f"{field.label}: bad value for restricted picklist field: {text}"
        raise ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=[field.name])
    return text


def typed(field: Field, value: Any) -> Any:
    """What the org stores for what was sent; the empty text is null.

    Raises:
        ApiError: the value does not fit the field.
    """
    if value is None or value == "":
        return None
    if field.type in {"id", "reference"}:
        return normal_id(value, field.name)
    if field.type in {"int", "double", "currency", "percent"}:
        return _number(field, value)
    reader = {"boolean": _truth, "date": _date, "datetime": _moment}.get(field.type, _text)
    return reader(field, value)
