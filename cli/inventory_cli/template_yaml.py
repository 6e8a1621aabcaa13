"""A CloudFormation template as YAML, with the short forms of its functions."""

from __future__ import annotations

from typing import Any

import yaml

_SHORT = {"Ref": "!Ref", "Fn::Sub": "!Sub", "Fn::GetAtt": "!GetAtt"}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """CloudFormation knows no anchors."""
        return True


def _represent(dumper: _Dumper, data: dict[str, Any]) -> yaml.Node:
    if len(data) == 1:
        [(name, value)] = data.items()
        if name in _SHORT:
            return dumper.represent_scalar(_SHORT[name], value)
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items())


_Dumper.add_representer(dict, _represent)


def written(template: dict[str, Any]) -> str:
    text: str = yaml.dump(template, Dumper=_Dumper, sort_keys=False, width=100)
    return text
