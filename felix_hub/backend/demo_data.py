"""Made-up orders that look like a real workshop's: three languages, valid VINs, a mix of states.

The orders are the same on every machine and in every run, and order number n doesn't depend on how many follow it.
They hold what the table `orders` holds before migration 001, so there is no number plate yet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

SEED = 20_250_105
FIRST_ORDER_AT = datetime(2023, 1, 8, 5, 30, tzinfo=UTC)
TIME_BETWEEN_ORDERS = timedelta(minutes=4)
# After so many orders the dates start again: millions of orders, and none of them in the future.
ORDERS_BEFORE_DATES_REPEAT = 360_000

STATUS_SHARES = {"новый": 10, "в работе": 20, "готов": 15, "выдан": 55}


@dataclass(frozen=True)
class Mechanic:
    name: str
    telegram_id: str
    language: str


MECHANICS = (
    Mechanic("Алексей Смирнов", "204518833", "ru"),
    Mechanic("Игорь Коваленко", "317764902", "ru"),
    Mechanic("Дмитрий Лебедев", "198230417", "ru"),
    Mechanic("Марина Фёдорова", "455018276", "ru"),
    Mechanic("יוסי כהן", "286640195", "he"),
    Mechanic("אבי מזרחי", "391157740", "he"),
    Mechanic("רונית לוי", "402893361", "he"),
    Mechanic("Daniel Brooks", "523371908", "en"),
    Mechanic("Siobhán O'Neill", "610042587", "en"),
)

PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "ru": {
        "Тормозная система": ("Колодки передние", "Колодки задние", "Диск тормозной", "Шланг тормозной"),
        "Двигатель": ("Фильтр масляный", "Свечи зажигания", "Ремень ГРМ", "Прокладка клапанной крышки"),
        "Подвеска": ("Амортизатор передний", "Рычаг нижний", "Шаровая опора", "Стойка стабилизатора"),
        "Электрика": ("Аккумулятор 60 А·ч", "Генератор", "Лампа H7", "Датчик ABS"),
    },
    "he": {
        "בלמים": ("רפידות קדמיות", "רפידות אחוריות", "צלחת בלם", "צינור בלם"),
        "מנוע": ("מסנן שמן", "מצתים", "רצועת תזמון", "אטם מכסה שסתומים"),
        "מתלים": ("בולם זעזועים", "זרוע תחתונה", "תפוח הגה", "מוט מייצב"),
        "חשמל": ("מצבר 60 אמפר", "אלטרנטור", "נורת H7", "חיישן ABS"),
    },
    "en": {
        "Brakes": ("Front brake pads", "Rear brake pads", "Brake disc", "Brake hose"),
        "Engine": ("Oil filter", "Spark plugs", "Timing belt", 'Valve cover gasket, 1/4"'),
        "Suspension": ("Front shock absorber", "Lower control arm", "Ball joint", "Stabiliser link"),
        "Electrics": ("Battery 60 Ah", "Alternator", "H7 bulb", "ABS sensor"),
    },
}

# The makers' codes of Toyota, Volkswagen, Hyundai, Škoda, Renault, BMW, Mazda and Kia.
VIN_MAKERS = ("JTD", "WVW", "KMH", "TMB", "VF1", "WBA", "JM1", "KNA")
VIN_CHARACTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"  # I, O and Q look like digits
VIN_YEARS = "9ABCDEFGHJKLMNPRS"  # 2009 to 2025
VIN_VALUES = dict(
    zip(VIN_CHARACTERS, map(int, "12345678" + "1234579" + "23456789" + "0123456789"), strict=True)
)
# The ninth place is the check digit itself.
VIN_WEIGHTS = tuple(
    int(weight)
    for weight in ["8", "7", "6", "5", "4", "3", "2", "10", "0", "9", "8", "7", "6", "5", "4", "3", "2"]
)


def demo_orders() -> Iterator[dict[str, Any]]:
    """Rows for the table `orders`, without end, always the same ones."""
    dice = random.Random(SEED)
    statuses, shares = list(STATUS_SHARES), list(STATUS_SHARES.values())
    number = 0
    while True:
        mechanic = dice.choice(MECHANICS)
        category, parts = dice.choice(list(PARTS[mechanic.language].items()))
        status = dice.choices(statuses, shares)[0]
        created_at = FIRST_ORDER_AT + number % ORDERS_BEFORE_DATES_REPEAT * TIME_BETWEEN_ORDERS
        hours_of_work = 0 if status == "новый" else dice.randint(1, 72)
        number += 1
        yield {
            "mechanic_name": mechanic.name,
            "telegram_id": mechanic.telegram_id,
            "category": category,
            "vin": vin(dice) if dice.random() < 0.9 else None,
            "selected_parts": [
                {"name": name, "quantity": dice.randint(1, 4)}
                for name in dice.sample(parts, dice.randint(1, 3))
            ],
            "is_original": dice.random() < 0.3,
            "photo_url": f"/uploads/orders/{number:07}.jpg" if dice.random() < 0.2 else None,
            "status": status,
            "printed": status in ("готов", "выдан"),
            "language": mechanic.language,
            "created_at": created_at,
            "updated_at": created_at + timedelta(hours=hours_of_work),
        }


def vin(dice: random.Random) -> str:
    """A vehicle identification number of 17 characters with a correct check digit."""
    model = "".join(dice.choices(VIN_CHARACTERS, k=5))
    serial = f"{dice.choice(VIN_YEARS)}{dice.choice('ABCDEFGH')}{dice.randrange(1_000_000):06}"
    without_check = f"{dice.choice(VIN_MAKERS)}{model}0{serial}"
    return f"{without_check[:8]}{vin_check_digit(without_check)}{serial}"


def vin_check_digit(number: str) -> str:
    """The ninth character of a VIN, computed from the other sixteen."""
    products = (VIN_VALUES[character] * weight for character, weight in zip(number, VIN_WEIGHTS, strict=True))
    remainder = sum(products) % 11
    return "X" if remainder == 10 else str(remainder)
