"""The description as a CloudFormation template: the same resources, made by AWS itself."""

from provisioner.cloudformation.mappings import ABSENT, MAPPINGS, UnmappedKindError
from provisioner.cloudformation.template import code_key, template

__all__ = ["ABSENT", "MAPPINGS", "UnmappedKindError", "code_key", "template"]
