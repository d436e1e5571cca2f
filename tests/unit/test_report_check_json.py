"""The JSON document of ``check``: its fields, exactly."""

from __future__ import annotations

import json

from nonstop.descriptions.promises import Promise
from nonstop.report import as_json, check_json
from tests.support.check_results import BROKEN_OFF, KEPT_CHECK, REFUSED_CHECK, result


def test_the_whole_document() -> None:
    content = check_json.content(result(REFUSED_CHECK)._replace(notes=("mind this",)))
    [script] = content.pop("scripts")
    assert content == {
        "database": "postgresql://user@db/felix_hub",
        "place": {
            "kind": "an embedded server",
            "server": "PostgreSQL 18.1",
            "isolated": True,
            "how": "in a network namespace of its own",
        },
        "against": "v1.4.0",
        "target_changes": [],
        "notes": ["mind this"],
        "refused": True,
        "duration_ms": 3400,
    }
    assert set(script) == {
        "number", "name", "label", "path", "refused", "error", "promises", "matrix", "correction", "duration_ms",
    }  # fmt: skip
    assert script["number"] == 3
    assert script["name"] == "drop_vin"
    assert script["label"] == "003_drop_vin"
    assert script["path"] == "/repository/migrations/003_drop_vin.py"
    assert script["refused"] is True
    assert script["error"] is None
    assert script["duration_ms"] == 900


def test_a_broken_promise_with_its_evidence() -> None:
    additive = check_json.script(REFUSED_CHECK)["promises"]["additive"]
    assert additive == {
        "holds": False,
        "reason": None,
        "evidence": [
            {"text": "fact 1", "breaks": False, "line": 1, "sql": "SELECT 1", "facts": {}},
            {
                "text": "the column orders.vin is gone",
                "breaks": True,
                "line": 9,
                "sql": "ALTER TABLE orders\n  DROP COLUMN vin",
                "facts": {"rows": 4475},
            },
        ],
    }


def test_all_eight_promises_are_there_also_where_the_rehearsal_ended_early() -> None:
    script = check_json.script(BROKEN_OFF)
    assert list(script["promises"]) == [promise.value for promise in Promise]
    assert script["promises"]["no_downtime"] == {
        "holds": None,
        "reason": "the rehearsal ended before it was tried",
        "evidence": [],
    }
    assert script["error"] == "NameError: no 'vin'\nfurther words"
    assert script["refused"] is True


def test_a_promise_that_is_not_claimed_is_null_with_its_reason() -> None:
    assert check_json.script(REFUSED_CHECK)["promises"]["can_be_rolled_back"] == {
        "holds": None,
        "reason": "not claimed: op.irreversible in a contract script",
        "evidence": [],
    }


def test_the_matrix() -> None:
    cells = check_json.script(REFUSED_CHECK)["matrix"]
    assert cells[0] == {"code": "old", "schema": "before", "holds": True, "meaning": None, "evidence": []}
    assert cells[1]["meaning"] == "the running release fails once it is applied"
    assert [fact["breaks"] for fact in cells[1]["evidence"]] == [True, False]
    assert cells[1]["evidence"][0]["line"] is None
    assert cells[1]["evidence"][0]["sql"] is None


def test_the_correction() -> None:
    correction = check_json.script(REFUSED_CHECK)["correction"]
    assert [written["file"] for written in correction["scripts"]] == [
        "003_stop_using_vin.py",
        "004_drop_vin.py",
    ]
    assert correction["scripts"][1]["text"] == 'phase = "contract"\n'
    assert correction["between"] == ["the release that no longer reads orders.vin", ""]
    assert check_json.script(KEPT_CHECK)["correction"] is None


def test_a_changed_target_refuses_the_whole() -> None:
    content = check_json.content(result(KEPT_CHECK)._replace(target_changes=("orders: 3 rows more",)))
    assert content["target_changes"] == ["orders: 3 rows more"]
    assert content["refused"] is True
    assert content["scripts"][0]["refused"] is False


def test_it_makes_a_document_in_which_nothing_is_secret() -> None:
    content = check_json.content(result(KEPT_CHECK, REFUSED_CHECK))
    text = as_json.document("check", content, lambda value: value.replace("vin", "***"))
    document = json.loads(text)
    assert (document["schema"], document["command"]) == (1, "check")
    assert [script["name"] for script in document["scripts"]] == ["add_plate", "drop_***"]
    assert "vin" not in text
