"""IAM's simulator, as far as `preflight` asks it, by the decisions of `evaluation`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from iam.evaluation import Need, allowed


def simulated(statements: Iterable[Mapping[str, Any]], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to SimulatePrincipalPolicy for somebody with these policies.

    It calls each key missing that any statement has a condition on: AWS does not say that it spares
    one those of statements on something else.
    """
    statements = list(statements)
    context = {
        each["ContextKeyName"]: each["ContextKeyValues"][0] for each in asked["ContextEntries"]
    }
    keys = {k for s in statements for of in s.get("Condition", {}).values() for k in of}
    missing = sorted(keys - context.keys())
    results = []
    for action in asked["ActionNames"]:
        decisions = {
            arn: _decision(allowed(statements, Need(action, arn, context)))
            for arn in asked["ResourceArns"]
        }
        refused = [each for each in decisions.values() if each != "allowed"]
        results.append(
            {
                "EvalActionName": action,
                "EvalResourceName": asked["ResourceArns"][0],
                "EvalDecision": refused[0] if refused else "allowed",
                "MissingContextValues": missing,
                "ResourceSpecificResults": [
                    {
                        "EvalResourceName": arn,
                        "EvalResourceDecision": decision,
                        "MissingContextValues": missing,
                    }
                    for arn, decision in decisions.items()
                ],
            }
        )
    return {"EvaluationResults": results, "IsTruncated": False}


def _decision(is_allowed: bool) -> str:
    return "allowed" if is_allowed else "implicitDeny"
