"""Policies as ODRL, the way a provider writes them into its EDC."""
PROFILE = "https://w3id.org/entente/policy/v1"
OPERAND = "https://w3id.org/entente/policy/"


def policy(*constraints, profile=PROFILE):
    terms = [{"leftOperand": operand, "operator": operator, "rightOperand": bound} for operand, operator, bound in constraints]
    offer = {"@type": "Set", "permission": [{"action": "use", "constraint": terms}]}
    return {**offer, "profile": profile} if profile else offer


PURPOSE = (OPERAND + "purpose", "eq", "urn:fl:federation:demo")
COHORT = (OPERAND + "minCohortSize", "gteq", "2")
